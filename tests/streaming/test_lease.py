"""Who leads: never two at once, soon somebody again, and each with a higher epoch."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle

import pytest

from django_fcs.exceptions import ConfigurationError
from django_fcs.streaming.lease import MARGIN, POLL, Alone, Lease, lease_keys
from django_fcs.tools.metrics import counts
from tests.streaming.leases import BOOT, SECONDS, FakeRedis, SlowLine, known, lease_of, now, wall
from tests.support.virtual_time import run

# -- one after the other


def test_the_first_leads_and_its_epoch_is_the_time_in_milliseconds() -> None:
    async def main() -> None:
        lease = lease_of(await known())
        assert not lease.is_held
        assert await lease.acquire() == int(wall() * 1000)
        assert lease.is_held

    run(main())


def test_a_redis_that_knows_nothing_lends_to_nobody_for_one_lease() -> None:
    """A leader from before its data was lost may do so for what is left of one."""

    async def main() -> None:
        redis = FakeRedis(wall)
        first, second = lease_of(redis), lease_of(redis)
        done, waiting = await asyncio.wait(
            {asyncio.ensure_future(one.acquire()) for one in (first, second)},
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert SECONDS <= now() <= SECONDS + 0.1
        assert len(done) == 1
        assert first.is_held != second.is_held
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    run(main())


def test_it_is_kept_for_as_long_as_it_is_renewed() -> None:
    async def main() -> None:
        redis = await known()
        lease = lease_of(redis)
        await lease.acquire()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(lease.keep(), 60)
        assert lease.is_held
        assert redis.asked <= 62

    run(main())


def test_a_leader_that_dies_is_followed_once_its_lease_has_run_out() -> None:
    async def main() -> None:
        redis = await known()
        dying, waiting = lease_of(redis), lease_of(redis)
        before = await dying.acquire()
        after = await waiting.acquire()
        assert SECONDS <= now() <= SECONDS + 0.1
        assert after > before

    run(main())


def test_a_leader_that_gives_it_back_is_followed_at_once() -> None:
    async def main() -> None:
        redis = await known()
        leaving, waiting = lease_of(redis), lease_of(redis)
        before = await leaving.acquire()
        task = asyncio.ensure_future(waiting.acquire())
        await asyncio.sleep(10 * POLL)
        began = now()
        assert await leaving.release()
        assert not leaving.is_held
        assert await task > before
        assert now() - began <= SECONDS * POLL

    run(main())


def test_who_gives_it_back_learns_whether_somebody_waits() -> None:
    async def main() -> None:
        redis = await known()
        first, second = lease_of(redis), lease_of(redis)
        await first.acquire()
        task = asyncio.ensure_future(second.acquire())
        await asyncio.sleep(1)
        assert await first.release()
        await task
        assert not await second.release()
        assert await second.release(), "it is nobody's affair any more"

    run(main())


def test_one_that_was_given_back_unseen_is_not_held_by_a_ghost() -> None:
    """Cancelled while the answer was under way, it leaves all the same."""

    async def main() -> None:
        redis = await known()
        ghost = lease_of(SlowLine(redis, cycle([(0.0, 0.5)])))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(ghost.acquire(), 0.1)
        async with ghost:
            assert not ghost.is_held
        began = now()
        await lease_of(redis).acquire()
        assert now() - began < 0.1

    run(main())


def test_a_redis_that_has_lost_the_last_lends_to_nobody_for_as_long_as_a_lease() -> None:
    """From a snapshot, or as the replica that takes over, it knows an epoch and no lease."""

    async def main() -> None:
        redis = await known()
        leader, waiting = lease_of(redis), lease_of(redis)
        before = await leader.acquire()
        await asyncio.sleep(1)
        redis.lose_the_last()
        assert await waiting.acquire() > before
        assert not leader.is_held
        assert now() == pytest.approx(1 + SECONDS, abs=0.1)

    run(main())


def test_a_redis_that_runs_anew_and_has_kept_the_lease_changes_nothing() -> None:
    async def main() -> None:
        redis = await known()
        leader, waiting = lease_of(redis), lease_of(redis)
        await leader.acquire()
        redis.run_anew()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(leader.keep(), 10)
        assert leader.is_held
        began = now()
        await waiting.acquire()
        assert now() - began <= SECONDS + 0.1

    run(main())


def test_a_lease_that_another_has_taken_is_lost_at_once() -> None:
    async def main() -> None:
        redis = await known()
        lease = lease_of(redis)
        await lease.acquire()
        redis.lose_all()
        await asyncio.wait_for(lease.keep(), 2)
        assert not lease.is_held

    run(main())


@pytest.mark.parametrize("failure", [ConnectionError("refused"), None])
def test_without_redis_it_is_lost_by_the_leaders_own_clock_before_it_runs_out(
    failure: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        redis = await known()
        delays: Iterator[tuple[float, float]] = cycle([(0.0, 0.0)])
        line = SlowLine(redis, delays)
        lease = lease_of(line)
        await lease.acquire()
        if failure is None:
            line._delays = cycle([(math.inf, 0.0)])
        else:
            lease._redis = redis
            redis.failure = failure
        await lease.keep()
        assert now() == pytest.approx(SECONDS * (1 - MARGIN))
        assert not lease.is_held
        assert lease.trouble == (str(failure) if failure else "Redis does not answer")

    run(main())
    assert counts()["stream_lease_failures"] >= 2
    assert "cannot request the lease reason=" in caplog.text


def test_a_redis_that_comes_back_in_time_is_no_loss() -> None:
    async def main() -> None:
        redis = await known()
        lease = lease_of(redis)
        await lease.acquire()
        redis.failure = ConnectionError("restarting")
        asyncio.get_running_loop().call_later(2.5, lambda: setattr(redis, "failure", None))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(lease.keep(), 10)
        assert lease.is_held
        assert lease.trouble == ""

    run(main())


def test_who_slept_through_it_leads_no_more_and_believes_no_late_answer() -> None:
    async def main() -> None:
        redis = await known()
        asleep = 0.0
        lease = Lease(redis, seconds=SECONDS, monotonic=lambda: now() + asleep)
        await lease.acquire()
        task = asyncio.ensure_future(lease.keep())
        await asyncio.sleep(0.5)
        asleep = SECONDS
        assert not lease.is_held
        await task
        assert not lease.is_held

    run(main())


def test_an_answer_that_comes_too_late_is_asked_for_again() -> None:
    async def main() -> None:
        redis = await known()
        late = SlowLine(redis, iter([(0.0, 0.9), *[(0.0, 0.0)] * 9]))
        skipping = 1.0
        lease = Lease(late, seconds=SECONDS, monotonic=lambda: now() * skipping)
        task = asyncio.ensure_future(lease.acquire())
        await asyncio.sleep(0.1)
        skipping = 100.0
        epoch = await task
        assert redis.epoch == epoch
        assert lease.is_held

    run(main())


async def test_what_is_no_answer_is_none(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(FakeRedis):
        async def ask(self, *words: bytes) -> bytes:
            return None  # type: ignore[return-value]

    lease = Lease(Odd(lambda: 0.0), seconds=SECONDS)
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(lease.acquire(), 0.01)
    assert lease.trouble == "Redis answered None"


def test_it_is_told_once_that_another_leads(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "django_fcs")

    async def main() -> None:
        redis = await known()
        await lease_of(redis).acquire()
        await lease_of(redis).acquire()

    run(main())
    assert caplog.text.count("standing by") == 1


@pytest.mark.parametrize("seconds", [0, -1, 0.4, math.inf, math.nan])
def test_a_lease_too_short_to_renew_is_refused(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="FCS_LEASE_SECONDS"):
        Lease(FakeRedis(lambda: 0.0), seconds=seconds)


def test_where_there_is_no_other_stream_it_is_held_for_as_long_as_the_process_runs() -> None:
    async def main() -> None:
        lease = Alone(wall, monotonic=now)
        assert not lease.is_held
        assert await lease.acquire() == int(wall() * 1000)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(lease.keep(), 1000)
        assert lease.is_held
        assert not await lease.release()
        assert not lease.is_held

    run(main())


def test_who_was_paused_begins_anew_even_where_there_is_no_other_stream() -> None:
    async def main() -> None:
        asleep = 0.0
        lease = Alone(lambda: BOOT, monotonic=lambda: now() + asleep)
        epoch = await lease.acquire()
        keeping = asyncio.ensure_future(lease.keep())
        await asyncio.sleep(100)
        assert lease.is_held
        asleep = 11.0
        assert not lease.is_held
        await keeping
        assert await lease.acquire() > epoch
        assert lease.is_held

    run(main())


@pytest.mark.parametrize("prefix", ["asgi", "my.site", "a{b"])
def test_all_keys_of_a_lease_are_in_one_hash_slot(prefix: str) -> None:
    """Redis hashes what is between the first brace and the next closing one."""
    tags = {key.partition(b"{")[2].partition(b"}")[0] for key in lease_keys(prefix)}

    assert len(tags) == 1 and tags != {b""}
