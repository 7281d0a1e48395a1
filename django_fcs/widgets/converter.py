"""The converter: an amount in other currencies, in a form that works without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from django_fcs import quotes
from django_fcs.prices.crosses import Leg, decimals_of, from_dollars, leg_of, to_dollars
from django_fcs.prices.names import UNITS
from django_fcs.prices.states import State
from django_fcs.site import room_to_show

from . import formats
from .amounts import as_base, as_prefix, currencies_of, parse, text_of
from .context import option, quoted
from .formats import Notation
from .rendering import render
from .spared import spared
from .texts import texts

__all__ = ["converter"]

_BASE = "EUR"

#: How many characters of a wrong amount the field shows again. More than an amount may have: cut
#: off, it is still wrong.
_SHOWN_MAX = 40

#: From the best to the worst.
_STATES = ("live", "closed", "stale", "offline", "waiting")

#: An amount that shows how the page writes numbers.
_SAMPLE = 1234.5


def converter(
    currencies: object,
    *,
    base: str = _BASE,
    amount: object = "100",
    prefix: str = "",
    request: object = None,
) -> SafeString:
    """Print an amount in other currencies. Raises ``RoomError``.

    What a visitor has typed comes with the query of the request, and is never an error.
    """
    own_base = option(lambda: as_base(base), _BASE)
    names = _names_of(option(lambda: as_prefix(prefix), ""))
    codes = tuple(dict.fromkeys((own_base, *currencies_of(currencies))))
    notation = formats.notation_of_page()
    query = _query_of(request)
    typed = query.get(names["amount"])
    text = typed if isinstance(typed, str) else text_of(amount, notation)
    wanted = query.get(names["base"])
    chosen = wanted if wanted in codes else own_base
    value = parse(text, notation)
    rates = {code: _Rate(code) for code in codes}
    rows = [_row(rates[chosen], rates[code], value, notation) for code in codes]
    sample = formats.number(_SAMPLE, 2, notation)
    context = {
        "names": names,
        "numbers": formats.separators(notation),
        "amount": text[:_SHOWN_MAX],
        "message": "" if value is not None else texts()["amount"].replace("{n}", sample),
        "words": _words(),
        "base": chosen,
        "codes": codes,
        "rows": rows,
        "legs": [rate.context for rate in rates.values() if rate.leg],
    }
    return render("converter", context)


def _words() -> dict[str, str]:
    return {
        "amount": pgettext("price", "Amount"),
        "base": pgettext("price", "Currency"),
        "submit": pgettext("price", "Convert"),
    }


def _names_of(prefix: str) -> dict[str, str]:
    """Return the names of the fields; the message by the amount has an identifier."""
    start = f"{prefix}-" if prefix else ""
    return {
        "amount": f"{start}amount",
        "base": f"{start}base",
        "message": f"fcs-{start}amount-message",
    }


def _query_of(request: object) -> Mapping[str, object]:
    try:
        query = getattr(request, "GET", None)
    except SuspiciousOperation:  # more fields than Django reads
        return {}
    return query if isinstance(query, Mapping) else {}


@dataclass(frozen=True)
class _Rate:
    """What a currency costs."""

    code: str

    @cached_property
    def leg(self) -> Leg | None:
        return leg_of(self.code)

    @cached_property
    def price(self) -> float | None:
        """The last price of the leg; 1 for the dollar itself."""
        if self.leg is None:
            return 1.0
        quote = quotes.quote_to_show(room_to_show(self.leg.symbol, None))
        close = None if quote is None else quote.close
        return float(close) if close is not None and 0 < close < 1e21 else None

    @cached_property
    def context(self) -> dict[str, Any]:
        """The leg as the template prints it, for the script."""
        assert self.leg is not None
        known = quoted(room_to_show(self.leg.symbol, None))
        state = known["state"] if self.price else State.WAITING.value
        own = {
            "pair": self.leg.pair,
            "price": repr(self.price) if self.price else "",
            "symbol": self.leg.symbol,
            "state": state,
        }
        return {**known, **{name: spared(text) for name, text in own.items()}}

    def badness(self) -> tuple[int, int, str]:
        """Return what is larger for a worse leg, but the time, which is smaller."""
        known = self.context
        return _STATES.index(known["state"]), int(known["delay"] or 0), known["updated"]


def _row(base: _Rate, target: _Rate, value: float | None, notation: Notation) -> dict[str, Any]:
    """Return one result, with the state and the time of the worse leg."""
    converted = None
    if value is not None and base.price and target.price:
        dollars = to_dollars(value, base.leg, base.price)
        converted = from_dollars(dollars, target.leg, target.price)
    digits = decimals_of(target.code)
    known = _worse([rate for rate in (base, target) if rate.leg])
    row = {
        "code": target.code,
        "name": str(UNITS[target.code].name),
        "digits": str(digits),
        "amount": formats.number(converted, digits, notation),
        **known,
    }
    shown = {name: spared(text) for name, text in row.items()}
    return {**shown, "is_base": base.code == target.code}


def _worse(rates: list[_Rate]) -> dict[str, str]:
    """Return state, words and time of the worse leg; nothing to say of dollars in dollars."""
    if not rates:
        return {"state": "live", "status": "", "updated": "", "time": ""}
    # Of two with the same state and delay, the older one.
    rates.sort(key=lambda rate: rate.badness()[2])
    known = max(rates, key=lambda rate: rate.badness()[:2]).context
    if known["state"] == State.WAITING.value:
        words = texts()["nodata"].replace("{n}", known["pair"])
        return {"state": known["state"], "status": words, "updated": "", "time": ""}
    time = known["fields"]["updated"]
    return {**{name: known[name] for name in ("state", "status", "updated")}, "time": time}
