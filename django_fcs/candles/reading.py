"""Where this site keeps candles, and reading them: nothing here waits for the vendor."""

from __future__ import annotations

import time
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.core.signals import setting_changed
from django.dispatch import receiver

from django_fcs.conf import Settings, conf
from django_fcs.exceptions import ConfigurationError
from django_fcs.layer.bus import layer_is_in_memory
from django_fcs.prices.sessions import Markets
from django_fcs.rooms import Room
from django_fcs.site import note_mistake, room_to_show, setting_to_show, site_store

from .bars import Bar
from .live import live_bars
from .pages import Page
from .patterns import matches
from .ranges import LIMIT, Range
from .saved import SavedCandles
from .stores import CachedCandles, CandleStore, MemoryCandles, Stored
from .values import Candles

__all__ = ["aget_candles", "candle_store", "forget_candles", "get_candles"]

_memory = MemoryCandles()
_caches: dict[str, CachedCandles] = {}
_saved = SavedCandles()
_markets = Markets()

#: What people are told if candles could not be read.
_NO_CACHE = "the cache with the newest candles does not answer"
_NO_DATABASE = "the database with older candles does not answer"


def candle_store() -> CandleStore:
    """Return the store of this site's candles. Raises ``ConfigurationError``."""
    _ = conf.FCS_SITE  # A wrong one raises here.
    if layer_is_in_memory():
        return _memory
    alias = conf.FCS_CACHE
    if alias not in _caches:
        _caches[alias] = CachedCandles(alias)
    return _caches[alias]


def forget_candles() -> None:
    """Forget all candles that this process keeps in memory."""
    _memory.clear()


def get_candles(
    symbol: str | Room,
    timeframe: str | None = None,
    *,
    limit: int = LIMIT,
    before: int | None = None,
) -> Candles:
    """Return the newest ``limit`` candles of a room that open before ``before``.

    The last one may be forming. ``before`` is in unix seconds; ``None`` means up to now. A
    ``Room`` has its own timeframe. What the site has is returned at once: nothing is asked of
    the vendor.

    Raises ``BadSymbol``, ``BadTimeframe``, or ``BadRange`` for numbers that cannot be used,
    never an error of the cache, of the database or of a setting: that is logged once an hour.
    Raises ``SynchronousOnlyOperation`` in async code, as Django does, if it has to read the
    database: use ``aget_candles`` there.
    """
    room, wanted = _asked(symbol, timeframe), Range.read(limit, before)
    try:
        store = candle_store()
        stored = store.see(room) if isinstance(store, CachedCandles) else _of_memory(room)
    except ConfigurationError as error:
        return _unreadable(room, error)
    page = _page(room, wanted, stored)
    if page.lacking and _saved.is_installed():
        older = _load(room, page)
        trouble = _NO_DATABASE if _saved.failure else ""
        page.put_older(older, _markets.hours(room.symbol), trouble=trouble)
    return _whole(page, room)


async def aget_candles(
    symbol: str | Room,
    timeframe: str | None = None,
    *,
    limit: int = LIMIT,
    before: int | None = None,
) -> Candles:
    """Return what ``get_candles`` returns, without blocking the event loop."""
    room, wanted = _asked(symbol, timeframe), Range.read(limit, before)
    try:
        store = candle_store()
        stored = await store.asee(room) if isinstance(store, CachedCandles) else _of_memory(room)
    except ConfigurationError as error:
        return _unreadable(room, error)
    page = _page(room, wanted, stored)
    if page.lacking and _saved.is_installed():
        older = await _saved.aload(room, before=page.begins, limit=page.lacking)
        trouble = _NO_DATABASE if _saved.failure else ""
        page.put_older(older, _markets.hours(room.symbol), trouble=trouble)
    return _whole(page, room)


def _load(room: Room, page: Page) -> list[Bar]:
    try:
        return _saved.load(room, before=page.begins, limit=page.lacking)
    except SynchronousOnlyOperation:
        raise SynchronousOnlyOperation(
            "get_candles reads the database: use await aget_candles(…) in async code"
        ) from None


def _asked(symbol: str | Room, timeframe: str | None) -> Room:
    if isinstance(symbol, Room):
        return Room.parse(symbol.symbol, symbol.timeframe)  # A site may have made it by itself.
    return room_to_show(symbol, timeframe)


def _of_memory(room: Room) -> Stored:
    """Read both stores of a site in one process."""
    values, _ = site_store().load([room])
    return Stored(_memory.load([room]).get(room), values.get(room))


def _page(room: Room, wanted: Range, stored: Stored | None) -> Page:
    kept, value = stored or (None, None)
    now = time.time() - site_store().offset.seconds
    live = [] if value is None else live_bars(room, value, now)
    keep = setting_to_show(Settings.FCS_CANDLES)
    return Page(room, wanted, kept, live, keep=keep, trouble="" if stored else _NO_CACHE)


def _whole(page: Page, room: Room) -> Candles:
    patterns = setting_to_show(Settings.FCS_SAVE_CANDLES)
    return page.candles(
        is_fetched=bool(setting_to_show(Settings.FCS_REST_KEY)),
        is_saved=_saved.is_installed() and matches(room, patterns),
    )


def _unreadable(room: Room, error: ConfigurationError) -> Candles:
    note_mistake(error)
    return Candles(room, note=error.public)


@receiver(setting_changed)
def _obey(*, setting: str, **kwargs: Any) -> None:
    """Keep no cache that was made for other settings, as tests override them."""
    if setting == "CACHES":
        _caches.clear()
