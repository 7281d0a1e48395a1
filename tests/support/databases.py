"""A site whose database has the table of candles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from asgiref.local import Local
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import override_settings

from tests.support.network import HOST
from tests.support.postgres import USER

__all__ = ["CANDLES", "postgresql", "site_with_candles", "site_with_database", "sqlite"]

CANDLES = "django_fcs.candles"


def sqlite(folder: Path) -> dict[str, Any]:
    """Return a database in a file: every thread has its own connection, as on a site."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "site.sqlite3")}


def postgresql(port: int) -> dict[str, Any]:
    """Return the database of a server that ``postgres_server`` runs."""
    place = {"HOST": HOST, "PORT": port, "USER": USER, "NAME": "postgres"}
    return {"ENGINE": "django.db.backends.postgresql", **place}


@contextmanager
def site_with_database(database: dict[str, Any], *apps: str) -> Iterator[None]:
    """A site with this database, in which no table is, and with these apps besides its own.

    Needs pytest-django's ``django_db_blocker`` to be lifted.
    """
    # Django warns if DATABASES is overridden, because its connections do not follow. So they are
    # replaced, in all threads.
    configured = connections.configure_settings({"default": database})
    local = Local(connections.thread_critical)
    with (
        override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, *apps]),
        mock.patch.object(connections, "settings", configured),
        mock.patch.object(connections, "_connections", local),
        _all_closed(),
    ):
        yield


@contextmanager
def site_with_candles(database: dict[str, Any]) -> Iterator[None]:
    """A site with this database, which has an empty table of candles until the block ends."""
    with site_with_database(database, CANDLES):
        call_command("migrate", "fcs_candles", verbosity=0)
        try:
            yield
        finally:
            call_command("migrate", "fcs_candles", "zero", verbosity=0)


@contextmanager
def _all_closed() -> Iterator[None]:
    """Close what was opened, also in threads that go on, such as that of asgiref."""
    opened: list[BaseDatabaseWrapper] = []
    stock = connections.create_connection

    def noted(alias: str) -> BaseDatabaseWrapper:
        opened.append(stock(alias))
        return opened[-1]

    with mock.patch.object(connections, "create_connection", noted):
        try:
            yield
        finally:
            for connection in opened:
                connection.inc_thread_sharing()
                connection.close()
