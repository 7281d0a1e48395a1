"""FCS v4 frames in both directions, without any socket.

The upstream client, the site's consumer, the simulator and the tests all use it.
``docs/protocol.md`` says which parts the vendor documents and which were only observed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from django_fcs.exceptions import ProtocolError
from django_fcs.tools.texts import one_line

from . import bounds
from .messages import (
    PRICE_MODES,
    Candle,
    CandlesWish,
    Heartbeat,
    Join,
    Joined,
    Leave,
    Message,
    Notice,
    Ping,
    Pong,
    Price,
    ProfileUpdate,
    Rate,
    Refusal,
    RemoveAll,
    RoomState,
    Token,
    Unknown,
    Unusable,
    Welcome,
)
from .shapes import (
    NO_HISTORY,
    Frame,
    OutOfBounds,
    PriceFrame,
    Prices,
    check_bounds,
    is_candle,
    leave_out,
)
from .ticks import read_tick

__all__ = ["parse", "parse_wishes", "serialise"]


# Not strict: numeric strings are accepted as numbers, as the vendor's reference requires.
_decode_one = msgspec.json.Decoder(Frame, strict=False).decode
_decode_many = msgspec.json.Decoder(list[Frame], strict=False).decode
_decode_history = msgspec.json.Decoder(list[Candle], strict=False).decode
_encode = msgspec.json.Encoder().encode

_SERVER_TALK = ("welcome", "ping", "pong", "message", "error")
_FIELDS = [field for field in msgspec.structs.fields(Frame) if field.name != "history"]


def parse(text: str | bytes) -> list[Message]:
    """Read one frame: an object, or an array of objects.

    Raises ``ProtocolError`` for anything else, with a reason in one line. One invalid
    message makes the whole frame invalid. A price of an array that is out of bounds
    invalidates only itself: an ``Unusable`` stands in its place. An ``Unusable`` also
    follows a price for each value that was left out.
    """
    tick = read_tick(text)
    return _parse_any(text) if tick is None else [tick]


def parse_wishes(text: str) -> list[Message]:
    """Read one frame of a browser like ``parse``, but reject invalid frames at once.

    A second attempt at an invalid frame takes milliseconds for a few kB, which an attacker
    could use.
    """
    return _parse_any(text, is_patient=False)


def _parse_any(text: str | bytes, *, is_patient: bool = True) -> list[Message]:
    is_array = text.lstrip()[:1] in ("[", b"[")
    try:
        frames = _decode_many(text) if is_array else [_decode_one(text)]
    except msgspec.ValidationError as error:
        if not is_patient:
            raise ProtocolError(one_line(f"not an FCS frame: {error}")) from None
        frames = _decode_leniently(text, error)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ProtocolError(one_line(f"not an FCS frame: {error}")) from None
    return [message for frame in frames for message in _messages(frame, is_array)]


def serialise(message: Message) -> str:
    """Write one message as the text of a frame."""
    if isinstance(message, Price):
        return _encode(_price_frame(message)).decode()
    if isinstance(message, ProfileUpdate):
        prices = Prices(mode="profile", profile=message.profile)
        frame = PriceFrame(symbol=message.symbol, timeframe=message.timeframe, prices=prices)
        return _encode(frame).decode()
    if isinstance(message, Joined):
        # A confirmation is sent with all its fields, defaults included.
        fields = {"type": "message", **msgspec.structs.asdict(message)}
        return _encode(fields).decode()
    return _encode(message).decode()


def _decode_leniently(text: str | bytes, error: msgspec.ValidationError) -> list[Frame]:
    """Read a frame some of whose fields have an unexpected type.

    The vendor has not published which fields a ``welcome`` or ``error`` of its server has.
    In such messages a field of an unexpected type is ignored. In prices and in messages of
    browsers it raises ``ProtocolError``.
    """
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        found = None
    frames = found if isinstance(found, list) else [found]
    if not all(isinstance(raw, dict) and raw.get("type") in _SERVER_TALK for raw in frames):
        raise ProtocolError(one_line(f"not an FCS frame: {error}")) from None
    return [_without_strange_fields(raw) for raw in frames]


def _without_strange_fields(raw: dict[str, Any]) -> Frame:
    known: dict[str, Any] = {}
    for field in _FIELDS:
        with suppress(KeyError, msgspec.ValidationError):
            known[field.name] = msgspec.convert(raw[field.name], field.type, strict=False)
    return Frame(**known)


def _messages(frame: Frame, is_array: bool) -> Iterator[Message]:
    """Yield what a frame says, and what of it was left out."""
    if frame.type != "price":
        read = _READERS.get(frame.type)
        yield read(frame) if read else Unknown(name=frame.type)
        return
    left_out = leave_out(frame, frame.prices) if frame.prices else []
    try:
        yield _price(frame, left_out)
    except OutOfBounds as error:
        if not is_array:
            raise
        yield Unusable(reason=str(error))
    for reason in left_out:
        yield Unusable(reason=reason)


def _price(frame: Frame, left_out: list[str]) -> Price | ProfileUpdate:
    """Read a price; add to ``left_out`` why its history is not used."""
    prices = frame.prices
    if not frame.symbol or frame.timeframe is None or prices is None:
        raise ProtocolError("a price frame without symbol, timeframe or prices")
    if prices.profile is not None and prices.c is None:
        return ProfileUpdate(
            symbol=frame.symbol, timeframe=str(frame.timeframe), profile=prices.profile
        )
    check_bounds(prices)
    history = _history(prices.history) or _history(frame.history)
    if not all(map(is_candle, history)):
        left_out.append("history is out of bounds")
        history = []
    return Price(
        symbol=frame.symbol,
        timeframe=str(frame.timeframe),
        mode=_mode(prices),
        t=_whole(prices.t),
        history=history or None,
        seq=frame.seq,
        at=frame.at,
        **{name: getattr(prices, name) for name in (*Prices.PRICES, *Prices.EXTRAS)},
    )


def _mode(prices: Prices) -> str:
    """Return the mode of a frame; if it is unknown, derive it from the fields present."""
    if prices.c is None and prices.a is None and prices.b is None:
        raise ProtocolError("a price frame without any price")
    if prices.mode == "askbid":
        return "askbid"
    if None in (prices.t, prices.o, prices.h, prices.l, prices.c):
        return "askbid"
    return prices.mode if prices.mode in PRICE_MODES else "candle"


def _whole(number: float | None) -> int | None:
    if number is not None and not math.isfinite(number):
        raise ProtocolError(f"{number} is not a finite number")
    return None if number is None or abs(number) > bounds.SEQ_MAX else int(number)


def _history(raw: msgspec.Raw) -> list[Candle]:
    """Read earlier candles; none for any other content, as the vendor documents none."""
    try:
        return _decode_history(raw) if raw else []
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return []


def _price_frame(price: Price) -> PriceFrame:
    prices = Prices(
        mode=price.mode,
        t=price.t,
        o=price.o,
        h=price.h,
        l=price.l,
        c=price.c,
        v=price.v,
        a=price.a,
        b=price.b,
        update=price.update,
        pc=price.pc,
        ch=price.ch,
        chp=price.chp,
        digits=price.digits,
        delay=price.delay,
        history=msgspec.Raw(_encode(price.history)) if price.history else NO_HISTORY,
    )
    return PriceFrame(
        symbol=price.symbol, timeframe=price.timeframe, prices=prices, seq=price.seq, at=price.at
    )


def _confirmation(frame: Frame) -> Joined | Notice:
    text = frame.message or frame.msg or ""
    if frame.short != "joined_room" or not (frame.room or frame.symbol):
        return Notice(short=frame.short or "", message=text)
    return Joined(
        success=frame.success,
        message=text,
        room=frame.room or "",
        symbol=frame.symbol or "",
        timeframe=_spelling(frame) or "",
    )


def _spelling(frame: Frame) -> str | None:
    return None if frame.timeframe is None else str(frame.timeframe)


def _rate(frame: Frame) -> Rate:
    rate = frame.frames_per_second
    if rate is None or not 0 < rate < math.inf:
        raise ProtocolError("frames_per_second is not a number above 0")
    return Rate(frames_per_second=rate)


def _state(frame: Frame) -> RoomState:
    return RoomState(
        symbol=frame.symbol or "",
        timeframe=_spelling(frame) or "",
        state=frame.state or "",
        reason=frame.reason or "",
        until=_opening(frame.until),
    )


def _opening(until: float | None) -> int | None:
    moment = _whole(until)
    if moment is not None and abs(moment) > bounds.TIME_MAX:
        raise ProtocolError("until is not in unix seconds")
    return moment


def _timestamped(kind: type[Ping] | type[Pong] | type[Welcome]) -> Callable[[Frame], Message]:
    return lambda frame: kind(timestamp=_whole(frame.timestamp))


def _wish(frame: Frame) -> Join:
    return Join(symbol=frame.symbol or "", timeframe=_spelling(frame), token=frame.token)


def _end_of_wish(frame: Frame) -> Leave:
    return Leave(symbol=frame.symbol or "", timeframe=_spelling(frame))


def _refusal(frame: Frame) -> Refusal:
    return Refusal(short=frame.short or "", message=frame.message or frame.msg or "")


def _end_of_wishes(frame: Frame) -> RemoveAll:
    return RemoveAll()


def _heartbeat(frame: Frame) -> Heartbeat:
    return Heartbeat(timestamp=_whole(frame.timestamp) or 0)


def _token(frame: Frame) -> Token:
    return Token(symbol=frame.symbol or "", token=frame.token or "")


def _candles_wish(frame: Frame) -> CandlesWish:
    limit, before = frame.limit, frame.before
    if limit is None or not 1 <= limit <= bounds.CANDLES_MAX or limit != int(limit):
        raise ProtocolError(f"limit is not a whole number from 1 to {bounds.CANDLES_MAX:,}")
    if before is not None and not 0 <= before <= bounds.TIME_MAX:
        raise ProtocolError("before is not in unix seconds")
    return CandlesWish(
        symbol=frame.symbol or "",
        timeframe=_spelling(frame),
        limit=int(limit),
        before=None if before is None else math.ceil(before),
    )


_READERS: dict[str, Callable[[Frame], Message]] = {
    "welcome": _timestamped(Welcome),
    "ping": _timestamped(Ping),
    "pong": _timestamped(Pong),
    "join_symbol": _wish,
    "leave_symbol": _end_of_wish,
    "remove_all": _end_of_wishes,
    "message": _confirmation,
    "error": _refusal,
    "rate": _rate,
    "state": _state,
    "beat": _heartbeat,
    "token": _token,
    "candles": _candles_wish,
}
