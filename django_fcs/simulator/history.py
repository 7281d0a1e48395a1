"""The answers of the simulator's REST history, in the forms of the vendor's documents.

They are made in the threads of ``rest``, while the simulator streams.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from random import Random
from typing import Any, NamedTuple

import msgspec

from django_fcs.exceptions import RoomError
from django_fcs.rooms import Room
from django_fcs.values.timeframes import REST_PERIODS

from .faults import Faults, as_strings
from .keys import accepts
from .paths import Bar
from .questions import LENGTH_MAX, Asked, read_question
from .sources import History, Source, Window

__all__ = ["ASKED_MAX", "FREE_KEY", "Desk", "Reply"]

#: Requests that are remembered.
ASKED_MAX = 10_000

#: The key for everybody, and the candles that an answer to it has at most.
FREE_KEY = "free"
_FREE_LENGTH = 300

#: Candles of one credit.
_CREDIT = 100

_PATHS = ("/forex/history", "/crypto/history", "/stock/history")

#: The vendor's spellings, of its REST documents and of its chart.
_PERIODS = {*REST_PERIODS.values(), *REST_PERIODS}

_encode = msgspec.json.Encoder().encode


class Reply(NamedTuple):
    """What to answer to a request, and when."""

    status: int
    body: bytes
    length: int
    """What the header says of the length; more than the body has if the body is cut."""
    retry_after: str = ""
    seconds: float = 0.0
    """How long to wait before the answer."""
    is_cut: bool = False
    """Whether to close the connection without an answer."""


class _Refused(Exception):
    """Why there are no candles, as the vendor would say it."""

    def __init__(
        self, code: int, message: str, *, status: int = 200, retry_after: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retry_after = retry_after


class Desk:
    """Answers requests for history; may be used by several threads.

    Args:
        source: Where the candles come from.
        faults: Returns the faults that are on.
        keys: The accepted keys; ``None`` for any except ``bad_key`` and "".
        clock: Unix time.
    """

    def __init__(
        self,
        source: Source,
        *,
        faults: Callable[[], Faults],
        keys: Collection[str] | None,
        clock: Callable[[], float],
    ) -> None:
        self.asked: deque[Asked] = deque(maxlen=ASKED_MAX)
        self._source = source
        self._faults = faults
        self._keys = keys
        self._clock = clock

    def answer(self, path: str, parameters: Mapping[str, str]) -> Reply:
        """Answer a request for a path with these parameters."""
        faults, now = self._faults(), self._clock()
        status, retry_after = 200, ""
        try:
            envelope = self._envelope(path, parameters, faults, now)
        except _Refused as refused:
            status, retry_after = refused.status, refused.retry_after
            envelope = {"status": False, "code": refused.code, "msg": str(refused)}
            envelope |= {"response": None, "info": {"server_time": int(now)}}
        body = _encode(envelope)
        length = len(body)
        if faults.rest_cut == "json":
            body = body[: length // 2]
            length = len(body)
        elif faults.rest_cut == "body":
            body = body[: length // 2]
        is_cut = faults.rest_cut == "connection"
        return Reply(status, body, length, retry_after, faults.rest_seconds, is_cut)

    def _envelope(
        self, path: str, parameters: Mapping[str, str], faults: Faults, now: float
    ) -> dict[str, Any]:
        """Return a successful answer. Raises ``_Refused``."""
        if path not in _PATHS:
            raise _Refused(404, "Not found", status=404)
        try:
            asked = read_question(parameters, now)
        except ValueError as error:
            raise _Refused(400, str(error)) from None
        self.asked.append(asked)
        key = parameters.get("access_key", "")
        self._refuse(key, faults)
        room = _room(asked)
        limit = _FREE_LENGTH if key == FREE_KEY else LENGTH_MAX
        window = _window(asked, min(asked.length, limit), faults)
        history = self._source.history(room, now, window) if faults.knows(room) else None
        if history is None:
            raise _Refused(400, f"no such symbol: {room}")
        return _success(asked, _with_holes(history, faults), faults)

    def _refuse(self, key: str, faults: Faults) -> None:
        if faults.rest_status != 200:
            code = faults.rest_status
            message = "Too many requests" if code == 429 else "Invalid request"
            raise _Refused(code, message, status=code, retry_after=faults.rest_retry_after)
        if not accepts(key, self._keys):
            raise _Refused(401, "Invalid access_key", status=401)
        if faults.rest_message:
            raise _Refused(400, faults.rest_message)


def _room(asked: Asked) -> Room:
    if asked.period not in _PERIODS:
        raise _Refused(400, f"no such period: {asked.period}")
    try:
        return Room.parse(asked.symbol, asked.period)
    except RoomError as error:
        raise _Refused(400, str(error)) from None


def _window(asked: Asked, length: int, faults: Faults) -> Window:
    """Return the candles of a page: pages go back in time."""
    end = math.inf if asked.end is None else asked.end
    if faults.rest_to == "exclusive":
        end -= 1
    skip = (asked.page - 1) * max(length - faults.rest_overlap, 1)
    return Window(asked.start or 0, end, length, skip, faults.rest_forming)


def _with_holes(history: History, faults: Faults) -> History:
    missing = range(faults.rest_missing_from, faults.rest_missing_to)
    bars = [bar for bar in history.bars if bar.t not in missing]
    return history._replace(bars=[] if faults.rest_empty else bars)


def _success(asked: Asked, history: History, faults: Faults) -> dict[str, Any]:
    info = {
        "server_time": int(asked.at),
        "credit_count": math.ceil(len(history.bars) / _CREDIT),
        "ticker": asked.symbol,
        "period": asked.period,
        "meta": {"pricescale": 10**history.digits, "minmov": 1},
    }
    response = _response(history.bars, asked, faults)
    return {
        **{"status": True, "code": 200, "msg": "Successfully"},
        **{"response": response, "info": info},
    }


def _response(bars: list[Bar], asked: Asked, faults: Faults) -> Any:
    if faults.rest_order == "descending":
        bars = bars[::-1]
    elif faults.rest_order == "shuffled":
        bars = Random(asked.page).sample(bars, len(bars))
    is_array = asked.is_array if faults.rest_form == "asked" else faults.rest_form == "array"
    candles: Any = [list(bar) for bar in bars]
    if not is_array and bars:  # an empty array, because servers in PHP write one
        candles = {str(bar.t): {**bar._asdict(), "tm": _text(bar.t)} for bar in bars}
    return as_strings(candles) if faults.rest_strings else candles


def _text(t: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(t))
