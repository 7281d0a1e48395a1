"""Cards in fixed states: no room stands behind them, so that no script changes them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from django_fcs.widgets.attributes import data_of
from django_fcs.widgets.context import current_time, line_of, unit_of
from django_fcs.widgets.figures import Figures, Spans
from django_fcs.widgets.formats import iso, name, notation_of_page
from django_fcs.widgets.shapes import place_in_day
from django_fcs.widgets.texts import texts

__all__ = ["STATES", "Card"]


@dataclass(frozen=True)
class Card:
    """A card as a visitor sees it in a state, and what the state means."""

    symbol: str
    state: State
    meaning: str
    close: float
    change: float
    digits: int
    word: str
    """The name of the state among the texts of the widgets; ``{n}`` is the age."""
    minutes: int = 0
    """The age of the price."""

    @property
    def html(self) -> SafeString:
        """The card with the package's own template, without the attribute ``symbol``."""
        return SafeString(render_to_string("django_fcs/ticker.html", self._context()).strip())

    def _context(self) -> dict[str, Any]:
        now, words = current_time(), texts()
        quote = self._quote(now)
        names = {"symbol": name(self.symbol), "name": quote.name}
        fields = Figures(names, quote, notation_of_page(), now)
        shown = {"shapes": {}, "updated": iso(quote.updated), "exchange_time": ""}
        marks = {"state": self.state.value, "direction": quote.direction or ""}
        return {
            "attributes": SafeString(f'timeframe="1D" {data_of(marks)}'),
            "fields": fields,
            "spans": Spans(fields, shown),
            "texts": words,
            "symbol": self.symbol,
            "unit": unit_of(self.symbol),
            "status": words[self.word].replace("{n}", str(self.minutes)),
            "place": place_in_day(quote),
            "sparkline": line_of(quote.recent, quote.close, quote.change, now=now),
        }

    def _quote(self, now: datetime) -> Quote:
        base = self.close - self.change
        low, high = sorted((base, self.close))
        room = abs(self.change) / 4
        updated = now - timedelta(minutes=self.minutes)
        return Quote(
            room=Room.parse(self.symbol, "1D"),
            open=base,
            high=high + room,
            low=low - room,
            close=self.close,
            volume=None,
            ask=None,
            bid=None,
            previous_close=base,
            change=self.change,
            change_percent=100 * self.change / base,
            spread=None,
            digits=self.digits,
            t=None,
            updated=updated,
            at=updated.timestamp(),
            age=60.0 * self.minutes,
            state=self.state,
            delay=None,
            recent=tuple(self._hour(base)),
        )

    def _hour(self, base: float) -> Iterator[float]:
        for minute in range(60):
            wave = 0.3 * math.sin(minute / 4) + 0.1 * math.sin(minute * 1.7)
            yield base + self.change * (minute / 60 + wave * (1 - minute / 60))


STATES = (
    Card(
        "FX:EURUSD",
        State.LIVE,
        "The price came within the time that its market needs.",
        close=1.08412,
        change=0.00231,
        digits=5,
        word="live",
    ),
    Card(
        "BINANCE:BTCUSDT",
        State.STALE,
        "No price has come for too long. The card says how old its price is.",
        close=89962.61,
        change=-1120.4,
        digits=2,
        minutes=3,
        word="minutes",
    ),
    Card(
        "NASDAQ:AAPL",
        State.CLOSED,
        "The market is closed. The last price stays.",
        close=271.49,
        change=5.24,
        digits=2,
        minutes=600,
        word="closed",
    ),
    Card(
        "FX:USDJPY",
        State.OFFLINE,
        "The page has lost its server. The card keeps the last price and its time.",
        close=154.207,
        change=-0.124,
        digits=3,
        minutes=8,
        word="offline",
    ),
)
