"""What a vendor may send in numbers: through the stream and the store into a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from django_fcs import quotes, widgets
from django_fcs.exceptions import ProtocolError
from django_fcs.prices.paths import PathReport
from django_fcs.prices.sessions import Markets
from django_fcs.prices.snapshots import Snapshot
from django_fcs.prices.store import LastValue, MemoryStore
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price, ProfileUpdate, parse
from django_fcs.protocol.bounds import DELAY_MAX
from django_fcs.rooms import Room
from django_fcs.streaming.term import Term
from django_fcs.tools.metrics import counts
from django_fcs.upstream import Arrival
from django_fcs.widgets import ticker

EURUSD, USDJPY = Room("FX:EURUSD", "1D"), Room("FX:USDJPY", "1D")
DAY = 1766361600
NOW = DAY + 50_000.0


def price(room: Room = EURUSD, **changed: Any) -> str:
    prices = {"mode": "candle", "t": DAY, "o": 1.1, "h": 1.2, "l": 1.0, "c": 1.15, "v": 10}
    head = {"type": "price", "symbol": room.symbol, "timeframe": room.timeframe}
    return json.dumps({**head, "prices": {**prices, **changed}})


def profile(update_mode: str) -> str:
    prices = {"mode": "profile", "profile": {"update_mode": update_mode}}
    head = {"type": "price", "symbol": EURUSD.symbol, "timeframe": EURUSD.timeframe}
    return json.dumps({**head, "prices": prices})


class Site:
    """A leading stream and what a page shows of it, without sockets."""

    def __init__(self) -> None:
        self.term = Term(7, markets=Markets())
        self.store = MemoryStore()

    def hear(self, text: str, at: float = NOW) -> None:
        try:
            messages = parse(text)
        except ProtocolError:
            return
        items = tuple(
            (Room.parse(message.symbol, message.timeframe), message)
            for message in messages
            if isinstance(message, (Price, ProfileUpdate))
        )
        self.term.apply(Arrival(at, text, items))
        self.term.look([EURUSD, USDJPY], [EURUSD, USDJPY], now=at, monotonic=at)
        for update in self.term.rooms.take_updates():
            Update.from_text(update.room, update.text, epoch=7)
        values = {r: LastValue(text, e) for r, text, e in self.term.rooms.take_values()}
        self.store.save(values, PathReport(at=at, online=True, reason=""))

    def shown(self, room: Room = EURUSD) -> dict[str, str]:
        html = ticker(room.symbol, room.timeframe)
        html += widgets.price(room.symbol, room.timeframe, field="volume")
        fields = re.findall(r'data-field="(\w+)"[^>]*>([^<]*)<', html)
        return {name: text.strip() for name, text in fields}


@pytest.fixture(params=["UTC", "Asia/Tokyo", "Pacific/Kiritimati"])
def site(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Site]:
    known = Site()
    monkeypatch.setattr(quotes, "site_store", lambda: known.store)
    with override_settings(TIME_ZONE=request.param):
        yield known


OUT_OF_BOUNDS: list[dict[str, Any]] = [
    *({"c": 1e29}, {"c": -1e300}, {"c": 1e-300}, {"o": 1.0000000001, "c": 1e18}, {"c": 0}),
    *({"h": 1e300}, {"a": 1e29}, {"b": "1e29"}, {"t": 9e12}, {"t": -1}, {"t": 4102444800}),
    *({"t": DAY + 1000}, {"c": -1.1}, {"mode": "askbid", "c": 0}),
]


@pytest.mark.parametrize("changed", OUT_OF_BOUNDS)
def test_a_price_out_of_bounds_changes_nothing_and_the_next_one_counts(
    site: Site, changed: dict[str, Any]
) -> None:
    site.hear(price())
    before = site.shown()
    site.hear(price(**changed))
    assert site.shown() == before

    site.hear(price(c=1.16))
    assert site.shown()["close"] == "1.16"


@pytest.mark.parametrize(
    "changed",
    [
        *({"v": 1e41}, {"v": -1}, {"update": 1766361600123}, {"update": 9e12}, {"update": -5}),
        *(
            {"update": 5},
            {"digits": 5.5},
            {"pc": 1e29},
            {"update": 253402300799},
            {"update": 4102444800},
            {"update": 1e300},
        ),
    ],
)
def test_a_price_with_a_volume_or_time_out_of_bounds_is_shown_without_it(
    site: Site, changed: dict[str, Any]
) -> None:
    site.hear(price(c=1.16, **changed))

    shown = site.shown()
    assert shown["close"] == "1.16"
    assert "2025" in shown["updated"]
    if "v" in changed:
        assert shown["volume"] == "–"


@pytest.mark.parametrize("delay", ["99999999999", "9" * 310, "9" * 5000, "86401"])
def test_an_absurd_delay_is_bounded_and_counted_and_other_rooms_do_not_notice(
    site: Site, delay: str
) -> None:
    site.hear(price())
    site.hear(profile(f"delayed_streaming_{delay}"))
    site.hear(price(c=1.16))
    site.hear(price(USDJPY, c=1.17))

    quote = quotes.get_quote("FX:EURUSD")
    assert quote is not None and (quote.close, quote.delay) == (1.16, DELAY_MAX)
    assert site.shown(USDJPY)["close"] == "1.17"
    assert counts()["upstream_malformed"] == 1
    assert "stream_room_faults" not in counts()


@pytest.mark.parametrize(
    ("c", "shown"),
    [
        (0.000012395678, "0.000012395678"),
        (1.234e-10, "0.0000000001234"),
        (0.30000000000000004, "0.3"),
        (1e15, "1,000,000,000,000,000"),
    ],
)
def test_a_price_is_shown_with_all_digits_that_mean_something(
    site: Site, c: float, shown: str
) -> None:
    site.hear(price(o=c, h=c, l=c, c=c))

    assert site.shown()["close"] == shown


def test_digits_of_a_stray_price_are_not_shown_for_ever(site: Site) -> None:
    for c in (1.1, 1.1000000001, *[1.1] * 5):
        site.hear(price(c=c))

    assert site.shown()["close"] == "1.1"


def test_a_change_from_a_negative_close_has_no_percentage(site: Site) -> None:
    site.hear(price(o=10.01, h=10.01, l=10.01, c=10.01, mode="initial", history=[{"c": -37.63}]))

    shown = site.shown()
    assert (shown["close"], shown["change"], shown["change_percent"]) == ("10.01", "+47.64", "–")


def test_a_new_connection_heals_a_room_that_took_a_wrong_time(site: Site) -> None:
    site.hear(price(mode="initial", t=DAY + 86_400))
    site.term.rooms.doubt()
    site.hear(price(c=1.16))

    assert site.shown()["close"] == "1.16"


def test_an_error_in_one_room_does_not_end_the_others(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    merge = Snapshot.merge

    def fails(snapshot: Snapshot, price: Price) -> bool:
        if snapshot.room == EURUSD:
            raise OverflowError("int too large to convert to float")
        return merge(snapshot, price)

    monkeypatch.setattr(Snapshot, "merge", fails)
    site.hear(f"[{price()},{price(USDJPY, c=1.17)}]")

    assert site.shown(USDJPY)["close"] == "1.17"
    assert counts()["stream_room_faults"] == 1
    assert "a room failed room=FX:EURUSD_1D" in caplog.text
