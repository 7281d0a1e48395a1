"""Where this site keeps last values and serves its socket, and whether this process streams."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.urls import get_script_prefix

from .conf import Setting, Settings, conf
from .exceptions import ConfigurationError
from .layer.bus import layer_is_in_memory
from .prices.names import name_of
from .prices.recent import RecentValues, SeenRoom
from .prices.store import CacheStore, MemoryStore, Store
from .rooms import Room
from .tools.complaints import Complaints
from .tools.logs import logger_of

__all__ = [
    "forget_copies",
    "forget_prices",
    "is_idle",
    "name_to_show",
    "note_mistake",
    "room_to_show",
    "setting_to_show",
    "site_store",
    "socket_url",
    "streams",
    "timeframe_to_show",
    "value_to_show",
]

logger = logger_of(__name__)
_complaints = Complaints()

T = TypeVar("T")

_memory = MemoryStore()
_caches: dict[str, CacheStore] = {}
_recent: RecentValues | None = None

#: The stream of each event loop of this process; ``embedded`` starts and stops them.
streams: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}

_inherited: list[dict[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []


def site_store() -> Store:
    """Return the store of this site's last values. Raises ``ConfigurationError``."""
    _ = conf.FCS_SITE  # A wrong one raises here; making a mark takes longer, for each widget.
    if layer_is_in_memory():
        return _memory
    alias = conf.FCS_CACHE
    if alias not in _caches:
        _caches[alias] = CacheStore(alias)
    return _caches[alias]


def note_mistake(error: ConfigurationError) -> None:
    """Log once an hour what is wrong with the site; its pages appear all the same."""
    if _complaints.is_new("", str(error)):
        logger.error("pages are shown as well as the settings allow reason=%s", error)


def setting_to_show(setting: Setting[T]) -> T:
    """Return the value of a setting for a page: the default if the site's is wrong."""
    try:
        return setting.__get__(conf, Settings)
    except ConfigurationError as error:
        note_mistake(error)
        return setting.default


def room_to_show(symbol: str, timeframe: str | None = None) -> Room:
    """Return a room for a page. Raises ``BadSymbol`` or ``BadTimeframe``, nothing else."""
    return Room.parse(symbol, timeframe_to_show(timeframe))


def timeframe_to_show(timeframe: str | None) -> str:
    """Return a timeframe for a page; ``None`` is that of the site."""
    return setting_to_show(Settings.FCS_TIMEFRAME) if timeframe is None else timeframe


def name_to_show(symbol: str) -> str:
    """Name an instrument for a page, in the active language.

    The name is that of ``FCS_NAMES``, else that of ``prices.names``.
    """
    given = getattr(settings, Settings.FCS_NAMES.name, {})
    # Only the entry of the symbol is read: a page has many names, and a site may have thousands.
    if isinstance(given, Mapping):
        if symbol not in given:
            return name_of(symbol)
        given = {symbol: given[symbol]}
    try:
        names = Settings.FCS_NAMES.read(given)
    except ConfigurationError as error:
        note_mistake(error)
        names = {}
    return names.get(symbol) or name_of(symbol)


def value_to_show(room: Room, store: Store) -> SeenRoom:
    """Return what is known of a room, for a widget of a page; the stream joins it for a while.

    Values may be a quarter of a second old, so that all widgets of a page ask the cache once.
    """
    global _recent
    store.note_rendered(room)
    if isinstance(store, MemoryStore):
        seen = store.see([room])
        return SeenRoom(seen.values.get(room), seen.path, seen.minutes.get(room))
    recent = _recent
    if recent is None or recent.store is not store:
        recent = _recent = RecentValues(store)
    return recent.read(room)


def socket_url() -> str:
    """Return where pages open the socket: a path follows the site's own path, if it has one.

    That is ``FORCE_SCRIPT_NAME``, or what the server reports for the current request.
    """
    url = setting_to_show(Settings.FCS_SOCKET_URL)
    prefix = (settings.FORCE_SCRIPT_NAME or get_script_prefix()).rstrip("/")
    is_path = url.startswith("/") and not url.startswith("//")
    return prefix + url if is_path and not url.startswith(f"{prefix}/") else url


def forget_copies() -> None:
    """Make the next widget read the cache again."""
    global _recent
    _recent = None


def forget_prices() -> None:
    """Forget all prices that this process keeps in memory."""
    _memory.clear()
    forget_copies()


@receiver(setting_changed)
def _obey(*, setting: str, **kwargs: Any) -> None:
    """Keep nothing that was made for other settings, as tests override them."""
    forget_copies()
    if setting == "CACHES":
        _caches.clear()


def _inherit() -> None:
    """Set the streams of the parent process aside: they do not run in a forked one.

    They are kept, because asyncio complains if a task is deleted before its end.
    """
    _inherited.append(dict(streams))
    streams.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_inherit)


def is_idle() -> bool:
    """Return whether this process would stream by itself, but nobody has joined yet."""
    return layer_is_in_memory() and not streams
