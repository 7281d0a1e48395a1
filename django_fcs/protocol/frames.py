"""FCS v4 frames in both directions, without any socket.

The upstream client, the site's consumer, the simulator and the tests all use it.
``docs/protocol.md`` says which parts the vendor documents and which were only observed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import msgspec

from django_fcs.exceptions import ProtocolError

from .messages import (
    PRICE_MODES,
    Candle,
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
    Unknown,
    Welcome,
)
from .ticks import SECONDS_MAX, read_tick

__all__ = ["parse", "parse_wishes", "serialise"]


# One shared object: the encoder recognises a frame without history by identity.
_NO_HISTORY = msgspec.Raw()


class _Prices(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The ``prices`` object on the wire; fields are written in this order."""

    mode: str | None = None
    t: float | None = None
    o: float | None = None
    h: float | None = None
    l: float | None = None  # noqa: E741 - the vendor's name
    c: float | None = None
    v: float | None = None
    a: float | None = None
    b: float | None = None
    update: float | None = None
    pc: float | None = None
    ch: float | None = None
    chp: float | None = None
    digits: int | None = None
    delay: int | None = None
    history: msgspec.Raw = _NO_HISTORY
    profile: dict[str, Any] | None = None

    NUMBERS: ClassVar[tuple[str, ...]] = tuple("ohlcvab") + ("update", "pc", "ch", "chp")


class _PriceFrame(msgspec.Struct, kw_only=True, omit_defaults=True, tag="price", tag_field="type"):
    """A price on the wire; ``docs/protocol.md`` guarantees the order of fields."""

    symbol: str
    timeframe: str
    prices: _Prices
    seq: int | None = None
    at: float | None = None


class _Frame(msgspec.Struct, kw_only=True):
    """All fields of all messages; a field that the frame does not have is ``None``."""

    type: str
    symbol: str | None = None
    timeframe: str | int | None = None
    prices: _Prices | None = None
    seq: int | None = None
    at: float | None = None
    history: msgspec.Raw = _NO_HISTORY
    timestamp: float | None = None
    token: str | None = None
    success: bool = True
    short: str | None = None
    message: str | None = None
    msg: str | None = None
    room: str | None = None
    state: str | None = None
    reason: str | None = None
    until: float | None = None
    frames_per_second: float | None = None


# Not strict: numeric strings are accepted as numbers, as the vendor's reference requires.
_decode_one = msgspec.json.Decoder(_Frame, strict=False).decode
_decode_many = msgspec.json.Decoder(list[_Frame], strict=False).decode
_decode_history = msgspec.json.Decoder(list[Candle], strict=False).decode
_encode = msgspec.json.Encoder().encode

_SERVER_TALK = ("welcome", "ping", "pong", "message", "error")
_FIELDS = [field for field in msgspec.structs.fields(_Frame) if field.name != "history"]


def parse(text: str | bytes) -> list[Message]:
    """Read one frame: an object, or an array of objects.

    Raises ``ProtocolError`` for anything else, with a reason in one line. One invalid
    message makes the whole frame invalid.
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
            raise ProtocolError(f"not an FCS frame: {error}") from None
        frames = _decode_leniently(text, error)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"not an FCS frame: {error}") from None
    return [_message(frame) for frame in frames]


def serialise(message: Message) -> str:
    """Write one message as the text of a frame."""
    if isinstance(message, Price):
        return _encode(_price_frame(message)).decode()
    if isinstance(message, ProfileUpdate):
        prices = _Prices(mode="profile", profile=message.profile)
        frame = _PriceFrame(symbol=message.symbol, timeframe=message.timeframe, prices=prices)
        return _encode(frame).decode()
    if isinstance(message, Joined):
        # A confirmation is sent with all its fields, defaults included.
        fields = {"type": "message", **msgspec.structs.asdict(message)}
        return _encode(fields).decode()
    return _encode(message).decode()


def _decode_leniently(text: str | bytes, error: msgspec.ValidationError) -> list[_Frame]:
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
        raise ProtocolError(f"not an FCS frame: {error}") from None
    return [_without_strange_fields(raw) for raw in frames]


def _without_strange_fields(raw: dict[str, Any]) -> _Frame:
    known: dict[str, Any] = {}
    for field in _FIELDS:
        with suppress(KeyError, msgspec.ValidationError):
            known[field.name] = msgspec.convert(raw[field.name], field.type, strict=False)
    return _Frame(**known)


def _message(frame: _Frame) -> Message:
    if frame.type == "price":
        return _price(frame)
    read = _READERS.get(frame.type)
    return read(frame) if read else Unknown(name=frame.type)


def _price(frame: _Frame) -> Price | ProfileUpdate:
    prices = frame.prices
    if not frame.symbol or frame.timeframe is None or prices is None:
        raise ProtocolError("a price frame without symbol, timeframe or prices")
    if prices.profile is not None and prices.c is None:
        return ProfileUpdate(
            symbol=frame.symbol, timeframe=str(frame.timeframe), profile=prices.profile
        )
    if prices.t is not None and prices.t > SECONDS_MAX:
        raise ProtocolError(f"t={prices.t:.0f} is not in unix seconds")
    return Price(
        symbol=frame.symbol,
        timeframe=str(frame.timeframe),
        mode=_mode(prices),
        t=_whole(prices.t),
        digits=prices.digits,
        delay=prices.delay,
        history=_history(prices.history) or _history(frame.history) or None,
        seq=frame.seq,
        at=_finite(frame.at),
        **{name: _finite(getattr(prices, name)) for name in _Prices.NUMBERS},
    )


def _mode(prices: _Prices) -> str:
    """Return the mode of a frame; if it is unknown, derive it from the fields present."""
    if prices.c is None and prices.a is None and prices.b is None:
        raise ProtocolError("a price frame without any price")
    if prices.mode == "askbid":
        return "askbid"
    if None in (prices.t, prices.o, prices.h, prices.l, prices.c):
        return "askbid"
    return prices.mode if prices.mode in PRICE_MODES else "candle"


def _finite(number: float | None) -> float | None:
    if number is not None and not math.isfinite(number):
        raise ProtocolError(f"{number} is not a finite number")
    return number


def _whole(number: float | None) -> int | None:
    return None if number is None else int(_finite(number) or 0)


def _history(raw: msgspec.Raw) -> list[Candle] | None:
    """Read earlier candles; ``None`` for any other content, as the vendor documents none."""
    try:
        history = _decode_history(raw) if raw else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    numbers = [number for candle in history or () for number in msgspec.structs.astuple(candle)]
    return history if all(n is None or math.isfinite(n) for n in numbers) else None


def _price_frame(price: Price) -> _PriceFrame:
    prices = _Prices(
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
        history=msgspec.Raw(_encode(price.history)) if price.history else _NO_HISTORY,
    )
    return _PriceFrame(
        symbol=price.symbol, timeframe=price.timeframe, prices=prices, seq=price.seq, at=price.at
    )


def _confirmation(frame: _Frame) -> Joined | Notice:
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


def _spelling(frame: _Frame) -> str | None:
    return None if frame.timeframe is None else str(frame.timeframe)


def _rate(frame: _Frame) -> Rate:
    if not frame.frames_per_second or not frame.frames_per_second > 0:
        raise ProtocolError("frames_per_second is not a number above 0")
    return Rate(frames_per_second=_finite(frame.frames_per_second) or 0)


def _state(frame: _Frame) -> RoomState:
    return RoomState(
        symbol=frame.symbol or "",
        timeframe=_spelling(frame) or "",
        state=frame.state or "",
        reason=frame.reason or "",
        until=_whole(frame.until),
    )


def _heartbeat(kind: type[Ping] | type[Pong] | type[Welcome]) -> Callable[[_Frame], Message]:
    return lambda frame: kind(timestamp=_whole(frame.timestamp))


def _wish(frame: _Frame) -> Join:
    return Join(symbol=frame.symbol or "", timeframe=_spelling(frame), token=frame.token)


def _end_of_wish(frame: _Frame) -> Leave:
    return Leave(symbol=frame.symbol or "", timeframe=_spelling(frame))


def _refusal(frame: _Frame) -> Refusal:
    return Refusal(short=frame.short or "", message=frame.message or frame.msg or "")


def _end_of_wishes(frame: _Frame) -> RemoveAll:
    return RemoveAll()


def _beat(frame: _Frame) -> Heartbeat:
    return Heartbeat(timestamp=_whole(frame.timestamp) or 0)


_READERS: dict[str, Callable[[_Frame], Message]] = {
    "welcome": _heartbeat(Welcome),
    "ping": _heartbeat(Ping),
    "pong": _heartbeat(Pong),
    "join_symbol": _wish,
    "leave_symbol": _end_of_wish,
    "remove_all": _end_of_wishes,
    "message": _confirmation,
    "error": _refusal,
    "rate": _rate,
    "state": _state,
    "beat": _beat,
}
