"""Candles in the site's database: on SQLite, and on a real PostgreSQL."""

from __future__ import annotations

import logging
import math
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings, strategies as st
from pytest_django import DjangoDbBlocker

from django_fcs.candles.bars import Bar
from django_fcs.candles.saved import ROWS_AT_ONCE, SavedCandles, SavedRoom
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts
from django_fcs.tools.worker import Worker
from tests.support.databases import CANDLES, site_with_candles, site_with_database, sqlite

EURUSD, DAILY, DOGE = Room("FX:EURUSD", "60"), Room("FX:EURUSD", "1D"), Room("BINANCE:DOGE", "60")
HOUR = 3600
NOW = 1_795_305_700.0
START = 1_795_302_000 - 5000 * HOUR

BAR = Bar(START, 1.08412, 1.0845, 1.08399, 1.0844, 8192.7)


def saved_candles() -> SavedCandles:
    return SavedCandles(clock=lambda: NOW)


def bars(count: int, **changes: Any) -> list[Bar]:
    return [BAR._replace(t=START + HOUR * number, **changes) for number in range(count)]


def model() -> Any:
    return apps.get_app_config("fcs_candles").get_model("Candle")


# -- on both databases


@pytest.mark.parametrize("v", [None, 0.0, 1e17])
@pytest.mark.parametrize(
    "prices",
    [
        (1.08412, 1.0845, 1.08399, 1.0844),
        (0.00000123, 0.00000124, 0.00000122, 0.00000123),
        (-37.63, 0.0, -40.32, -37.63),
        (0.1 + 0.2, 1 / 3 + 1, 1e-15, 0.30000000000000004),
        (89962.61, 1e15, 1.234e-10, 89962.62),
    ],
)
def test_a_float_comes_back_as_it_was(
    database: str, prices: tuple[float, float, float, float], v: float | None
) -> None:
    bar = Bar(START, *prices, v)
    saved = saved_candles()

    assert saved.save(EURUSD, [bar]) == 1
    assert saved.load(EURUSD, limit=5) == [bar]
    row = model().objects.get()
    assert row.close_decimal == Decimal(repr(bar.c))
    assert row.volume_decimal == (None if v is None else Decimal(repr(v)))


def test_rooms_are_kept_apart_and_read_newest_first_but_ascending(database: str) -> None:
    saved = saved_candles()
    for room, number in ((EURUSD, 30), (DAILY, 2), (DOGE, 7)):
        saved.save(room, bars(number, c=1.084 + number / 1e5))

    hourly = bars(30, c=1.0843)
    assert saved.load(EURUSD, limit=4) == hourly[-4:]
    assert saved.load(EURUSD, before=hourly[10].t, limit=4) == hourly[6:10]
    assert saved.load(EURUSD, before=START, limit=4) == []
    assert saved.overview() == [
        SavedRoom("BINANCE:DOGE", "60", START, START + 6 * HOUR, 7),
        SavedRoom("FX:EURUSD", "1D", START, START + HOUR, 2),
        SavedRoom("FX:EURUSD", "60", START, START + 29 * HOUR, 30),
    ]
    assert [one.number for one in saved.overview([EURUSD, Room("FX:USDJPY", "60")])] == [30]


def test_what_is_saved_again_replaces_and_nothing_is_twice(database: str) -> None:
    saved = saved_candles()
    saved.save(EURUSD, bars(2500))
    newer = bars(2600, c=1.084, v=None)[2000:]

    assert saved.save(EURUSD, [*newer, *reversed(newer)]) == 600
    assert list(saved.export(EURUSD)) == bars(2500)[:2000] + newer


def test_a_lock_lasts_for_one_batch(database: str) -> None:
    saved = saved_candles()
    with CaptureQueriesContext(connection) as queries:
        saved.save(EURUSD, bars(ROWS_AT_ONCE + 1))
        assert saved.delete(EURUSD, before=int(NOW)) == ROWS_AT_ONCE + 1

    begun = [query["sql"] for query in queries if query["sql"].startswith("BEGIN")]
    assert len(begun) == 4


def test_old_bars_are_deleted_and_counted(database: str) -> None:
    saved = saved_candles()
    saved.save(EURUSD, bars(1500))
    saved.save(DAILY, bars(5))

    assert saved.delete(EURUSD, before=START + 1200 * HOUR) == 1200
    assert saved.delete(EURUSD, before=START + 1200 * HOUR) == 0
    assert list(saved.export(EURUSD)) == bars(1500)[1200:]
    assert len(list(saved.export(DAILY))) == 5


def test_the_first_bar_of_a_range_is_read_where_bars_are_written(
    database: str,
) -> None:
    saved = saved_candles()
    saved.save(EURUSD, bars(3))
    wanted = EURUSD, START - HOUR, START + HOUR
    with override_settings(DATABASE_ROUTERS=["tests.candles.test_saved.Replica"]):
        assert saved.first(*wanted) == START
    assert saved.first(EURUSD, 0, START) == START
    with override_settings(DATABASE_ROUTERS=["tests.candles.test_saved.Nowhere"]):
        assert saved.first(*wanted) is None


class Replica:
    """A router that reads from another database than it writes to."""

    def db_for_read(self, model: object, **hints: object) -> str:
        return "nowhere"


class Nowhere:
    """A router that writes to a database that is not there."""

    def db_for_write(self, model: object, **hints: object) -> str:
        return "nowhere"


@pytest.mark.parametrize(
    "changes",
    [
        *({name: value} for name in "ohlc" for value in (math.inf, -math.inf, math.nan, 1e300)),
        *({"t": t} for t in (-1, int(NOW) * 1000, int(NOW) + 86_400, 10**30)),
        *({"h": 1.0}, {"l": 1.2}, {"o": 1e-300, "l": 1e-300}),
    ],
    ids=str,
)
def test_what_cannot_be_a_candle_never_reaches_the_table(
    candles_in_sqlite: None, changes: dict[str, Any]
) -> None:
    saved = saved_candles()
    later = BAR._replace(t=START + HOUR)

    assert saved.save(EURUSD, [BAR._replace(**changes), later]) == 1
    assert list(model().objects.values_list("t", flat=True)) == [later.t]
    assert counts()["candles_impossible"] == counts()["candles_saved"] == 1
    assert saved.failure == ""


def test_what_other_code_wrote_is_read_with_distrust(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    saved = saved_candles()
    saved.save(EURUSD, bars(3))
    table = model().objects
    table.filter(t=START).update(high=math.inf)
    table.filter(t=START + HOUR).update(low=2.0)

    assert saved.load(EURUSD, limit=5) == list(saved.export(EURUSD)) == bars(3)[2:]
    assert counts()["candles_impossible"] == 4
    assert "impossible candles ignored room=FX:EURUSD_60" in caplog.messages


def test_a_site_without_the_table_is_told_once_what_to_run(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    saved = saved_candles()
    call_command("migrate", "fcs_candles", "zero", verbosity=0)
    with caplog.at_level(logging.WARNING, "django_fcs"):
        for _ in range(3):
            assert saved.save(EURUSD, [BAR]) == 0
            assert saved.load(EURUSD, limit=5) == []

    assert "fcs_candles_candle" in saved.failure
    assert [line.partition(" reason=")[0] for line in caplog.messages] == [
        "database failed to save candles",
        "database failed to load candles",
    ]
    assert all(line.endswith("run manage.py migrate") for line in caplog.messages)
    assert counts()["candles_database_failures"] == 6
    call_command("migrate", "fcs_candles", verbosity=0)
    assert saved.save(EURUSD, [BAR]) == 1
    assert saved.load(EURUSD, limit=5) == [BAR]
    assert saved.failure == ""


def test_a_failing_read_leaves_the_transaction_of_the_caller_usable(database: str) -> None:
    call_command("migrate", "fcs_candles", "zero", verbosity=0)
    with transaction.atomic():
        assert saved_candles().load(EURUSD, limit=5) == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
    call_command("migrate", "fcs_candles", verbosity=0)


def test_the_thread_that_saves_leaves_no_connection_open(database: str) -> None:
    def save() -> list[Any]:
        assert saved_candles().save(EURUSD, [BAR]) == 1
        return [one.connection for one in connections.all(initialized_only=True)]

    assert Worker("test").submit(save).result(20) == [None]
    assert saved_candles().load(EURUSD, limit=5) == [BAR]


async def test_it_is_read_without_blocking_the_loop(database: str) -> None:
    saved = saved_candles()
    await sync_to_async(saved.save)(EURUSD, bars(3))

    assert await saved.aload(EURUSD, before=START + 2 * HOUR, limit=5) == bars(2)


# -- on one of them


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.postgres
def test_a_connection_that_the_server_has_ended_is_opened_again(database: str) -> None:
    saved = saved_candles()
    saved.save(EURUSD, [BAR])
    assert saved.load(EURUSD, limit=5) == [BAR]
    ended = connection.connection.info.backend_pid
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
    other.close()

    assert saved.load(EURUSD, limit=5) == []
    assert "terminating connection" in saved.failure
    assert saved.load(EURUSD, limit=5) == [BAR]
    assert saved.failure == ""


def test_a_locked_database_keeps_what_was_stored(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    impatient = {**sqlite(tmp_path), "OPTIONS": {"timeout": 0.01}}
    with django_db_blocker.unblock(), site_with_candles(impatient):
        saved = saved_candles()
        saved.save(EURUSD, bars(2))
        other = sqlite3.connect(impatient["NAME"])
        other.execute("BEGIN IMMEDIATE")
        assert saved.save(EURUSD, bars(3)) == 0
        assert "locked" in saved.failure and "migrate" not in saved.failure
        assert saved.load(EURUSD, limit=5) == bars(2)
        other.rollback()
        other.close()
        assert saved.save(EURUSD, bars(3)) == 3
        assert saved.failure == ""


batches = st.lists(
    st.lists(
        st.builds(
            lambda number, close: BAR._replace(t=START + HOUR * number, c=close),
            st.integers(0, 12),
            st.sampled_from([1.084, 1.0841, 1.0845, math.nan]),
        ),
        max_size=9,
    ),
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches)
def test_the_last_sound_bar_of_a_time_is_the_one_that_is_kept(
    candles_in_sqlite: None, batches: list[list[Bar]]
) -> None:
    model().objects.all().delete()
    saved, expected = saved_candles(), {}
    for some in batches:
        saved.save(EURUSD, some)
        expected.update({bar.t: bar for bar in some if bar.c == bar.c})

    assert list(saved.export(EURUSD)) == [expected[t] for t in sorted(expected)]


@pytest.mark.versions
def test_a_site_without_the_app_has_no_table_and_nothing_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    saved = saved_candles()

    assert not saved.is_installed()
    assert saved.save(EURUSD, [BAR]) == 0
    assert saved.load(EURUSD, limit=5) == []
    assert "No installed app with label 'fcs_candles'" in saved.failure


@pytest.mark.versions
def test_the_app_on_a_site_without_a_database_fails_nowhere_else() -> None:
    with override_settings(INSTALLED_APPS=["django_fcs", CANDLES]):
        saved = saved_candles()
        assert saved.is_installed()
        assert saved.save(EURUSD, [BAR]) == 0
        assert "ImproperlyConfigured" in saved.failure or "blocked" in saved.failure


@pytest.mark.versions
def test_oldest_and_newest_django_store_the_same(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), site_with_database(sqlite(tmp_path), CANDLES):
        call_command("migrate", verbosity=0)
        assert saved_candles().save(EURUSD, bars(1500)) == 1500
        assert saved_candles().save(EURUSD, bars(1500)) == 1500
        assert list(saved_candles().export(EURUSD)) == bars(1500)
