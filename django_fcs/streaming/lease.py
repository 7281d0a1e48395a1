"""Who leads: the right to hold the upstream connection, on loan from Redis.

Of all streams of a site one leads. It renews the lease well before that runs out; the
others ask for it until it is free. Who leads stops by its own clock before the lease
runs out at Redis, so that never two lead at once, whatever Redis says or fails to say.
Each leader has a higher epoch than the one before, by which hubs tell late words.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from django_fcs.exceptions import ConfigurationError
from django_fcs.layer.wire import Reply
from django_fcs.tools.clocks import since_boot
from django_fcs.tools.metrics import count

__all__ = ["Alone", "Lease"]

logger = logging.getLogger(__name__)

#: A process that ends waits no longer for Redis than this, in seconds.
GOODBYE_SECONDS = 0.5

#: The shortest lease, in seconds: below it every hiccup of Redis would end one.
SHORTEST_SECONDS = 0.5

#: Parts of a lease. Two clocks may differ by ``MARGIN``; who leads renews after
#: ``RENEW``; who waits asks each ``POLL``, and so does who got no answer; one is
#: awaited for ``PATIENCE``.
MARGIN = 0.1
RENEW = 1 / 3
POLL = 0.1
PATIENCE = 1 / 3

#: A process that stood still for longer was paused.
PAUSED_SECONDS = 10

#: Which run of which server this is; nothing where a proxy or its rights do not let it say so.
_SERVER = b"""
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
"""

#: Keys: lease, epoch, somebody waits, the run of the server. Arguments: token, milliseconds.
#: Returns the epoch, or minus the milliseconds after which it is worth asking again.
#: A Redis that knows no epoch is new or has lost its data; one that runs anew, or was a
#: replica, may have lost the last of it. Whoever led before may lead on for what is left of a
#: lease, so it lends to nobody for as long as one lasts; and the epoch goes on above all
#: earlier ones, as none runs faster than a millisecond each.
ACQUIRE = (
    _SERVER
    + b"""
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  redis.pcall('SET', KEYS[3], '1', 'PX', ARGV[2])
  return -math.max(redis.call('PTTL', KEYS[1]), 0)
end
local stored = redis.call('GET', KEYS[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not stored or redis.call('GET', KEYS[4]) ~= server then
  redis.call('SET', KEYS[1], '', 'PX', ARGV[2])
  redis.call('SET', KEYS[2], stored or now)
  redis.call('SET', KEYS[4], server)
  return -ARGV[2]
end
local epoch = math.max(stored + 1, now)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], epoch)
redis.call('DEL', KEYS[3])
return epoch
"""
)

#: Returns 1, or 0 where the lease is another's or nobody's. PEXPIRE and not SET: it
#: works on a Redis that is out of memory, too. Where the server runs anew and has kept the
#: lease, nothing was lost.
RENEW_IT = (
    _SERVER
    + b"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('GET', KEYS[4]) ~= server then redis.pcall('SET', KEYS[4], server) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
)

#: Returns whether somebody waits for it; -1 where it is another's or nobody's.
RELEASE = b"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
redis.call('DEL', KEYS[1])
return redis.call('EXISTS', KEYS[3])
"""


class Redis(Protocol):
    """What a lease needs of Redis; ``Line`` is one."""

    async def ask(self, *words: bytes) -> Reply:
        """Send a command and return the answer; may raise anything, or never return."""

    async def close(self) -> None:
        """End the connection; the next question opens another."""


class Lease:
    """The lease of one site, as one process sees it; ``async with`` gives it back.

    Args:
        redis: Where it is lent; the lease closes it.
        seconds: How long one loan lasts. All streams of a site have to agree.
        prefix: What the keys begin with: that of the channel layer.
        monotonic, sleep: For tests.

    Raises:
        ConfigurationError: ``seconds`` is too short.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        seconds: float,
        prefix: str = "asgi",
        monotonic: Callable[[], float] = since_boot,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not SHORTEST_SECONDS <= seconds < math.inf:
            raise ConfigurationError(f"FCS_LEASE_SECONDS must be at least {SHORTEST_SECONDS:g}")
        self._redis = redis
        self._seconds = seconds
        names = ("lease", "epoch", "waiting", "server")
        self._keys = [f"{prefix}:fcs:{name}".encode() for name in names]
        self._monotonic = monotonic
        self._sleep = sleep
        self._token = b""
        self._until = -math.inf
        self.trouble = ""
        """Why Redis cannot be asked, where it cannot."""

    async def __aenter__(self) -> Lease:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            await self.release()
        finally:
            await self._redis.close()

    @property
    def is_held(self) -> bool:
        """Whether this process leads, by its own clock; to be looked at before each deed."""
        return self._monotonic() < self._until

    async def acquire(self) -> int:
        """Wait until this process leads, and return its epoch."""
        # A new one each time: what an earlier one still has under way means nothing.
        self._token = secrets.token_hex(16).encode()
        is_told = False
        while True:
            asked_at = self._monotonic()
            answer = await self._asked(ACQUIRE, self._seconds * PATIENCE)
            if answer is not None and answer > 0:
                self._until = asked_at + self._seconds * (1 - MARGIN)
                if self.is_held:
                    return answer
            elif answer is not None and not is_told:
                is_told = True
                logger.info("standing by until the lease is free")
            pause = self._seconds * POLL
            # Just after it runs out, if that is sooner.
            left = -answer / 1000 + 0.001 if answer is not None and answer < 0 else pause
            await self._sleep(min(pause, left))

    async def keep(self) -> None:
        """Renew the lease; returns once it is lost."""
        pause = self._seconds * RENEW
        while (left := self._until - self._monotonic()) > 0:
            await self._sleep(min(pause, left))
            asked_at = self._monotonic()
            left = self._until - asked_at
            if left <= 0:
                break
            answer = await self._asked(RENEW_IT, min(self._seconds * PATIENCE, left))
            if answer == 0:
                self._until = -math.inf
            elif answer is not None and self.is_held:
                # Not where time has run out meanwhile: others may have seen that.
                self._until = asked_at + self._seconds * (1 - MARGIN)
            pause = self._seconds * (POLL if answer is None else RENEW)

    async def release(self) -> bool:
        """Give it back; False where nobody else has it or waits for it."""
        self._until = -math.inf
        if not self._token:
            return True
        # Also where it was never granted: the answer may have been on its way.
        answer = await self._asked(RELEASE, GOODBYE_SECONDS)
        self._token = b""
        return answer != 0

    async def _asked(self, script: bytes, limit: float) -> int | None:
        """Return the answer of a script; None where there was none in time."""
        milliseconds = b"%d" % (self._seconds * 1000)
        words = (b"EVAL", script, b"4", *self._keys, self._token, milliseconds)
        try:
            reply = await asyncio.wait_for(self._redis.ask(*words), limit)
            if not isinstance(reply, bytes):
                raise ConnectionError(f"Redis answered {reply!r}")
            answer = int(reply)
        except Exception as error:  # whatever redis-py raises
            self.trouble = str(error) or "Redis does not answer"
            if count("stream_lease_failures"):
                logger.warning("cannot request the lease reason=%s", self.trouble)
            return None
        self.trouble = ""
        return answer


class Alone:
    """The lease of a stream that no other could relieve: it leads, unless it was paused.

    What lay in the socket's buffers while the machine slept comes in as if it were new: so a
    stream that was paused has to begin anew like any other, without having read it.
    """

    trouble = ""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        monotonic: Callable[[], float] = since_boot,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._until = -math.inf
        self._epoch = 0

    @property
    def is_held(self) -> bool:
        """Whether the process has not been paused since it began."""
        return self._monotonic() < self._until

    async def acquire(self) -> int:
        """Return the epoch: time in milliseconds, and above the last one."""
        self._until = self._monotonic() + PAUSED_SECONDS
        self._epoch = max(self._epoch + 1, int(self._clock() * 1000))
        return self._epoch

    async def keep(self) -> None:
        """Return once the process was paused."""
        while (now := self._monotonic()) < self._until:
            self._until = now + PAUSED_SECONDS
            await self._sleep(PAUSED_SECONDS * POLL)

    async def release(self) -> bool:
        """Tell that nobody waits."""
        self._until = -math.inf
        return False
