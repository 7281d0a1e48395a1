"""Reports: how fast a total grows."""

from __future__ import annotations

from django_fcs.prices.reports import GrowthRate


def test_the_first_reading_tells_no_pace() -> None:
    assert GrowthRate().rate(100, now=5) == 0


def test_a_pace_is_that_of_the_last_readings() -> None:
    pace = GrowthRate(readings=2)

    assert pace.rate(0, now=0) == 0
    assert pace.rate(10, now=1) == 10
    assert pace.rate(40, now=2) == 20
    assert pace.rate(40, now=3) == 15
    assert pace.rate(40, now=4) == 0


def test_a_clock_that_stands_still_is_harmless() -> None:
    pace = GrowthRate(readings=2)
    pace.rate(0, now=1)
    for _ in range(5):
        assert pace.rate(10, now=1) == 0

    assert pace.rate(30, now=2) == 20
