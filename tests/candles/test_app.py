"""The optional app: its table, its migrations, and its pages in the admin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path
from pytest_django import DjangoDbBlocker

from django_fcs.candles.bars import Bar
from django_fcs.candles.saved import SavedCandles
from django_fcs.rooms import SYMBOL_MAX, TIMEFRAMES, Room
from tests.support.databases import CANDLES, site_with_candles, site_with_database, sqlite
from tests.test_imports import imported_by, of

pytestmark = pytest.mark.versions

EURUSD = Room("FX:EURUSD", "60")
START = 1_763_766_000


def model() -> Any:
    return apps.get_app_config("fcs_candles").get_model("Candle")


# -- the table


def test_the_migrations_make_the_table_of_the_model(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), site_with_database(sqlite(tmp_path), CANDLES):
        call_command("makemigrations", "fcs_candles", check=True, dry_run=True, verbosity=0)
        call_command("check", "fcs_candles", fail_level="WARNING")
        fields = {field.name: field for field in model()._meta.fields}

    assert type(fields["id"]).__name__ == "BigAutoField"
    assert fields["symbol"].max_length == SYMBOL_MAX
    assert fields["timeframe"].max_length >= max(map(len, TIMEFRAMES))


def test_a_room_has_one_candle_of_a_time_and_times_are_seconds(candles_in_sqlite: None) -> None:
    values = {"symbol": "FX:EURUSD", "timeframe": "60", "open": 1.0, "high": 1.0, "low": 1.0}
    model().objects.create(t=START, close=1.0, **values)
    for t in (START, START * 1000, -1):
        with pytest.raises(IntegrityError), transaction.atomic():
            model().objects.create(t=t, close=1.0, **values)


def test_a_candle_tells_its_time_and_exact_decimals(candles_in_sqlite: None) -> None:
    bar = Bar(START, 0.00000123, 1.1, 0.00000122, 0.3, None)
    SavedCandles().save(EURUSD, [bar])
    one = model().objects.get()

    assert one.opened == datetime(2025, 11, 21, 23, tzinfo=timezone.utc)
    assert str(one) == "FX:EURUSD_60 2025-11-21 23:00 UTC"
    assert [one.open_decimal, one.high_decimal, one.low_decimal, one.close_decimal] == [
        *(Decimal("0.00000123"), Decimal("1.1"), Decimal("0.00000122"), Decimal("0.3"))
    ]
    assert one.volume_decimal is None
    one.volume = 8192.7
    assert one.volume_decimal == Decimal("8192.7")


# -- who knows it


def test_a_site_without_the_app_never_imports_its_model() -> None:
    modules = imported_by(
        "import django; django.setup(); import django_fcs.candles, django_fcs.candles.saved"
    )

    assert of(modules, "django_fcs.candles.saved")
    assert not of(modules, "django_fcs.candles.models", "django_fcs.candles.admin")


# -- the admin


class Operator:
    """Somebody who may do everything in the admin."""

    is_active = is_staff = is_authenticated = True
    pk = 1

    def has_perm(self, name: str, obj: object = None) -> bool:
        return True

    def has_module_perms(self, label: str) -> bool:
        return True

    def get_username(self) -> str:
        return "operator"

    def has_usable_password(self) -> bool:
        return False


@pytest.fixture
def candle_admin(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    """The admin's pages of candles, on a site with 250 of them."""
    contrib = [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "messages")]
    with django_db_blocker.unblock(), override_settings(INSTALLED_APPS=[*contrib, "django_fcs"]):
        with site_with_candles(sqlite(tmp_path)):
            for number, room in enumerate([EURUSD, Room("FX:USDJPY", "1D")]):
                bars = [Bar(START + 3600 * t, 1.1, 1.2, 1.0, 1.15, None) for t in range(200)]
                SavedCandles().save(room, bars[: 200 - 150 * number])
            with override_settings(ROOT_URLCONF=(path("admin/", admin.site.urls),)):
                yield admin.site._registry[model()]


def opened(path: str) -> HttpRequest:
    request = RequestFactory().get(path)
    request.user = Operator()  # type: ignore[assignment]
    return request


def test_the_admin_shows_candles_without_counting_or_sorting_them_all(candle_admin: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = candle_admin.changelist_view(opened("/admin/fcs_candles/candle/")).render()

    text = page.content.decode()
    assert page.status_code == 200
    assert text.count("FX:USDJPY") == 50 and text.count("FX:EURUSD</") == 50
    assert "Nov. 21, 2025" in text and "Add candle" not in text
    counted = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert len(counted) == 1 and "LIMIT 10000" in counted[0]
    (plan,) = [explained(query["sql"]) for query in queries if "COUNT(" not in query["sql"]]
    assert "USING INDEX" in plan and "TEMP B-TREE" not in plan


def explained(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return str(cursor.fetchall())


def test_the_admin_finds_a_room_by_symbol_and_timeframe(candle_admin: Any) -> None:
    def found(query: str) -> int:
        page = candle_admin.changelist_view(opened(f"/admin/fcs_candles/candle/?{query}"))
        return int(page.context_data["cl"].result_count)

    assert found("q=FX:EURUSD") == 200
    assert found("q=FX:EURUSD&timeframe=1D") == 0
    assert found("timeframe=1D") == 50


def test_nobody_changes_a_candle_in_the_admin(candle_admin: Any) -> None:
    request = opened("/admin/")

    assert candle_admin.has_view_permission(request)
    assert not candle_admin.has_add_permission(request)
    assert not candle_admin.has_change_permission(request)
    assert not candle_admin.has_delete_permission(request)
    assert candle_admin.get_actions(request) == {}
