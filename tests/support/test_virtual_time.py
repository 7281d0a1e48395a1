"""The loop of the tests on which time passes at once."""

from __future__ import annotations

import asyncio

from tests.support.virtual_time import run


def test_a_wait_that_is_too_short_for_the_clock_ends_too() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(8)
        until, turns = loop.time() + 1e-15, 0
        while (left := until - loop.time()) > 0 and turns < 1000:
            await asyncio.sleep(left / 10)  # By a clock that runs otherwise.
            turns += 1
        assert turns < 1000

    run(main())
