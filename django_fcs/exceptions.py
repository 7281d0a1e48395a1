"""Every error of the project, in one tree.

FCSError
 ├── ConfigurationError     a setting, argument or environment is wrong
 ├── RoomError              also a ValueError
 │    ├── BadSymbol         not EXCHANGE:TICKER in upper case
 │    ├── BadTimeframe      not one of the known timeframes
 │    └── BadField          not one of the values a widget can show
 ├── ProtocolError          also a ValueError: a frame that is not FCS v4
 ├── UpstreamError
 │    └── KeyRefused        the vendor does not accept the API key
 └── RecordingError         a recording cannot be read or written

Each message is one line that says what is wrong and what to change.
"""

from __future__ import annotations

__all__ = [
    "BadField",
    "BadSymbol",
    "BadTimeframe",
    "ConfigurationError",
    "FCSError",
    "KeyRefused",
    "ProtocolError",
    "RecordingError",
    "RoomError",
    "UpstreamError",
]


class FCSError(Exception):
    """Root of all errors raised by django_fcs."""


class ConfigurationError(FCSError):
    """A setting, argument or environment is wrong."""


class RoomError(FCSError, ValueError):
    """A symbol or timeframe that names no room."""


class BadSymbol(RoomError):
    """Not ``EXCHANGE:TICKER`` in upper case."""


class BadTimeframe(RoomError):
    """Not one of the known timeframes."""


class BadField(RoomError):
    """Not one of the values a widget can show."""


class ProtocolError(FCSError, ValueError):
    """A frame that is not FCS v4."""


class UpstreamError(FCSError):
    """The vendor's socket failed."""

    public = "no connection to the feed"
    """What visitors may know of it."""


class KeyRefused(UpstreamError):
    """The vendor does not accept the API key."""

    public = "the feed does not let this site in"


class RecordingError(FCSError):
    """A recording cannot be read or written."""
