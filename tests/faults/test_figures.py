"""What the fault tests reckon from what pages wrote down."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from django_fcs.rooms import Room
from tests.faults import __main__ as command
from tests.faults.figures import changes, figures, outlived, recovered_at
from tests.faults.market import Market
from tests.faults.report import table
from tests.support.pages import Page, Priced, Shown, Widget

ROOM = Room("BINANCE:BTCUSDT", "1D")


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    """Ticks 1 to 10, at the seconds 0 to 9."""
    times = iter(range(10))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(times)))
    market = Market(rate=0)
    market.open(ROOM, 1e9)
    for _ in range(9):
        market.tick(ROOM, 1e9)
    return market


def widget(prices: dict[float, int], *states: tuple[float, str]) -> Widget:
    """A widget that showed these numbers, and was in these states, from those times on."""
    return Widget(
        states=[Shown(at, state, "") for at, state in states],
        prices=[Priced(at, number, number) for at, number in prices.items()],
    )


def test_the_market_knows_when_a_price_was_outdated(market: Market) -> None:
    assert market.newest(ROOM) == 10
    assert market.outdated_at(ROOM, 3) == 3.0  # when the fourth came
    assert market.outdated_at(ROOM, 10) is None
    assert market.next_after(ROOM, 4.5) == 6


def test_a_market_may_be_closed() -> None:
    market = Market(rate=1, closed=(100, 200))
    market.open(ROOM, 98)

    assert len(market.advance(99.5)) == 1
    assert [bool(market.advance(at)) for at in (100.5, 150, 201)] == [False, False, True]


def test_a_room_has_recovered_with_a_live_price_from_after_the_fault(market: Market) -> None:
    shown = widget({1.1: 2, 5.1: 6, 7.2: 8}, (1.1, "live"), (2, "offline"), (6, "live"))

    assert recovered_at(ROOM, shown, market, ended=4.5) == 6  # the price was there before
    assert recovered_at(ROOM, shown, market, ended=6.5) == 7.2
    assert recovered_at(ROOM, shown, market, ended=8.5) == math.inf


@pytest.mark.parametrize(
    ("states", "spans"),
    [
        ([(1.1, "live")], [4.1]),
        ([(1.1, "live"), (3.5, "stale")], [1.5]),
        ([(1.1, "live"), (1.5, "offline")], []),
        ([(1.1, "live"), (1.5, "offline"), (5, "live")], [4.1]),
    ],
)
def test_an_outdated_price_may_not_be_live_for_long(
    market: Market, states: list[tuple[float, str]], spans: list[float]
) -> None:
    """Number 2 was outdated at 2, and replaced at 6.1."""
    shown = widget({1.1: 2, 6.1: 10}, *states)

    assert list(outlived(ROOM, shown, market, now=9)) == pytest.approx(spans)


def test_what_a_viewer_was_told_is_listed_by_its_first_time() -> None:
    one = widget({}, (1, "live"), (3, "offline"), (5, "live"))
    other = widget({}, (1, "live"), (4, "offline"), (7, "live"))

    assert changes([one, other], began=2) == [("offline", "", 1, 2), ("live", "", 3, 5)]


def test_figures_of_a_fault(market: Market) -> None:
    page = Page([1], [ROOM])
    page.widgets[ROOM] = widget(
        {1.1: 2, 7.1: 8, 8.1: 9}, (1.1, "live"), (3, "offline"), (7.1, "live")
    )

    found = figures([page], market, began=2.5, ended=6.5, now=8.2, limit=0.5)

    assert (found.lost, found.of) == (4, 5)
    assert found.recovery == pytest.approx(0.6)
    assert found.longest_gap == pytest.approx(6.0)
    assert found.outdated == pytest.approx(1.0)
    assert found.falsely_live == 1
    assert found.out_of_order == 0


@pytest.mark.parametrize(
    ("priced", "is_first", "is_backward"),
    [
        (Priced(2, 6, 6), False, False),
        (Priced(2, 5, 5), False, True),
        (Priced(2, 5, 5), True, False),  # told again after a return
        (Priced(2, 4, 4), True, False),  # the site's store is behind the page
        (Priced(2, 4, 4), False, True),
        (Priced(2, 6, 5), True, True),  # two publishers gave out one number
        (Priced(2, 4, 6), False, True),
    ],
)
def test_a_price_behind_a_newer_one_is_counted(
    priced: Priced, is_first: bool, is_backward: bool
) -> None:
    shown = widget({1: 5})

    shown.take(priced, is_first=is_first)

    assert bool(shown.backward) is is_backward


@pytest.mark.parametrize(("second", "is_backward"), [(5, False), (4, True), (3, True)])
def test_after_a_return_prices_behind_the_one_shown_may_only_rise(
    second: int, is_backward: bool
) -> None:
    shown = widget({1: 5})

    shown.take(Priced(2, 4, 4), is_first=True)
    shown.take(Priced(3, second, second), is_first=False)

    assert bool(shown.backward) is is_backward


@pytest.mark.parametrize(
    ("priced", "is_shown", "is_backward"),
    [
        (Priced(10.9, 6, 3), False, True),
        (Priced(11, 6, 3), True, False),  # epochs have fallen, with the clock
        (Priced(11, 4, 3), True, True),
        (Priced(11, 5, 5), False, False),
    ],
)
def test_a_lower_number_is_shown_where_the_price_shown_is_old(
    priced: Priced, is_shown: bool, is_backward: bool
) -> None:
    shown = widget({1: 5})

    shown.take(priced, is_first=priced.seq == 5)

    assert (shown.prices[-1] == priced) is is_shown
    assert bool(shown.backward) is is_backward


def row(name: str, **changes: Any) -> dict[str, Any]:
    return {
        **{"layer": "core", "note": "", "longest_gap": 1, "recovery": 2, "lost": 3, "of": 4},
        **{"outdated": 5, "falsely_live": 0, "out_of_order": 0, "stalled": 0.2},
        "changes": [["offline", "why", 0.1, 0.4], ["live", "", 2, 2]],
        **{"fault": name, **changes},
    }


def test_the_table_has_a_line_a_row_in_an_order_of_its_own() -> None:
    drawn = table([row("Web SIGKILL"), row("Upstream reset")])

    assert [line.split("**")[1] for line in drawn.splitlines()[2:]] == [
        "Upstream reset",
        "Web SIGKILL",
    ]
    assert "0.1–0.4 s: offline “why”; 2.0 s: live" in drawn
    assert len({line.count("|") for line in drawn.splitlines()}) == 1


def test_the_table_says_where_the_machine_stood_still() -> None:
    drawn = table(
        [row("Join flood", note="of joins", stalled=1.4), row("Web SIGKILL", stalled=1.1)]
    )

    assert "**Join flood** (of joins; the machine stalled for 1.4 s) |" in drawn
    assert "**Web SIGKILL** (the machine stalled for 1.1 s) |" in drawn
    assert "stalled" not in table([row("Web SIGKILL", stalled=1.0)])


@pytest.mark.parametrize("promise", ["falsely_live", "out_of_order"])
def test_the_page_is_written_and_what_breaks_its_promises_named(
    promise: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- faults -->\n*Not run yet.*\n<!-- /faults -->\n")

    def write(*rows: dict[str, Any]) -> None:
        for one in rows:
            (tmp_path / f"{one['fault']}.json").write_text(json.dumps(one))
        command.main(str(tmp_path), page)

    write(row("Upstream reset"), row("Web SIGKILL"))
    with pytest.raises(SystemExit) as ended:
        write(row("Web SIGKILL", **{promise: 3}))

    assert "**Web SIGKILL**" in page.read_text() and "| 3 |" in page.read_text()
    assert "Web SIGKILL (core): " in str(ended.value.code)
    assert f"3 {promise.replace('_', ' ')}" in str(ended.value.code)
    assert "Upstream reset" not in str(ended.value.code)
