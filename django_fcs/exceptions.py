"""Every error of the project, in one tree.

FCSError
 ├── ConfigurationError     also Django's ImproperlyConfigured: a setting, argument or
 │                          environment is wrong
 ├── RoomError              also a ValueError
 │    ├── BadSymbol         not EXCHANGE:TICKER in upper case
 │    ├── BadTimeframe      not one of the known timeframes
 │    ├── BadField          not one of the values a widget can show
 │    ├── BadOption         a size or an address that a widget cannot have
 │    ├── BadRange          a number or a time that candles cannot be asked for
 │    └── BadRows           not a list of symbols
 ├── ProtocolError          also a ValueError: a frame that is not FCS v4
 ├── UpstreamError          carries kind, place and code
 │    └── KeyRefused        the vendor does not accept the API key
 └── RecordingError         a recording cannot be read or written

Each message is one line that says what is wrong and what to change.
"""

from __future__ import annotations

from enum import Enum

from django.core.exceptions import ImproperlyConfigured

__all__ = [
    "BadField",
    "BadOption",
    "BadRange",
    "BadRows",
    "BadSymbol",
    "BadTimeframe",
    "ConfigurationError",
    "FCSError",
    "FailureKind",
    "KeyRefused",
    "ProtocolError",
    "RecordingError",
    "RoomError",
    "UpstreamError",
]


class FCSError(Exception):
    """Root of all errors raised by django_fcs."""


class ConfigurationError(FCSError, ImproperlyConfigured):
    """A setting, argument or environment is wrong."""

    public = "this site is not set up for prices"
    """What visitors may know of it."""


class RoomError(FCSError, ValueError):
    """A symbol or timeframe that names no room."""


class BadSymbol(RoomError):
    """Not ``EXCHANGE:TICKER`` in upper case."""


class BadTimeframe(RoomError):
    """Not one of the known timeframes."""


class BadField(RoomError):
    """Not one of the values a widget can show."""


class BadOption(RoomError):
    """A size or an address that a widget cannot have."""


class BadRange(RoomError):
    """A number or a time that candles cannot be asked for."""


class BadRows(RoomError):
    """Not a list of symbols."""


class ProtocolError(FCSError, ValueError):
    """A frame that is not FCS v4."""


class FailureKind(Enum):
    """How a connection to the vendor failed."""

    UNREACHABLE = "unreachable"  #: DNS, TCP or TLS failed
    FORBIDDEN = "forbidden"  #: HTTP 403: by the vendor because of the key, or by a proxy
    HTTP_STATUS = "http_status"  #: the server answered the upgrade with an HTTP status
    TIMEOUT = "timeout"  #: the server did not answer in time
    SILENT = "silent"  #: the server stopped answering pings
    CLOSED = "closed"  #: the server closed the connection
    ABANDONED = "abandoned"  #: we closed it, because no price came
    KEY_REFUSED = "key_refused"  #: the vendor does not accept the API key


class UpstreamError(FCSError):
    """The vendor's socket failed.

    Args:
        kind: How it failed.
        place: Host and port.
        code: The HTTP status or the close code, if there is one.
        detail: Further details, without the API key.
        retry_after: For how many seconds the server asked not to connect again.
    """

    public = "no connection to the feed"
    """The reason that visitors are told."""

    def __init__(
        self,
        kind: FailureKind,
        place: str,
        code: int | None = None,
        detail: str = "",
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(kind, place, code, detail, retry_after)
        self.kind = kind
        self.place = place
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.sentence()

    def bare(self) -> UpstreamError:
        """Return the error without frames: they hold the connection, and the key with it."""
        self.__context__ = self.__cause__ = None
        return self.with_traceback(None)

    def sentence(self, address: str = "FCS_URL", key: str = "FCS_API_KEY") -> str:
        """Return the error in one line; ``address`` and ``key`` are the reader's names for them."""
        place, code, detail = self.place, self.code, self.detail
        return {
            FailureKind.UNREACHABLE: f"cannot reach {address} at {place}: {detail}",
            FailureKind.FORBIDDEN: (
                f"{place} answered with HTTP {code} (key or proxy): the server does not accept "
                f"{key}, or a proxy does not let this machine connect{detail}"
            ),
            FailureKind.HTTP_STATUS: f"{place} answered with HTTP {code}{detail}",
            FailureKind.TIMEOUT: f"{place} {detail}",
            FailureKind.SILENT: f"{place} does not answer pings",
            FailureKind.CLOSED: f"{place} closed the connection with code {code}",
            FailureKind.ABANDONED: f"disconnected from {place}: {detail}",
            FailureKind.KEY_REFUSED: f"{place} refused {key}{detail}",
        }[self.kind]


class KeyRefused(UpstreamError):
    """The vendor does not accept the API key."""

    public = "the feed refused access"

    def __init__(self, place: str, code: int | None = None, detail: str = "") -> None:
        super().__init__(FailureKind.KEY_REFUSED, place, code=code, detail=detail)
        self.args = (place, code, detail)


class RecordingError(FCSError):
    """A recording cannot be read or written."""
