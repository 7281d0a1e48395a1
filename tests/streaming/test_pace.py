"""The pauses between bursts: none where gathering saves nothing, long ones at high rates."""

from __future__ import annotations

import pytest

from django_fcs.streaming.pace import BURST_SECONDS, Pace


def pause_at(rate: float, seconds: float = 5.0) -> float:
    """Return the pause after a burst, if updates come one by one and each burst takes no time."""
    pace, now, due, updates = Pace(0.0), 0.0, 0.0, 0
    while now < seconds:
        now = max(now + 1 / rate, due)
        updates = int(now * rate)
        due = pace.due(now, now, updates)
    return due - now


@pytest.mark.parametrize("rate", [1, 20, 50])
def test_a_room_that_changes_up_to_fifty_times_a_second_waits_for_nothing(rate: float) -> None:
    assert pause_at(rate) < 0.001


@pytest.mark.parametrize(("rate", "share"), [(100, 0.5), (200, 0.75), (1000, 0.95), (20_000, 1.0)])
def test_the_more_updates_come_the_longer_they_are_gathered(rate: float, share: float) -> None:
    assert pause_at(rate) == pytest.approx(share * BURST_SECONDS, abs=0.05 * BURST_SECONDS)


def test_after_a_flood_the_first_price_of_a_quiet_time_is_not_delayed_for_long() -> None:
    pace = Pace(0.0)
    pace.due(1.0, 1.0, 10_000)

    assert pace.due(6.0, 6.0, 10_001) == 6.0


def test_reading_gets_as_much_time_as_publishing_but_no_more_than_a_second() -> None:
    assert Pace(0.0).due(1.0, 1.3, 1) == pytest.approx(1.6)
    assert Pace(0.0).due(1.0, 5.0, 1) == 6.0


def test_a_clock_that_stands_still_or_goes_back_does_no_harm() -> None:
    pace = Pace(10.0)

    assert pace.due(9.0, 9.0, 3) == pytest.approx(9.0, abs=BURST_SECONDS)
    assert pace.due(9.0, 9.0, 3) == pytest.approx(9.0, abs=BURST_SECONDS)
