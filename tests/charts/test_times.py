"""The time axis: round times of a zone, also where clocks are set."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from django_fcs.charts.drawing import Mark
from django_fcs.charts.geometry import Place, Row
from django_fcs.charts.times import local_time, marks_of

BERLIN = ZoneInfo("Europe/Berlin")
#: 2025-10-26 01:00 UTC: at this moment, clocks in Berlin go from three back to two.
BACK = 1_761_440_400


def marks(t: int, period: int, count: int, zone: ZoneInfo = BERLIN) -> dict[int, Mark]:
    """Return the labels of bars by the number of their bar."""
    places = [Place(40 + n * 7, Row(t + n * period, 1, 1, 1, 1, None, True)) for n in range(count)]
    found = marks_of(places, count * 7 + 90, period, zone, write)
    return {(mark.x - 42) // 7: mark for mark in found}


def write(moment: datetime, new: str) -> str:
    return f"{moment:%H:%M}" if new == "H" else f"{moment:%d %b}" if new == "j" else new


def test_labels_are_true_before_and_after_clocks_are_set_back() -> None:
    start = BACK - 24 * 3600
    found = marks(start, 3600, 48)

    assert len(found) >= 4 and any(mark.is_day for mark in found.values())
    for number, mark in found.items():
        local = datetime.fromtimestamp(start + number * 3600, BERLIN)
        assert mark.text == f"{local:%d %b}" if mark.is_day else mark.text == f"{local:%H:%M}"


def test_labels_are_at_round_times_and_apart() -> None:
    found = list(marks(BACK + 86_400, 300, 200).values())

    assert all(mark.text.endswith(":00") or mark.is_day for mark in found)
    assert all(b.x - a.x >= 56 for a, b in zip(found, found[1:], strict=False))


@pytest.mark.parametrize("period", [60, 86_400, 7 * 86_400, 28 * 86_400])
def test_bars_that_are_at_no_round_time_have_one_label(period: int) -> None:
    assert len(marks(BACK + 61, period, 3)) == 1


def test_a_day_has_the_date_of_its_middle() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    opens = 1_764_000_000 // 86_400 * 86_400 - 9 * 3600  # midnight in Tokyo

    assert local_time(opens, 86_400, tokyo).hour == 12
    assert local_time(opens, 300, tokyo).hour == 0
