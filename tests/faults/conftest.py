from __future__ import annotations

from collections.abc import Callable
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
            item.add_marker(pytest.mark.fault)
            item.add_marker(pytest.mark.timeout(300))


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
