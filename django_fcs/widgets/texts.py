"""The words of the widgets, in the active language."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.autoreload import file_changed
from django.utils.functional import Promise
from django.utils.translation import get_language, override, pgettext_lazy

from .spared import spared

__all__ = ["texts", "translations"]


#: By their names in the templates.
_TEXTS: dict[str, str | Promise] = {
    "live": pgettext_lazy("price", "live"),
    "waiting": pgettext_lazy("price", "waiting"),
    "closed": pgettext_lazy("price", "closed"),
    "opens": pgettext_lazy("price", "closed · opens {n}"),
    "offline": pgettext_lazy("price", "offline"),
    "reload": pgettext_lazy("price", "offline · reload the page"),
    "reconnecting": pgettext_lazy("price", "reconnecting in {n} s"),
    "markets": pgettext_lazy("price", "markets closed"),
    "stale": pgettext_lazy("price", "stale"),
    "delayed": pgettext_lazy("price", "{n} min delayed"),
    "seconds": pgettext_lazy("price", "{n} s old"),
    "minutes": pgettext_lazy("price", "{n} min old"),
    "hours": pgettext_lazy("price", "{n} h old"),
    "days": pgettext_lazy("price", "{n} d old"),
    "nodata": pgettext_lazy("price", "No data for {n}"),
    "pips": pgettext_lazy("price", "{n} pips"),
    "bid": pgettext_lazy("price", "Bid"),
    "ask": pgettext_lazy("price", "Ask"),
    "open": pgettext_lazy("price", "Open"),
    "high": pgettext_lazy("price", "High"),
    "low": pgettext_lazy("price", "Low"),
    "spread": pgettext_lazy("price", "Spread"),
    "volume": pgettext_lazy("price", "Volume"),
    "amount": pgettext_lazy("price", "Enter an amount such as {n}"),
    "pause": pgettext_lazy("price", "Pause"),
    "up": pgettext_lazy("price", "Up"),
    "down": pgettext_lazy("price", "Down"),
    "of": pgettext_lazy("price", "of {n}"),
    "left_out": pgettext_lazy("price", "{n} left out: price old or unknown"),
    "market_open": pgettext_lazy("price", "open"),
    "filter": pgettext_lazy("price", "Filter"),
    "nothing": pgettext_lazy("price", "Nothing called {n} here"),
    "chart_o": pgettext_lazy("chart", "O"),
    "chart_h": pgettext_lazy("chart", "H"),
    "chart_l": pgettext_lazy("chart", "L"),
    "chart_c": pgettext_lazy("chart", "C"),
    "chart_v": pgettext_lazy("chart", "Vol"),
    "close": pgettext_lazy("chart", "Close"),
    "last": pgettext_lazy("chart", "Last"),
    "time": pgettext_lazy("chart", "Time"),
    "candles": pgettext_lazy("chart", "Candles"),
    "bars": pgettext_lazy("chart", "Bars"),
    "line": pgettext_lazy("chart", "Line"),
    "area": pgettext_lazy("chart", "Area"),
    "timeframe": pgettext_lazy("chart", "Timeframe"),
    "chart_type": pgettext_lazy("chart", "Type"),
    "full_screen": pgettext_lazy("chart", "Full screen"),
    "bars_table": pgettext_lazy("chart", "Bars as a table"),
    "previous_close": pgettext_lazy("chart", "Previous close"),
    "day_high": pgettext_lazy("chart", "High of the day"),
    "day_low": pgettext_lazy("chart", "Low of the day"),
    "before_hours": pgettext_lazy("chart", "Before hours"),
    "after_hours": pgettext_lazy("chart", "After hours"),
    "no_data": pgettext_lazy("chart", "no data"),
    "repaired": pgettext_lazy("chart", "repaired"),
    "loading": pgettext_lazy("chart", "Loading older bars"),
    "no_history": pgettext_lazy("chart", "No history before {n}"),
    "first_bar": pgettext_lazy("chart", "First bar at {n}"),
    "last_price": pgettext_lazy("chart", "last price {n}"),
    "up_percent": pgettext_lazy("chart", "up {n} percent"),
    "down_percent": pgettext_lazy("chart", "down {n} percent"),
    "unchanged": pgettext_lazy("chart", "unchanged"),
    "bar_count": pgettext_lazy("chart", "Bars: {n}"),
    "in_view": pgettext_lazy("chart", "In view"),
    "arrows": pgettext_lazy("chart", "Arrows read the bars, question mark for help"),
    "key_bar": pgettext_lazy("chart", "previous, next bar"),
    "key_ten": pgettext_lazy("chart", "ten bars"),
    "key_ends": pgettext_lazy("chart", "first, newest bar"),
    "key_values": pgettext_lazy("chart", "price, volume, day, lines"),
    "key_zoom": pgettext_lazy("chart", "nearer, farther, as it was"),
    "key_summary": pgettext_lazy("chart", "summary of what is in view"),
    "key_help": pgettext_lazy("chart", "these keys"),
    "key_back": pgettext_lazy("chart", "cursor away, back to now"),
}


class _Texts(Mapping[str, str]):
    """The words by name, each translated when it is asked for: a card writes two of them."""

    def __getitem__(self, name: str) -> str:
        return _word(name, get_language())

    def __iter__(self) -> Iterator[str]:
        return iter(_TEXTS)

    def __len__(self) -> int:
        return len(_TEXTS)


# Pages show the same words, and asking the catalog for them takes a tenth of the time of a card.
@functools.lru_cache(maxsize=1024)
def _word(name: str, language: str | None) -> str:
    return spared(str(_TEXTS[name]))


@receiver([setting_changed, file_changed])
def _forget(**kwargs: object) -> None:
    """Read the catalogs again: a test has overridden a setting, or a developer compiled one."""
    _word.cache_clear()


_texts = _Texts()


def texts() -> Mapping[str, str]:
    """Return the words that server and script both write, by their names in the templates."""
    return _texts


def translations() -> dict[str, str]:
    """Return the words that are not the English ones of the script, by those."""
    own = dict(texts())
    with override(None):
        english = dict(texts())
    return {english[name]: words for name, words in own.items() if words != english[name]}
