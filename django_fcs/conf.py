"""The ``FCS_*`` settings with types and defaults, read from Django at each access."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from django.conf import ENVIRONMENT_VARIABLE, settings

__all__ = ["ListSetting", "Setting", "Settings", "conf"]

T = TypeVar("T")


class Setting(Generic[T]):
    """One ``FCS_*`` setting: the site's value, or the default."""

    def __init__(self, default: T) -> None:
        self.default = default

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Setting[T]: ...

    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...

    def __get__(self, instance: object | None, owner: type[Any]) -> Setting[T] | T:
        if instance is None:
            return self
        if not settings.configured and not os.environ.get(ENVIRONMENT_VARIABLE):
            return self.default  # The feed also works without a Django site.
        value: T = getattr(settings, self.name, self.default)
        return value


class ListSetting(Setting[T]):
    """A setting that is a list of strings; a single string counts as a list of one.

    Read letter by letter, ``"FX:*"`` would contain ``"*"``, which allows everything.
    """

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Setting[T]: ...

    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...

    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        """Return the site's value, a single string as a list of one."""
        value = super().__get__(instance, owner)
        return [value] if isinstance(value, str) else value


class Settings:
    """All settings. ``docs/settings.md`` explains them; the names contain the units."""

    # Upstream
    FCS_API_KEY = Setting[str]("")
    FCS_URL = Setting[str]("wss://ws-v4.fcsapi.com/ws")
    FCS_ROOMS = ListSetting[Sequence[str]](())
    FCS_TIMEFRAME = Setting[str]("1D")
    FCS_MAX_ROOMS = Setting[int](1000)
    FCS_LINGER_SECONDS = Setting[float](30)
    FCS_LEASE_SECONDS = Setting[float](3)

    # Permissions
    FCS_ALLOWED_SYMBOLS = ListSetting[Sequence[str]](())
    FCS_AUTHORIZE = Setting["str | None"](None)
    FCS_ALLOWED_ORIGINS = ListSetting["Sequence[str] | None"](None)
    FCS_TOKEN_MAX_AGE_SECONDS = Setting["int | None"](None)

    # Limits on browsers
    FCS_MAX_ROOMS_PER_CLIENT = Setting[int](1000)
    FCS_MAX_SOCKETS_PER_IP = Setting[int](0)
    FCS_MAX_FRAMES_PER_SECOND = Setting[float](10)
    FCS_SLOW_CLIENT_SECONDS = Setting[float](30)

    # Channel layer, cache and address
    FCS_CHANNEL_LAYER = Setting[str]("default")
    FCS_CACHE = Setting[str]("default")
    FCS_SITE = Setting["str | None"](None)
    FCS_SOCKET_URL = Setting[str]("/ws/fcs/")

    # Age and decimals of prices
    FCS_STALE_AFTER_SECONDS = Setting[float](60)
    FCS_OFFLINE_AFTER_SECONDS = Setting[float](10)
    FCS_DIGITS = Setting[Mapping[str, int]]({})


conf = Settings()
