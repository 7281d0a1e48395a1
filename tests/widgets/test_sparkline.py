"""The small line beside a price."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, strategies as some

from django_fcs.widgets.sparkline import Sparkline, sparkline

MINUTE = 29_438_651
HOLES = [None] * 60


def test_a_line_goes_from_the_oldest_minute_to_the_running_one() -> None:
    drawn = sparkline([1.0 + minute for minute in range(60)], 61.0, MINUTE)

    assert drawn.line.startswith("M2 17L3.1 16.8L4.2 16.5L")
    assert drawn.line.endswith("L66.9 3.2L68 3")
    assert (drawn.x, drawn.y, drawn.base) == ("68", "3", "M2 17H68")
    assert drawn.recent.startswith("1.0 2.0 3.0 ") and drawn.minute == "29438651"


def test_a_minute_without_a_price_divides_the_line_and_a_price_alone_is_a_dot() -> None:
    drawn = sparkline([*HOLES[:54], 1.0, None, 2.0, None, 3.0, 2.0], None, MINUTE)

    assert drawn.line == "M61.4 17h0M63.6 10h0M65.8 3L66.9 10"
    assert (drawn.x, drawn.y, drawn.base) == ("66.9", "10", "M2 17H68")
    assert drawn.recent == "- " * 54 + "1.0 - 2.0 - 3.0 2.0"


def test_prices_that_do_not_move_are_a_line_in_the_middle() -> None:
    assert sparkline([*HOLES[1:], 1.5], 1.5, MINUTE).line == "M66.9 10L68 10"


def test_the_last_price_alone_is_a_dot_at_the_right() -> None:
    drawn = sparkline((), 1.5, MINUTE)

    assert (drawn.line, drawn.x, drawn.y) == ("M68 10h0", "68", "10")
    assert drawn.recent == " ".join("-" * 60)


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf, 1e21, -1e300, 10**400])
def test_what_is_no_price_is_a_hole(nothing: float | None) -> None:
    holes = " ".join("-" * 60)
    assert sparkline([nothing] * 60, nothing, MINUTE) == Sparkline(
        "", "", "", "", holes, "29438651"
    )
    assert sparkline([1.0, nothing, 1.0], nothing, MINUTE).line == "M64.7 10h0M66.9 10h0"


def test_only_the_last_sixty_minutes_are_drawn() -> None:
    assert sparkline([9.0] * 40 + [1.0] * 60, 1.0, MINUTE) == sparkline([1.0] * 60, 1.0, MINUTE)


@given(
    some.lists(some.none() | some.floats(width=64) | some.integers(), max_size=70),
    some.none() | some.floats(),
)
def test_whatever_the_prices_are_every_point_lies_within_the_box(
    recent: list[float | None], last: float | None
) -> None:
    drawn = sparkline(recent, last, MINUTE)

    for x, y in re.findall(r"[ML]([^ ]+) ([\d.]+)", drawn.line):
        assert 2 <= float(x) <= 68 and 3 <= float(y) <= 17
    assert re.fullmatch(r"([MLh\d. ])*", drawn.line)
    assert len(drawn.recent.split()) == 60
