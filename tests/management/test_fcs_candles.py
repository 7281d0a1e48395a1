"""``manage.py fcs_candles``: what is stored, as a table and as CSV, and what is deleted."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.kept import Kept
from django_fcs.candles.reading import candle_store
from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.series import Series
from django_fcs.management.commands import fcs_candles
from django_fcs.management.stored import moment
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.rooms import Room
from django_fcs.site import site_store
from tests.support.caches import SickCache
from tests.support.layers import SharedLayer

pytestmark = pytest.mark.versions

EURUSD, DAILY, USDJPY = Room("FX:EURUSD", "60"), Room("FX:EURUSD", "1D"), Room("FX:USDJPY", "60")
HOUR = 3600
START = 1_751_324_400
"""2025-06-30 23:00 UTC."""


def bar(number: int, c: float = 1.084, v: float | None = None) -> Bar:
    return Bar(START + HOUR * number, 1.08412, 1.0845, 0.00000123, c, v)


def keep(room: Room, *bars: Bar, missing: tuple[tuple[int, int], ...] = ()) -> None:
    series = Series(room.timeframe, keep=600)
    for one in bars:
        series.put(one, rank=Rank.LIVE, at=one.t + 1)
    kept = Kept.of(series, saved_at=START + 2000 * HOUR, missing=missing)
    assert asyncio.run(candle_store().asave({room: kept}))


def stream(*rooms: Room) -> None:
    """Report as the stream of a site does that joins these rooms."""
    report = Report(
        at=1.0,
        epoch=1,
        rooms=(*map(str, rooms), "junk"),
        joined=len(rooms),
        updates_per_second=1.0,
        last_at=None,
        leader=True,
        counts={},
    )
    asyncio.run(site_store().asave({}, PathReport(1.0, online=True, reason=""), report))


def run(*arguments: str, **options: Any) -> tuple[int, list[str], str]:
    """Run the command; its exit code, the lines it prints, and the reason why it failed."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(fcs_candles.Command(), *arguments, stdout=out, stderr=err, **options)
    except CommandError as error:
        assert "\n" not in str(error)
        return error.returncode, out.getvalue().splitlines(), str(error)
    return 0, out.getvalue().splitlines(), err.getvalue().strip()


@pytest.fixture
def site(shared_layer: type[SharedLayer], tmp_path: Path) -> Iterator[None]:
    """A site of many processes, whose cache they share."""
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    cache = {"default": {"BACKEND": backend, "LOCATION": tmp_path / "cache"}}
    with override_settings(CACHES=cache):
        yield


# -- what is stored


def test_rooms_of_stream_settings_and_cache_are_shown_with_their_holes(site: None) -> None:
    stream(EURUSD)
    keep(EURUSD, *map(bar, range(1200)), missing=((START, START + HOUR),))
    keep(USDJPY, bar(0))
    with override_settings(FCS_ROOMS=["FX:USDJPY_60", "FX:GBPUSD"]):
        code, lines, _ = run()

    assert code == 0
    head, *rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    assert head == ["room", "where", "first (UTC)", "last (UTC)", "candles", "holes", "size"]
    assert [row[:-1] for row in rows] == [
        ["FX:EURUSD_60", "cache", "2025-07-25 22:00", "2025-08-19 22:00", "601", "1"],
        ["FX:USDJPY_60", "cache", "2025-06-30 23:00", "2025-06-30 23:00", "1", "0"],
    ]
    assert rows[0][-1].startswith("34.") and all(row[-1].endswith(" kB") for row in rows)
    assert len({len(line) for line in lines}) == 1


def test_the_holes_of_a_room_are_listed_if_it_is_named(site: None) -> None:
    holes = tuple((START + 10 * n * HOUR, START + (10 * n + 2) * HOUR) for n in range(22))
    keep(EURUSD, bar(0), missing=holes)
    code, lines, _ = run("FX:EURUSD_60", "FX:USDJPY_1D")

    assert code == 0
    assert lines[2].split() == ["FX:USDJPY_1D", "nowhere", "-", "-", "0", "-", "-"]
    assert lines[3] == "FX:EURUSD_60 hole: 2025-07-01 19:00 to 2025-07-01 21:00 UTC"
    assert len(lines) == 3 + 20 + 1
    assert lines[-1] == "FX:EURUSD_60: 2 older holes"


def test_it_says_so_if_nothing_is_stored(site: None) -> None:
    assert run() == (0, ["no candles are stored"], "")


def test_the_database_is_shown_beside_the_cache(site: None, candles_in_sqlite: None) -> None:
    SavedCandles().save(DAILY, [bar(n) for n in range(1100)])
    code, lines, _ = run()

    assert code == 0
    assert lines[1].split() == [
        *("FX:EURUSD_1D", "database", "2025-06-30", "23:00", "2025-08-15", "18:00"),
        *("1,100", "-", "-"),
    ]
    assert run("FX:EURUSD_1D") == run() != run("FX:USDJPY_1D")


def test_the_default_timeframe_is_that_of_the_site(site: None) -> None:
    with override_settings(FCS_TIMEFRAME="240"):
        assert run("FX:EURUSD")[1][1].split()[0] == "FX:EURUSD_240"


# -- as CSV


def exported(*arguments: str) -> list[dict[str, str]]:
    code, lines, _ = run("export", *arguments)
    assert code == 0
    return list(csv.DictReader(lines))


def test_a_room_is_exported_with_exact_figures(site: None) -> None:
    keep(EURUSD, bar(0), bar(1, v=8192.7), bar(2))

    assert exported("FX:EURUSD_60") == [
        {
            **{"time": "2025-06-30T23:00:00Z", "t": "1751324400", "open": "1.08412"},
            **{"high": "1.0845", "low": "0.00000123", "close": "1.084", "volume": ""},
        },
        {
            **{"time": "2025-07-01T00:00:00Z", "t": "1751328000", "open": "1.08412"},
            **{"high": "1.0845", "low": "0.00000123", "close": "1.084", "volume": "8192.7"},
        },
    ]


def test_cache_and_database_are_exported_as_one(site: None, candles_in_sqlite: None) -> None:
    keep(EURUSD, *(bar(n, c=1.0841) for n in (0, 3, 4, 6, 8, 9)))
    SavedCandles().save(EURUSD, [bar(n) for n in (1, 2, 3, 5, 6)])

    assert [
        ((int(row["t"]) - START) // HOUR, row["close"]) for row in exported("FX:EURUSD_60")
    ] == [
        *((0, "1.0841"), (1, "1.084"), (2, "1.084"), (3, "1.0841"), (4, "1.0841")),
        *((5, "1.084"), (6, "1.0841"), (8, "1.0841")),
    ]


def test_a_reader_that_has_gone_ends_the_export(
    site: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    keep(EURUSD, bar(0), bar(1))
    path = tmp_path / "output"
    with path.open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        call_command(fcs_candles.Command(), "export", "FX:EURUSD_60", stdout=Gone())
        out.write("what was left in the buffer")

    assert path.read_text() == ""


# -- deleting


def test_old_candles_are_deleted_from_the_database(site: None, candles_in_sqlite: None) -> None:
    SavedCandles().save(EURUSD, [bar(n) for n in range(1500)])

    assert run("delete", "FX:EURUSD_60", "--before", "2025-07-01T01:00") == (
        0,
        ["deleted 2 candles of FX:EURUSD_60 before 2025-07-01 01:00 UTC from the database"],
        "",
    )
    assert run("delete", "FX:EURUSD_60", before="2025-08-10")[1] == [
        "deleted 959 candles of FX:EURUSD_60 before 2025-08-10 00:00 UTC from the database"
    ]
    assert SavedCandles().overview()[0].number == 1500 - 961


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01", 0),
        ("2025-06-30 23:00", START),
        ("2025-07-01T01:00+02:00", START),
        ("2025-06-30T23:00:00Z", START),
    ],
)
def test_a_date_is_in_utc_if_it_does_not_say_otherwise(text: str, seconds: int) -> None:
    with override_settings(TIME_ZONE="Asia/Tokyo"):
        assert moment("--before", text) == seconds


# -- wrong use


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["fx:eurusd"], "symbol 'fx:eurusd' is not in upper case: write 'FX:EURUSD'"),
        (["FX:EURUSD_1h"], "room 'FX:EURUSD_1h': write 'FX:EURUSD_60'"),
        (["FX:EURUSD", "FX:EURUSD_1m"], "room 'FX:EURUSD_1m': write 'FX:EURUSD_1'"),
        (["export", "EURUSD"], "symbol 'EURUSD' is not EXCHANGE:TICKER, as in FX:EURUSD"),
        (["remove", "FX:EURUSD"], "'remove' is neither a room, as in FX:EURUSD_60, nor one of "),
        (["export"], "export needs one room, as in: export FX:EURUSD_60"),
        (["export", "FX:A", "FX:B"], "export needs one room"),
        (["delete", "FX:EURUSD"], "delete needs a date, as in --before 2026-01-31"),
        (["FX:EURUSD", "--before", "2026-01-31"], "--before is only for: fcs_candles delete ROOM"),
        (["delete", "FX:A", "--before", "31.1.2026"], "--before '31.1.2026' is no date such as"),
        (["delete", "FX:A", "--before", "2026-02-30"], "--before '2026-02-30' is no date such as"),
        (["delete", "FX:A", "--before", "1969-12-31"], "--before '1969-12-31' is no date such as"),
        (["delete", "FX:A", "--before", "2026-01-31"], "no candles are in the database: add djan"),
    ],
    ids=str,
)
def test_one_line_says_what_to_write(site: None, arguments: list[str], reason: str) -> None:
    code, lines, said = run(*arguments)

    assert (code, lines) == (2, [])
    assert said.startswith(reason)


def test_a_room_without_candles_is_not_exported(site: None) -> None:
    assert run("export", "FX:EURUSD_60") == (1, [], "no candles of FX:EURUSD_60 are stored")


def test_a_wrong_setting_is_named(site: None) -> None:
    with override_settings(FCS_TIMEFRAME="2h"):
        code, _, said = run()

    assert code == 2 and "FCS_TIMEFRAME" in said


# -- what this process cannot read


def test_in_memory_only_the_web_process_knows_its_candles() -> None:
    code, lines, said = run()

    assert (code, lines) == (2, [])
    assert "because the channel layer is in memory" in said
    assert "add django_fcs.candles to INSTALLED_APPS" in said


def test_the_web_process_itself_shows_its_memory() -> None:
    stream(EURUSD)
    keep(EURUSD, bar(0), bar(1))
    code, lines, _ = run()

    assert code == 0
    assert lines[1].split()[:2] == ["FX:EURUSD_60", "memory"]
    assert len(exported("FX:EURUSD_60")) == 1


def test_in_memory_the_database_can_be_read(candles_in_sqlite: None) -> None:
    SavedCandles().save(EURUSD, [bar(0)])
    code, lines, said = run()

    assert code == 0
    assert lines[1].split()[:2] == ["FX:EURUSD_60", "database"]
    assert "because the channel layer is in memory" in said
    assert len(exported("FX:EURUSD_60")) == 1


def test_a_cache_that_is_not_shared_is_named(shared_layer: type[SharedLayer]) -> None:
    code, _, said = run()

    assert code == 2 and "keeps values in one process" in said


def test_a_cache_that_does_not_answer_is_named(
    shared_layer: type[SharedLayer], cache: type[SickCache]
) -> None:
    cache.error = OSError("no route")
    code, _, said = run("FX:EURUSD")

    assert code == 1
    assert said == "the cache does not answer: OSError('no route')"


def test_a_database_that_fails_is_named(site: None, candles_in_sqlite: None) -> None:
    call_command("migrate", "fcs_candles", "zero", verbosity=0)
    for arguments in ([], ["export", "FX:A"], ["delete", "FX:A", "--before", "2026-01-31"]):
        code, _, said = run(*arguments)
        assert code == 1
        assert said.startswith("the database failed: ")
        assert said.endswith("run manage.py migrate")
    call_command("migrate", "fcs_candles", verbosity=0)
