"""Many quotes at once: in Python, in JSON, and on a page with many widgets."""

from __future__ import annotations

import dataclasses
import json
import time
from functools import partial
from typing import Any

import pytest
from django.template import Context, Template
from django.test import override_settings

from django_fcs import quotes, site
from django_fcs.exceptions import BadSymbol, BadTimeframe
from django_fcs.prices.minutes import KEPT, Minutes, minute_of
from django_fcs.prices.recent import COPY_SECONDS, RecentValues
from django_fcs.prices.states import State
from django_fcs.prices.store import LastValue
from django_fcs.protocol import Price, serialise
from django_fcs.quotes import Quote, aget_quote, aget_quotes, get_quote, get_quotes
from django_fcs.rooms import Room
from django_fcs.testing import push_price
from tests.support.caches import BEAT, SickCache
from tests.widgets.test_html import a_quote

pytestmark = pytest.mark.versions

SYMBOLS = [f"FX:PAIR{number}" for number in range(60)]
PAGE = "{% load fcs %}{% for symbol in symbols %}{% fcs_ticker symbol %}{% endfor %}"


@pytest.fixture
def many_processes(shared_layer: object, cache: type[SickCache]) -> type[SickCache]:
    """A site of many processes, whose cache counts its calls."""
    return cache


def page(symbols: list[str] = SYMBOLS) -> str:
    return Template(PAGE).render(Context({"symbols": symbols}))


class Now:
    """A clock that only moves when it is told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    now = Now()
    monkeypatch.setattr(site, "RecentValues", partial(RecentValues, monotonic=now))
    return now


# -- in Python


async def test_many_quotes_cost_one_read(many_processes: type[SickCache]) -> None:
    for symbol in SYMBOLS[:3]:
        await push_price(symbol, close=1.5)
    many_processes.calls.clear()

    found = get_quotes(SYMBOLS)
    again = await aget_quotes(SYMBOLS)

    assert many_processes.calls == ["get_many", "get_many"]
    assert list(found) == list(again) == SYMBOLS
    assert [quote.close for quote in found.values() if quote] == [1.5] * 3
    assert [quote and quote.room.symbol for quote in again.values()] == [
        *SYMBOLS[:3],
        *[None] * 57,
    ]


async def test_the_timeframe_is_that_of_all_symbols_and_a_room_has_its_own() -> None:
    await push_price("FX:EURUSD_60", close=1.5)
    await push_price("FX:EURUSD_240", close=1.6)
    room = Room("FX:EURUSD", "240")

    assert _closes(get_quotes(["FX:EURUSD", "FX:USDJPY"], "1h")) == {
        "FX:EURUSD": 1.5,
        "FX:USDJPY": None,
    }
    assert _closes(get_quotes([room])) == {room: 1.6}
    assert _closes(get_quotes("FX:EURUSD", "60")) == {"FX:EURUSD": 1.5}
    assert _closes(await aget_quotes(iter(["FX:EURUSD"]), "4h")) == {"FX:EURUSD": 1.6}
    assert get_quotes([]) == {}


def _closes(found: dict[Any, Quote | None]) -> dict[Any, float | None]:
    return {key: quote.close if quote else None for key, quote in found.items()}


async def test_a_wrong_symbol_among_many_is_named() -> None:
    for symbols in (["FX:EURUSD", "eurusd"], [None], [["FX:EURUSD"]]):
        with pytest.raises(BadSymbol, match="symbol "):
            get_quotes(symbols)  # type: ignore[type-var]
    with pytest.raises(BadTimeframe, match="'2h'"):
        await aget_quotes(["FX:EURUSD"], "2h")


async def test_a_dead_cache_is_no_error(many_processes: type[SickCache]) -> None:
    many_processes.error = ConnectionError("refused")

    assert get_quotes(SYMBOLS[:2]) == await aget_quotes(SYMBOLS[:2]) == dict.fromkeys(SYMBOLS[:2])


@override_settings(CHANNEL_LAYERS={})
async def test_a_site_without_a_channel_layer_has_none() -> None:
    assert get_quotes(["FX:EURUSD"]) == await aget_quotes(["FX:EURUSD"]) == {"FX:EURUSD": None}


async def test_the_last_hour_comes_with_the_price(many_processes: type[SickCache]) -> None:
    await push_price("FX:EURUSD", close=1.5)
    room, last = Room.parse("FX:EURUSD"), minute_of(time.time()) - 2
    minutes = Minutes(last, (1.1, None, 1.2))
    await site.site_store().asave({}, BEAT, None, {room: minutes})
    many_processes.calls.clear()

    quote = get_quote("FX:EURUSD")
    again = await aget_quote("FX:EURUSD")
    shown = quotes.quote_to_show(room)

    assert many_processes.calls == ["get_many"] * 3
    for one in (quote, again, shown):
        assert one is not None
        assert len(one.recent) == KEPT
        assert [close for close in one.recent if close] == [1.1, 1.2]


async def test_a_price_without_an_hour_has_none() -> None:
    await push_price("FX:EURUSD", close=1.5)

    quote = get_quote("FX:EURUSD")
    assert quote is not None and quote.recent == ()


# -- in JSON


def test_a_quote_becomes_strict_json() -> None:
    quote = a_quote(until=1766411400, state=State.CLOSED, recent=(1.08, None, 1.09))

    assert json.loads(json.dumps(quote.as_dict(), allow_nan=False)) == {
        **{"symbol": "FX:EURUSD", "timeframe": "1D", "state": "closed", "direction": "up"},
        "name": "Euro / US dollar",
        **{"open": 1.08181, "high": 1.08455, "low": 1.08102, "close": 1.08412},
        **{"volume": 8192.7, "ask": 1.08416, "bid": 1.08408, "previous_close": 1.08181},
        **{"change": 0.00231, "change_percent": 0.2135, "spread": 0.00008, "digits": 5},
        **{"t": 1766361600, "updated": "2025-12-22T13:50:26Z", "at": 1766411426.0, "age": 1.0},
        **{"delay": None, "until": 1766411400, "recent": [1.08, None, 1.09]},
    }


def test_every_field_of_a_quote_is_in_its_json() -> None:
    names = {field.name for field in dataclasses.fields(Quote)} - {"room"}

    assert set(a_quote().as_dict()) == names | {"symbol", "timeframe", "name", "direction"}


@pytest.mark.parametrize("name", quotes._PLAIN_FIELDS)
def test_what_json_does_not_have_is_null(name: str) -> None:
    for value in (float("nan"), float("inf"), float("-inf"), 10**5000, -(10**5000), 2**53):
        odd: dict[str, Any] = {name: value}
        found = a_quote(**odd)

        assert found.as_dict()[name] is None
        json.dumps(found.as_dict(), allow_nan=False)


# -- on a page


async def test_sixty_tickers_ask_the_cache_once(many_processes: type[SickCache], now: Now) -> None:
    first = page()
    assert many_processes.calls == ["get_many"] * 60
    many_processes.calls.clear()

    assert page() == first
    assert many_processes.calls == []
    now.seconds += COPY_SECONDS
    assert page() == first
    assert many_processes.calls == ["get_many"]


async def test_plain_values_share_the_read_of_the_widgets(
    many_processes: type[SickCache], now: Now
) -> None:
    for symbol in SYMBOLS[:3]:
        await push_price(symbol, close=1.5)
    plain = "{% fcs_quote symbol as q %}{{ q.close|fcs_number:q }},{% endfor %}"
    template = Template(PAGE.replace("{% endfor %}", plain))
    template.render(Context({"symbols": SYMBOLS}))
    many_processes.calls.clear()
    now.seconds += COPY_SECONDS

    html = template.render(Context({"symbols": SYMBOLS}))

    assert many_processes.calls == ["get_many"]
    assert (html.count("1.5,"), html.count("–,")) == (3, 57)


async def test_a_page_of_a_dead_cache_costs_one_read_and_no_error(
    many_processes: type[SickCache], now: Now
) -> None:
    page()
    now.seconds += COPY_SECONDS
    many_processes.calls.clear()
    many_processes.error = ConnectionError("refused")

    assert page().count('data-state="waiting"') == 60
    # The second call tells an entry that cannot be read from a cache that does not work.
    assert many_processes.calls == ["get_many", "get"]


async def test_a_pushed_price_is_on_the_next_page(many_processes: type[SickCache]) -> None:
    page(["FX:EURUSD"])

    for close in (1.5, 1.6):
        await push_price("FX:EURUSD", close=close)
        assert f'data-field="close">{close}' in page(["FX:EURUSD"])


async def test_a_page_reads_the_cache_that_the_settings_name(
    many_processes: type[SickCache], tmp_path: Any
) -> None:
    await push_price("FX:EURUSD", close=1.5)
    shown = 'data-field="close">1.5'
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    other = {"BACKEND": backend, "LOCATION": tmp_path}
    sick = {"BACKEND": "tests.support.caches.SickCache"}

    assert shown in page(["FX:EURUSD"])
    with override_settings(CACHES={"default": other}):
        assert shown not in page(["FX:EURUSD"])
    assert shown in page(["FX:EURUSD"])
    with override_settings(CACHES={"default": sick, "other": other}, FCS_CACHE="other"):
        assert shown not in page(["FX:EURUSD"])
    assert shown in page(["FX:EURUSD"])


async def test_in_one_process_a_page_has_the_newest_price() -> None:
    room = Room("FX:EURUSD", "1D")
    for close in (1.5, 1.6):
        price = Price(
            symbol=room.symbol, timeframe="1D", mode="candle", c=close, digits=1, at=1.0, seq=1
        )
        site.site_store().save({room: LastValue(serialise(price))}, BEAT)
        assert f'data-field="close">{close}' in page(["FX:EURUSD"])
