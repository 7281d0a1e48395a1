"""A Redis that lends a lease, as slow and forgetful as a test likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from django_fcs.streaming.lease import ACQUIRE, RELEASE, RENEW_IT, Lease

SECONDS = 3.0
BOOT = 1_700_000_000.0


class FakeRedis:
    """What the scripts of a lease do, at the time of a clock (seconds)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._scripts = {ACQUIRE: self._acquire, RENEW_IT: self._renew, RELEASE: self._release}
        self.failure: Exception | None = None
        self.asked = 0
        self._run = 1
        self.lose_all()

    def lose_all(self) -> None:
        """Forget everything, as a restart without persistence does."""
        self._owner, self._until = b"", 0.0
        self._waits_until = 0.0
        self.epoch: int | None = None
        self._known_run = 0
        self.site, self._site_until = b"", 0.0

    @property
    def _known_site(self) -> bytes:
        return self.site if self._site_until > self._clock() else b""

    def know(self, epoch: int) -> None:
        """Be a Redis that has lent a lease before."""
        self.epoch, self._known_run = epoch, self._run

    def lose_the_last(self) -> None:
        """Run again without the lease, as from a snapshot or as the replica that takes over."""
        self._owner, self._until = b"", 0.0
        self._run += 1

    def run_anew(self) -> None:
        """Run again and have lost nothing."""
        self._run += 1

    async def ask(self, *words: bytes) -> bytes:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.obey(*words)

    async def close(self) -> None:
        pass

    def obey(self, *words: bytes) -> bytes:
        _, script, _, *_, token, milliseconds, site = words
        answer = self._scripts[script](token, int(milliseconds) / 1000, site)
        return b"%d %b" % (answer, self._known_site) if script == ACQUIRE else b"%d" % answer

    def _acquire(self, token: bytes, seconds: float, site: bytes) -> int:
        now = self._clock()
        if self._until > now and self._owner != token:
            self._waits_until = now + seconds
            return -int((self._until - now) * 1000)
        if self.epoch is None or self._known_run != self._run:
            self._owner, self._until = b"", now + seconds
            self.epoch = self.epoch or int(now * 1000)
            self._known_run = self._run
            return -int(seconds * 1000)
        is_anothers = self._known_site not in (b"", site)
        if is_anothers and not self._is_of(token):
            self._waits_until = now + seconds
            return -int((self._site_until - now) * 1000)
        self._owner, self._until = token, now + seconds
        self.site, self._site_until = site, now + 2 * seconds
        self._waits_until = 0
        self.epoch = max(self.epoch + 1, int(now * 1000))
        return self.epoch

    def _renew(self, token: bytes, seconds: float, site: bytes) -> int:
        if not self._is_of(token):
            return 0
        now = self._clock()
        self._until, self._known_run = now + seconds, self._run
        self.site = self._known_site or site
        self._site_until = now + 2 * seconds
        return 1

    def _release(self, token: bytes, seconds: float, site: bytes) -> int:
        if not self._is_of(token):
            return -1
        self._until, now = 0, self._clock()
        waits = self._waits_until > now
        self._site_until = now + seconds if waits else 0.0
        return int(waits)

    def _is_of(self, token: bytes) -> bool:
        return self._until > self._clock() and self._owner == token


class SlowLine:
    """A way to it: each command and each answer takes its time, also if nobody waits for it."""

    def __init__(self, redis: FakeRedis, delays: Iterator[tuple[float, float]]) -> None:
        self._redis = redis
        self._delays = delays

    async def ask(self, *words: bytes) -> Any:
        loop = asyncio.get_running_loop()
        there, back = next(self._delays)
        answer = loop.create_future()

        def come_back(reply: Any) -> None:
            if not answer.done():
                answer.set_result(reply)

        def arrive() -> None:
            loop.call_later(back, come_back, self._redis.obey(*words))

        loop.call_later(there, arrive)
        return await answer

    async def close(self) -> None:
        pass


def wall() -> float:
    return BOOT + asyncio.get_running_loop().time()


def now() -> float:
    return asyncio.get_running_loop().time()


def lease_of(redis: FakeRedis | SlowLine, *, rate: float = 1.0, site: str = "") -> Lease:
    """A process whose clock runs at a rate of its own."""
    return Lease(redis, seconds=SECONDS, site=site, monotonic=lambda: now() * rate)


async def known() -> FakeRedis:
    """A Redis that has lent a lease before."""
    redis = FakeRedis(wall)
    redis.know(1)
    return redis
