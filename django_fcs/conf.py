"""The ``FCS_*`` settings: type, range, default and meaning of each, in one place.

They are read from Django at each access. The checks, the table in ``docs/settings.md``
and the reading of environment variables follow from what is declared here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Generic, TypeVar, overload

from django.conf import ENVIRONMENT_VARIABLE, settings
from django.core.exceptions import ImproperlyConfigured

from .exceptions import ConfigurationError
from .values.kinds import (
    Counts,
    Kind,
    Link,
    Mark,
    Names,
    Number,
    OrNone,
    Text,
    Texts,
    Timeframe,
    Whole,
    Word,
    shown,
)

__all__ = ["Setting", "Settings", "conf"]

T = TypeVar("T")

_DAY = 86_400
_YEAR = 365 * _DAY
_MILLION = 1_000_000


class Setting(Generic[T]):
    """One ``FCS_*`` setting: the site's value, or the default.

    Args:
        kind: Its type and range.
        default: The value of a site that sets nothing.
        meaning: What it is for; ``docs/settings.md`` begins with these words and says more.
        secret: No message shows the value.
    """

    def __init__(self, kind: Kind[T], default: T, meaning: str, *, secret: bool = False) -> None:
        self.kind = kind
        self.default = default
        self.meaning = meaning
        self._secret = secret

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Setting[T]: ...

    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...

    def __get__(self, instance: object | None, owner: type[Any]) -> Setting[T] | T:
        """Return the site's value in the setting's own type. Raises ``ConfigurationError``."""
        if instance is None:
            return self
        try:
            value = getattr(settings, self.name, self.default)
        except ImproperlyConfigured:
            if settings.configured or os.environ.get(ENVIRONMENT_VARIABLE):
                raise
            return self.default  # The feed also works without a Django site.
        return self.default if value is self.default else self.read(value)

    def read(self, value: object) -> T:
        """Return a value in the setting's own type. Raises ``ConfigurationError``."""
        try:
            return self.kind.read(value)
        except Exception:  # A lazy string may raise anything.
            raise ConfigurationError(self._objection(value)) from None

    def _objection(self, value: object) -> str:
        text = f"{self.name} must be {self.kind.expects}"
        return text if self._secret else f"{text}, not {shown(value)}"


class Settings:
    """All settings; the names contain the units."""

    # Upstream
    FCS_API_KEY = Setting(Text(), "", "your FCS socket key", secret=True)
    FCS_URL = Setting(
        Word(), "wss://ws-v4.fcsapi.com/ws", "the address of the vendor's socket", secret=True
    )
    FCS_ROOMS = Setting(Texts(), [], "rooms that are always joined, even if nobody watches them")
    FCS_TIMEFRAME = Setting(Timeframe(), "1D", "the timeframe if none is given")
    FCS_MAX_ROOMS = Setting(
        Whole(1, _MILLION), 1000, "the maximum number of rooms that are joined at the vendor"
    )
    FCS_LINGER_SECONDS = Setting(
        Number(0, _YEAR),
        30,
        "how long a room stays joined at the vendor after its last viewer has left",
    )
    FCS_LEASE_SECONDS = Setting(
        Number(0.5, 3600), 3, "the duration of the lease that makes one stream the leader"
    )

    # History
    FCS_REST_KEY = Setting(Text(), "", "your FCS REST key, for history", secret=True)
    FCS_REST_URL = Setting(
        Word(), "https://api-v4.fcsapi.com/", "the address of the vendor's REST API", secret=True
    )
    FCS_REST_REQUESTS_PER_MINUTE = Setting(
        Whole(1, 1000), 3, "the maximum number of requests for history in a minute"
    )
    FCS_REST_CREDITS_PER_MONTH = Setting(
        Whole(1, 1000 * _MILLION), 500, "the maximum number of credits for history in a month"
    )
    FCS_CANDLES = Setting(
        Whole(1, 10_000), 600, "the maximum number of finished candles that are kept of a room"
    )
    FCS_SAVE_CANDLES = Setting(
        Texts(), [], 'patterns (`"FX:*"`) of rooms whose candles are saved in the database'
    )

    # Permissions
    FCS_ALLOWED_SYMBOLS = Setting(
        Texts(), [], 'patterns (`"FX:*"`) of symbols that any client may join without a token'
    )
    FCS_AUTHORIZE = Setting(
        OrNone(Text()), None, "the dotted path of a function `(scope, room) -> bool`"
    )
    FCS_REAUTHORIZE_SECONDS = Setting(
        Number(0.1, _YEAR), 300, "after this time, `FCS_AUTHORIZE` is asked again for joined rooms"
    )
    FCS_AUTHORIZE_TIMEOUT_SECONDS = Setting(
        Number(0.1, 3600), 10, "how long a call of `FCS_AUTHORIZE` may take"
    )
    FCS_ALLOWED_ORIGINS = Setting(
        OrNone(Texts()),
        None,
        'origins (`"https://app.example.com"`) whose pages may open the socket, in addition to '
        "the host itself",
    )
    FCS_TOKEN_MAX_AGE_SECONDS = Setting(
        OrNone(Whole(1, _YEAR)), None, "how long a token signed by a tag is valid"
    )

    # Limits on browsers
    FCS_MAX_ROOMS_PER_CLIENT = Setting(
        Whole(1, _MILLION), 300, "the maximum number of rooms per socket"
    )
    FCS_MAX_SOCKETS_PER_IP = Setting(
        Whole(0, _MILLION),
        50,
        "the maximum number of sockets from one address, in one process; 0 means no limit",
    )
    FCS_MAX_FRAMES_PER_SECOND = Setting(
        Number(0.1, 1000), 10, "the maximum and the default number of frames a second to a browser"
    )
    FCS_SLOW_CLIENT_SECONDS = Setting(
        Number(0.1, _DAY),
        30,
        "how long a browser may take no data before its socket is closed with 4408",
    )

    # Channel layer, cache and address
    FCS_CHANNEL_LAYER = Setting(Text(), "default", "an alias in `CHANNEL_LAYERS`")
    FCS_CACHE = Setting(Text(), "default", "an alias in `CACHES`")
    FCS_SITE = Setting(
        OrNone(Mark()),
        None,
        "the mark of this site in all that it shares at Redis and in the cache",
    )
    FCS_SOCKET_URL = Setting(Link(), "/ws/fcs/", "the address at which pages open the socket")

    # Age, decimals and names of prices
    FCS_STALE_AFTER_SECONDS = Setting(
        Number(0.1, _YEAR), 60, "the shortest silence after which a price is shown as stale"
    )
    FCS_OFFLINE_AFTER_SECONDS = Setting(
        Number(0.1, _DAY),
        10,
        "rooms are shown as offline after this time without a heartbeat from the stream",
    )
    FCS_DIGITS = Setting[dict[str, int]](
        Counts(Whole(0, 10)), {}, "the number of decimals for symbols that match a pattern"
    )
    FCS_NAMES = Setting[dict[str, str]](Names(), {}, "the names of instruments on pages, by symbol")

    @classmethod
    def declared(cls) -> dict[str, Setting[Any]]:
        """Return all settings by name, in the order of the table in the documents."""
        return {name: item for name, item in vars(cls).items() if isinstance(item, Setting)}

    def errors(self) -> Iterator[tuple[Setting[Any], ConfigurationError]]:
        """Yield each setting whose value cannot be used, with what is wrong."""
        for name, setting in self.declared().items():
            try:
                getattr(self, name)
            except ConfigurationError as error:
                yield setting, error

    def validate(self) -> None:
        """Raise the first ``ConfigurationError`` of ``errors``, if there is one."""
        for _, error in self.errors():
            raise error


conf = Settings()
