from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.conftest import browser, executable, page, window
from tests.e2e.site import season
from tests.support.network import free_port
from tests.support.redis import redis_server

__all__ = ["browser", "executable", "page", "window"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real servers need their time, and one browser serves all of these tests."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.process)
            item.add_marker(pytest.mark.timeout(180))
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def redis(needs_redis: None, tmp_path: Path) -> AsyncIterator[str]:
    """A Redis of the test's own, which has run for long; its address."""
    port = free_port()
    async with redis_server(port, tmp_path):
        await season(port)
        yield f"redis://127.0.0.1:{port}/0"
