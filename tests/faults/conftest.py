from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.faults.stage import Stage

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them start processes, and many run side by side."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.process)
            item.add_marker(pytest.mark.timeout(300))
    _start_with_the_longest(items)


def _start_with_the_longest(items: list[pytest.Item]) -> None:
    """Put them first, or the other processor waits for them at the end.

    A worker of xdist takes two tests at first, so each long one is followed by another.
    """
    long = [item for item in items if item.get_closest_marker("long")]
    rest = [item for item in items if not item.get_closest_marker("long")]
    pairs = chain.from_iterable(zip(long, rest, strict=False))
    items[:] = [*pairs, *long[len(rest) :], *rest[len(long) :]]


@pytest.fixture(scope="session", autouse=True)
def on_redis(needs_redis: None) -> None:
    """Most of these tests need Redis, so all are skipped without it."""


@pytest.fixture
def staged(tmp_path: Path) -> Callable[..., Stage]:
    """A site on a stage: ``async with staged(layer="core") as stage``."""

    def build(**how: Any) -> Stage:
        return Stage(tmp_path, **how)

    return build


@pytest.fixture(params=["pubsub", "core"])
def layer(request: pytest.FixtureRequest) -> str:
    """Both layers of channels_redis."""
    return str(request.param)
