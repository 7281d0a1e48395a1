"""How far the clock of a process is from that of the stream, as heartbeats show it."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, strategies as st

from django_fcs.prices.offset import NOTICED_SECONDS, ClockOffset

NOW = 1_700_000_000.0


def heard(*differences: float) -> ClockOffset:
    """Return what heartbeats say that arrive with these differences."""
    offset = ClockOffset()
    for second, difference in enumerate(differences):
        offset.note_heartbeat(NOW + second, NOW + second + difference)
    return offset


@pytest.mark.parametrize(
    ("differences", "seconds"),
    [
        ((15.2, 15.0, 15.9), 15.0),
        ((-15.0, -14.8, -14.9), -15.0),
        ((0.0, 0.2, 1.9), 0.0),
        ((15.0, 15.0), 0.0),
        ((6.0, 0.1, 0.1), 0.0),
        ((0.1, 3600.0, 0.1, 0.1), 0.0),
        ((15.0, 15.0, 15.0, 0.1), 15.0),
        ((15.0, 15.0, 15.0, 0.1, 0.1, 0.1), 0.0),
    ],
)
def test_the_smallest_of_three_that_agree_counts(
    differences: tuple[float, ...], seconds: float
) -> None:
    assert heard(*differences).seconds == pytest.approx(seconds)


def test_a_heartbeat_of_the_cache_counts_only_when_it_is_new() -> None:
    offset = ClockOffset()
    for second in range(10):
        offset.note_read(NOW, NOW + 500 + second)
    assert offset.seconds == 0

    for second in range(1, 4):
        offset.note_read(NOW + second, NOW + second + 15)
    assert offset.seconds == 15


@pytest.mark.parametrize("at", [3e10, -3e10, NOW + 86_500, NOW - 86_500])
def test_heartbeats_of_another_day_say_nothing_about_the_clock(at: float) -> None:
    heartbeats, read = ClockOffset(), ClockOffset()
    for second in range(5):
        heartbeats.note_heartbeat(at + second, NOW + second)
        read.note_read(at + second, NOW + second)
    assert (heartbeats.seconds, read.seconds) == (0, 0)

    for second in range(4):
        read.note_read(NOW + second, NOW + second + 15)
    assert read.seconds == 15


def test_it_is_told_once_and_again_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "django_fcs")
    offset = heard(15.0, 15.0, 15.0, 15.5, 15.0)
    assert offset.warning() == "the clock of this machine is 15 s ahead of the stream's"
    assert caplog.messages == ["clocks differ, ages are corrected offset=+15.0"]

    for second in range(10, 13):
        offset.note_heartbeat(NOW + second, NOW + second)
    assert offset.warning() == ""
    assert caplog.messages[1:] == ["clocks agree again"]
    assert heard(-20.0, -20.0, -20.0).warning().endswith("20 s behind the stream's")


@given(st.lists(st.floats(0, NOTICED_SECONDS)))
def test_heartbeats_in_time_never_show_an_offset(delays: list[float]) -> None:
    assert heard(*delays).seconds == 0
