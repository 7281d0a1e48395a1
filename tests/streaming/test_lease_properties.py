"""Whatever happens: never two lead at once, and epochs only rise."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import cycle

from hypothesis import given, settings, strategies as st

from django_fcs.streaming.lease import Lease
from django_fcs.tools.tasks import end
from tests.streaming.leases import FakeRedis, SlowLine, known, lease_of, wall
from tests.support.virtual_time import run

DELAYS = st.one_of(st.just(0.0), st.floats(0, 0.2), st.floats(0, 5))
NETWORKS = st.lists(st.tuples(DELAYS, DELAYS), min_size=1, max_size=20)

#: What becomes of the data of a Redis that fails.
LOSSES = st.sampled_from(["lose_all", "lose_the_last", "run_anew"])

#: What a leader does, after how many seconds: give it back, go on without renewing, die.
TERMS = st.lists(
    st.tuples(st.sampled_from(["leaves", "sleeps", "dies"]), st.floats(0.1, 10)),
    min_size=1,
    max_size=8,
)


class World:
    """Some processes, one Redis, and what became of them."""

    def __init__(self) -> None:
        self.redis = FakeRedis(wall)
        self.leases: list[Lease] = []
        self.epoch = 0

    async def process(
        self,
        rate: float,
        site: str,
        network: list[tuple[float, float]],
        terms: list[tuple[str, float]],
    ) -> None:
        delays = cycle(network)
        for what, after in cycle(terms):
            lease = lease_of(SlowLine(self.redis, delays), rate=rate, site=site)
            self.leases.append(lease)
            epoch = await lease.acquire()
            assert epoch > self.epoch
            self.epoch = epoch
            self.check()
            if what == "sleeps":
                await asyncio.sleep(after)
            else:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(lease.keep(), after)
            self.check()
            if what != "dies":
                await lease.release()
                assert not lease.is_held
            self.leases.remove(lease)

    async def lose_data(self, losses: list[tuple[str, float]]) -> None:
        for what, pause in losses:
            await asyncio.sleep(pause)
            getattr(self.redis, what)()
        await asyncio.Event().wait()

    async def watch(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.05)):
            await asyncio.sleep(0.05)
            self.check()

    def check(self) -> None:
        assert sum(lease.is_held for lease in self.leases) <= 1


@given(
    processes=st.lists(
        st.tuples(st.floats(0.91, 1.09), st.sampled_from("ab"), NETWORKS, TERMS),
        min_size=2,
        max_size=3,
    ),
    losses=st.lists(st.tuples(LOSSES, st.floats(0, 10)), max_size=4),
)
@settings(deadline=None, max_examples=25)
def test_never_do_two_lead_by_their_own_clocks_and_epochs_only_rise(
    processes: list[tuple[float, str, list[tuple[float, float]], list[tuple[str, float]]]],
    losses: list[tuple[str, float]],
) -> None:
    async def main() -> None:
        world = World()
        tasks = [asyncio.ensure_future(world.process(*one)) for one in processes]
        tasks.append(asyncio.ensure_future(world.lose_data(losses)))
        try:
            await world.watch(30)
        finally:
            await end(*tasks)
        assert all(task.cancelled() for task in tasks), tasks

    run(main())


def test_without_the_margin_two_would_lead() -> None:
    """What the property above stands on: it fails for clocks that differ too much."""

    async def main() -> None:
        redis = await known()
        slow, other = lease_of(redis, rate=0.8), lease_of(redis)
        await slow.acquire()
        await other.acquire()
        assert slow.is_held and other.is_held

    run(main())
