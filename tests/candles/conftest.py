"""Databases with the table of candles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.support import postgres
from tests.support.databases import postgresql, site_with_candles, sqlite


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    """The port of a PostgreSQL for all tests of this process."""
    if not postgres.is_there():
        (pytest.fail if postgres.is_required() else pytest.skip)(postgres.MISSING)
    with postgres.postgres_server() as port:
        yield port


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """A site with candles in its database, on each of the two; its name."""
    if request.param == "sqlite":
        settings = sqlite(tmp_path)
    else:
        settings = postgresql(request.getfixturevalue("postgres_port"))
    with django_db_blocker.unblock(), site_with_candles(settings):
        yield request.param
