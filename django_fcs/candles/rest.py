"""The client of the vendor's REST API. It blocks, so it belongs into a worker thread.

The key is in the body of a request, so it is in no URL and no log of urllib3. Redirects are
not followed, nothing is sent again, and proxies of the environment are not used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from http.client import HTTPException, HTTPResponse, IncompleteRead
from io import BufferedReader, RawIOBase
from typing import Any, NamedTuple
from urllib.parse import urlencode

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError as Unreached, TimeoutError as TimedOut

from django_fcs import __version__
from django_fcs.prices.symbols import is_metal, market_of
from django_fcs.protocol.address import RestAddress
from django_fcs.rooms import Room
from django_fcs.tools.metrics import count
from django_fcs.values.timeframes import REST_PERIODS

from .answers import ROWS_MAX, SIZE_MAX, Answer, RefusalKind, Refused, read_answer

__all__ = ["RestClient", "Timing"]

#: A certificate of another host may be a ``ValueError``, depending on the version of OpenSSL.
_FAILURES = (HTTPError, HTTPException, OSError, ValueError)

#: How much of an answer is read at once, in bytes.
_PART = 65_536


class Timing(NamedTuple):
    """How long a request may take, in seconds."""

    connect: float = 5.0
    """For TCP at each address of the host, and for TLS."""
    read: float = 10.0
    """Between two pieces of the answer."""
    total: float = 30.0
    """For the whole answer, however many pieces it has."""


_USUAL = Timing()


class RestClient:
    """Asks the vendor for history; each request has a connection of its own.

    Args:
        key: The site's REST key.
        url: The address of the API, such as ``https://api-v4.fcsapi.com/``.
        timing: The limits of a request.
        clock: Tells the time in unix seconds.

    Raises ``ConfigurationError`` if ``url`` is not an address or the key is empty.
    """

    def __init__(
        self,
        key: str,
        *,
        url: str,
        timing: Timing = _USUAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = RestAddress(url, key)
        self._timing = timing
        self._clock = clock

    def __repr__(self) -> str:
        return f"<RestClient {self._address.place}>"

    def history(
        self, room: Room, *, length: int, start: int | None = None, end: int | None = None
    ) -> Answer:
        """Ask for the last ``length`` candles of a room, 1 to 10,000, or of a part of its time.

        ``start`` and ``end`` are in unix seconds. Blocks for the limits of ``Timing`` at most,
        and while the system looks up the host. Raises ``Refused``.
        """
        if not 1 <= length <= ROWS_MAX:
            raise ValueError(f"length is {length}, not 1 to {ROWS_MAX}")
        count("history_requests")
        answer = self._asked(room, _fields(room, length, start, end))
        if isinstance(answer, Refused):
            count("history_refused")
            raise answer
        if answer.dropped:
            count("history_malformed", answer.dropped)
        return answer

    def _asked(self, room: Room, fields: Mapping[str, object]) -> Answer | Refused:
        """Return an answer, or an error without frames, as they hold the key."""
        path = self._address.path(market_of(room.symbol), "history")
        with closing(self._new_connection()) as connection:
            try:
                connection.connect()
                status, headers, body = self._exchange(connection, path, fields)
            except _FAILURES as error:
                return self._failed(error)
        try:
            return read_answer(
                body,
                status=status,
                headers=headers,
                address=self._address,
                timeframe=room.timeframe,
                now=self._clock(),
            )
        except Refused as refused:
            return refused.with_traceback(None)

    def _new_connection(self) -> HTTPConnection:
        address, seconds = self._address, self._timing.connect
        kind = HTTPSConnection if address.is_encrypted else HTTPConnection
        return kind(address.host, address.port, timeout=seconds)

    def _exchange(
        self, connection: HTTPConnection, path: str, fields: Mapping[str, object]
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {
            "Accept": "application/json",
            "Connection": "close",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": f"django-fcs/{__version__}",
            **self._address.authorization(),
        }
        body = urlencode({"access_key": self._address.key, **fields})
        connection.timeout = self._timing.read
        connection.response_class = partial(_Response, timing=self._timing)  # type: ignore[assignment]
        # A site that debugs its own requests would print the body of ours.
        connection.set_debuglevel(0)
        connection.request("POST", path, body, headers, preload_content=False, decode_content=False)
        with closing(connection.getresponse()) as response:
            return response.status, response.headers, _body_of(response)

    def _failed(self, error: Exception) -> Refused:
        place, cause = self._address.place, error.__cause__ or error
        kind = RefusalKind.UNAVAILABLE
        # To urllib3, a port where nobody listens is a case of a limit of time.
        if isinstance(error, (TimedOut, TimeoutError)) and not isinstance(error, Unreached):
            text = f"{place} did not answer in time"
        elif isinstance(cause, IncompleteRead):
            kind, text = RefusalKind.MALFORMED, f"{place} sent an answer that is cut off"
        else:
            reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
            reason = self._address.without_secrets(reason)
            text = f"cannot reach FCS_REST_URL at {place}: {reason}"
        return Refused(kind, text)


def _body_of(response: Any) -> bytes:
    """Return a body, or the beginning of one that is longer than ``SIZE_MAX``."""
    body = bytearray()
    while len(body) <= SIZE_MAX and (part := response.read(_PART)):
        body += part
    return bytes(body)


def _fields(room: Room, length: int, start: int | None, end: int | None) -> dict[str, object]:
    fields: dict[str, object] = {
        "symbol": room.symbol,
        "period": REST_PERIODS[room.timeframe],
        "length": length,
        "is_chart": 1,
    }
    if is_metal(room.symbol):
        fields["type"] = "commodity"
    if start is not None:
        fields["from"] = start
    if end is not None:
        fields["to"] = end
    return fields


class _Response(HTTPResponse):
    """A response that must be there before a deadline, its head as well as its body.

    The time limit of a socket is that of one piece. A server that sends a byte a second
    would never exceed it.
    """

    def __init__(self, sock: Any, *args: Any, timing: Timing, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_Hurried(self.fp.detach(), sock, timing))


class _Hurried(RawIOBase):
    def __init__(self, raw: RawIOBase, sock: Any, timing: Timing) -> None:
        self._raw = raw
        self._sock = sock
        self._pause_max = timing.read
        self._deadline = time.monotonic() + timing.total

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(left, self._pause_max))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
