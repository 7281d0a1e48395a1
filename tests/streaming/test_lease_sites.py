"""Two sites in one database, or one whose key changes: told, and no change goes wrong."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import pytest

from django_fcs.streaming.lease import ANOTHER_SITE, POLL
from django_fcs.tools.metrics import counts
from tests.streaming.leases import SECONDS, known, lease_of, now
from tests.support.virtual_time import run

#: After this long a stream asks again.
SOON = SECONDS * POLL + 0.1


def test_a_stream_of_another_site_waits_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        redis = await known()
        leader, other = lease_of(redis, site="one"), lease_of(redis, site="two")
        await leader.acquire()
        keeping = asyncio.ensure_future(leader.keep())
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(other.acquire(), 20)
        assert leader.is_held and not other.is_held
        assert (leader.trouble, other.trouble) == ("", ANOTHER_SITE)
        await leader.release()
        await keeping

    run(main())
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert "another site uses this database: set FCS_SITE" in record.getMessage()
    assert counts()["stream_other_sites"] == 1


@pytest.mark.parametrize("ends", ["leaves", "dies"])
def test_a_stream_of_the_same_site_comes_before_one_of_another(ends: str) -> None:
    async def main() -> None:
        redis = await known()
        leader = lease_of(redis, site="one")
        await leader.acquire()
        other, own = lease_of(redis, site="two"), lease_of(redis, site="one")
        waiting = asyncio.ensure_future(other.acquire())
        await asyncio.sleep(SOON)
        following = asyncio.ensure_future(own.acquire())
        await asyncio.sleep(SOON)
        if ends == "leaves":
            assert await leader.release()
        await following
        assert own.is_held and not waiting.done()
        keeping = asyncio.ensure_future(own.keep())
        await asyncio.sleep(3 * SECONDS)
        assert own.is_held and not waiting.done()
        waiting.cancel()
        await own.release()
        await keeping

    run(main())


def test_a_key_is_changed_by_restarting_one_stream_after_the_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Pages do not notice: the gap is shorter than the time without a heartbeat they bear."""

    async def main() -> None:
        redis = await known()
        old = lease_of(redis, site="old key")
        before = await old.acquire()
        keeping = asyncio.ensure_future(old.keep())
        first = lease_of(redis, site="new key")
        waiting = asyncio.ensure_future(first.acquire())
        await asyncio.sleep(20)
        assert not waiting.done()
        began = now()
        assert await old.release()
        await keeping
        second = lease_of(redis, site="new key")
        both = {waiting, asyncio.ensure_future(second.acquire())}
        done, standing_by = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        assert now() - began <= SECONDS + 0.1
        assert [task.result() > before for task in done] == [True]
        await asyncio.sleep(SOON)
        assert (first.trouble, second.trouble) == ("", "")
        for task in standing_by:
            task.cancel()

    run(main())
    assert "leading in the place of another site or of an older key" in caplog.text


def test_a_stream_without_standby_starts_at_once_with_a_new_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        redis = await known()
        old, new = lease_of(redis, site="old key"), lease_of(redis, site="new key")
        await old.acquire()
        await old.release()
        began = now()
        await new.acquire()
        assert now() < began + 0.001

    run(main())
    assert not caplog.records


@pytest.mark.parametrize(("one", "two"), [("", "two"), ("one", "")])
def test_where_a_site_is_not_known_nothing_is_said(one: str, two: str) -> None:
    async def main() -> None:
        redis = await known()
        leader, other = lease_of(redis, site=one), lease_of(redis, site=two)
        await leader.acquire()
        keeping = asyncio.ensure_future(leader.keep())
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(other.acquire(), 5)
        assert other.trouble == ""
        await leader.release()
        await keeping

    run(main())
