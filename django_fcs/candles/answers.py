"""The answers of the vendor's REST API: candles, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from enum import Enum
from http import HTTPStatus
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from django_fcs.exceptions import FCSError
from django_fcs.protocol.address import RestAddress
from django_fcs.protocol.bounds import TIME_MAX
from django_fcs.tools.retry_after import retry_after

from .bars import Bar, read_bar

__all__ = ["ROWS_MAX", "SIZE_MAX", "Answer", "RefusalKind", "Refused", "read_answer"]

#: The vendor sends no more candles at once. If an answer has more, the newest are read.
ROWS_MAX = 10_000

#: The longest answer, in bytes: twice what ``ROWS_MAX`` candles take as objects with texts.
SIZE_MAX = 4_000_000

#: An answer with more arrays, objects and commas is not decoded: that would hold up all threads.
#: A candle has ten at most.
_PARTS_MAX = 20 * ROWS_MAX

#: No request costs more credits, by far.
CREDITS_MAX = 10_000

#: The longest pause that is kept if the vendor asks for one, in seconds. Its clock is no farther
#: from ours, either.
_DAY = 86_400.0

_Row = tuple[object, object, object, object, object, object]

_NOTHING: _Row = (None,) * 6


class RefusalKind(str, Enum):
    """Why the vendor gave no history."""

    KEY = "key"  #: it does not accept the key
    PLAN = "plan"  #: the account or its plan does not allow it
    SYMBOL = "symbol"  #: it has no history of the symbol; others are not concerned
    TIMEFRAME = "timeframe"  #: it has no history in the timeframe; others are not concerned
    ROOM = "room"  #: it gives another reason, which may concern the room alone
    RATE = "rate"  #: there were too many requests, or no credits are left
    UNAVAILABLE = "unavailable"  #: no connection, no answer in time, or an HTTP status
    MALFORMED = "malformed"  #: the answer cannot be read


_PUBLIC = {
    RefusalKind.KEY: "the feed refused access to its history",
    RefusalKind.PLAN: "the feed refused access to its history",
    RefusalKind.SYMBOL: "the feed has no history of this symbol",
    RefusalKind.TIMEFRAME: "the feed has no history in this timeframe",
    RefusalKind.ROOM: "the feed refused history of this symbol",
    RefusalKind.RATE: "the feed was asked for too much history",
    RefusalKind.UNAVAILABLE: "no connection to the history of the feed",
    RefusalKind.MALFORMED: "the history of the feed cannot be read",
}

_BY_CODE = {
    101: RefusalKind.KEY,
    102: RefusalKind.PLAN,
    401: RefusalKind.KEY,
    403: RefusalKind.PLAN,
    429: RefusalKind.RATE,
}

#: The vendor documents few codes. In other cases, the first kind with a word of its text is
#: meant.
_BY_WORD = {
    RefusalKind.KEY: ("access_key", "access key", "api key"),
    RefusalKind.RATE: ("limit", "too many", "credit"),
    RefusalKind.TIMEFRAME: ("period", "timeframe"),
    RefusalKind.SYMBOL: ("symbol", "no data", "no record", "not found"),
}

_SENTENCES = {
    RefusalKind.KEY: "{place} refused FCS_REST_KEY",
    RefusalKind.PLAN: "{place} refused history to this account or its plan",
    RefusalKind.SYMBOL: "{place} has no history of this symbol",
    RefusalKind.TIMEFRAME: "{place} has no history in this timeframe",
    RefusalKind.ROOM: "{place} refused history of this symbol",
    RefusalKind.RATE: "{place} refused more requests for history",
    RefusalKind.UNAVAILABLE: "{place} answered",
}


class Refused(FCSError):
    """The vendor gave no history.

    Args:
        kind: Why.
        text: The same for operators, in one line and without the key.
        retry_after: For how many seconds the vendor asked not to ask again, a day at most;
            ``None`` if it did not.
        is_certain: Whether a code says so. A text may contain a symbol that was asked for.
    """

    def __init__(
        self,
        kind: RefusalKind,
        text: str,
        *,
        retry_after: float | None = None,
        is_certain: bool = True,
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.retry_after = retry_after
        self.is_certain = is_certain and kind is not RefusalKind.ROOM

    @property
    def may_cost(self) -> bool:
        """Whether the vendor may have counted credits: it does for each answer with candles."""
        return self.kind is RefusalKind.MALFORMED

    @property
    def public(self) -> str:
        """The reason that visitors are told."""
        return _PUBLIC[self.kind]


class Answer(NamedTuple):
    """The candles of one answer, in any order."""

    bars: list[Bar]
    dropped: int
    """How many candles of the answer were malformed, impossible or too many."""
    credits: int | None
    """How many credits the vendor counted, if it says so."""
    server_time: float | None
    """The vendor's clock in unix seconds, if it says so."""


def read_answer(
    body: bytes,
    *,
    status: int,
    headers: Mapping[str, str],
    address: RestAddress,
    timeframe: str,
    now: float,
) -> Answer:
    """Read an answer, which has candles as arrays or objects, of numbers or texts.

    Args:
        body: The whole answer. One that is longer than ``SIZE_MAX`` is not read.
        status: The HTTP status.
        headers: The HTTP headers; the names ignore case.
        address: Who answered.
        timeframe: The canonical timeframe that was asked for.
        now: In unix seconds.

    Raises ``Refused``. An answer without candles is no refusal: the vendor has none there.
    """
    if len(body) > SIZE_MAX:
        raise _malformed(address, f"sent more than {SIZE_MAX} bytes")
    envelope = _decoded(body)
    if envelope is None or "status" not in envelope:
        raise _unreadable(body, status, headers, address, now)
    if status == HTTPStatus.OK and envelope["status"] is True:
        return _answer(envelope, address, timeframe, now)
    raise _refusal(envelope, status, headers, address, now)


def _decoded(body: bytes) -> dict[str, Any] | None:
    if sum(map(body.count, (b"[", b"{", b","))) > _PARTS_MAX:
        return None
    try:
        envelope = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return envelope if isinstance(envelope, dict) else None


def _answer(envelope: dict[str, Any], address: RestAddress, timeframe: str, now: float) -> Answer:
    response = envelope.get("response") or []
    if not isinstance(response, (dict, list)):
        raise _malformed(address, "sent something other than candles")
    read = (read_bar(*row, timeframe=timeframe, now=now) for row in _rows(response))
    bars = [bar for bar in read if bar is not None]
    if response and not bars:
        raise _malformed(address, f"sent {len(response)} candles, none of which can be true")
    if len(bars) > ROWS_MAX:
        bars = sorted(bars, key=itemgetter(0))[-ROWS_MAX:]
    info = envelope.get("info")
    info = info if isinstance(info, dict) else {}
    credits = _whole(info.get("credit_count"))
    return Answer(
        bars,
        dropped=len(response) - len(bars),
        credits=credits if 0 <= credits <= CREDITS_MAX else None,
        server_time=_server_time(info.get("server_time"), now),
    )


def _rows(response: dict[str, Any] | list[Any]) -> Iterator[_Row]:
    """Yield the values of each candle; of an object, they have names and may lack the time."""
    if isinstance(response, list):
        yield from (_row(row, None) for row in response)
    else:
        yield from (_row(row, opened) for opened, row in response.items())


def _row(row: object, opened: str | None) -> _Row:
    if isinstance(row, dict):
        get = row.get
        return get("t", opened), get("o"), get("h"), get("l"), get("c"), get("v")
    if isinstance(row, list) and len(row) >= 5:
        t, o, h, l, c, *rest = row  # noqa: E741
        return t, o, h, l, c, rest[0] if rest else None
    return _NOTHING


def _refusal(
    envelope: dict[str, Any],
    status: int,
    headers: Mapping[str, str],
    address: RestAddress,
    now: float,
) -> Refused:
    code, text = _whole(envelope.get("code")), envelope.get("msg")
    said = address.without_secrets(text) if isinstance(text, str) else ""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        known: RefusalKind | None = RefusalKind.UNAVAILABLE
    else:
        known = _BY_CODE.get(code) or _BY_CODE.get(status)
    how = f" with code {code}" if code > 0 else f" with HTTP {status}"
    kind, is_certain = known or _kind_of(said), known is not None
    return _refused(kind, how, said, headers, address, now, is_certain=is_certain)


def _unreadable(
    body: bytes, status: int, headers: Mapping[str, str], address: RestAddress, now: float
) -> Refused:
    """Return the refusal for an answer that is not the vendor's, by its status alone."""
    if status == HTTPStatus.OK:
        is_cut = body.lstrip()[:1] in (b"{", b"[")
        what = "sent JSON that is cut off, malformed or too long" if is_cut else "sent no JSON"
        return _malformed(address, what)
    kind, said = RefusalKind.UNAVAILABLE, ""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        said = "a redirect, which would take the key elsewhere: correct FCS_REST_URL"
    elif status == HTTPStatus.NOT_FOUND:
        said = "correct FCS_REST_URL"
    elif status == HTTPStatus.FORBIDDEN:  # Proxies and firewalls also send it.
        said = "the plan, or a proxy or firewall on the way, does not allow it"
    else:
        kind = _BY_CODE.get(status, kind)
    return _refused(kind, f" with HTTP {status}", said, headers, address, now)


def _refused(
    kind: RefusalKind,
    how: str,
    said: str,
    headers: Mapping[str, str],
    address: RestAddress,
    now: float,
    *,
    is_certain: bool = True,
) -> Refused:
    asked, dates = [headers.get("Retry-After", "")], [headers.get("Date", "")]
    pause = retry_after(asked, dates, now, most=_DAY) or None
    text = _SENTENCES[kind].format(place=address.place) + how
    text += f": {said}" if said else ""
    text += f" (it asked to wait for {pause:.0f} s)" if pause else ""
    return Refused(kind, text, retry_after=pause, is_certain=is_certain)


def _malformed(address: RestAddress, what: str) -> Refused:
    return Refused(RefusalKind.MALFORMED, f"{address.place} {what}")


def _kind_of(said: str) -> RefusalKind:
    said = said.lower()
    for kind, words in _BY_WORD.items():
        if any(word in said for word in words):
            return kind
    return RefusalKind.ROOM


def _whole(value: object) -> int:
    """Return a whole number from 0 to ``TIME_MAX``, also from a text; -1 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= TIME_MAX:
        return value
    return -1


def _server_time(value: object, now: float) -> float | None:
    """Read ``2026-11-29 08:00:00 UTC`` or unix seconds; ``None`` if it is not near ``now``."""
    at = value if isinstance(value, float) else float(_whole(value))
    if isinstance(value, str) and at < 0:
        try:
            read = datetime.strptime(value.removesuffix(" UTC"), "%Y-%m-%d %H:%M:%S")
        except ValueError:
            return None
        at = read.replace(tzinfo=timezone.utc).timestamp()
    return at if abs(at - now) <= _DAY else None
