"""The lease: the right to hold the connection to the vendor, which Redis lends.

One stream of a site leads. It renews the lease well before the lease expires; the others
ask for it until it is free. The leader stops by its own clock before the lease expires
in Redis, so two streams never lead at once, whatever Redis answers or fails to answer.
Each leader has a higher epoch than the one before, by which hubs recognise late messages.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from django_fcs.exceptions import ConfigurationError
from django_fcs.layer.wire import Reply
from django_fcs.sharing.mark import marked, site_mark
from django_fcs.tools.clocks import since_boot
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.tasks import limited

from .redis_errors import sentence_of

__all__ = ["ANOTHER_SITE", "Alone", "Lease", "lease_keys"]

logger = logger_of(__name__)

#: What a stream says while another site holds the lease.
ANOTHER_SITE = "another site uses this database: set FCS_SITE"
_WARNING = (
    f"{ANOTHER_SITE}, or end the old stream if FCS_URL or FCS_API_KEY of this site has changed"
)

#: How long a process that ends waits for Redis at most, in seconds.
GOODBYE_SECONDS = 0.5

#: The shortest lease, in seconds. Every short delay of Redis would end a shorter one.
SHORTEST_SECONDS = 0.5

#: Parts of a lease's length. Two clocks may differ by ``MARGIN``. A leader renews after
#: ``RENEW``. A standby asks every ``POLL``, and so does a process that got no answer. An
#: answer is awaited for ``PATIENCE``.
MARGIN = 0.1
RENEW = 1 / 3
POLL = 0.1
PATIENCE = 1 / 3

#: A process that stood still for longer than this, in seconds, was paused.
PAUSED_SECONDS = 10

#: Sets ``server`` to the id of this run of Redis; empty if a proxy or its permissions hide it.
_SERVER = b"""
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
"""

#: Keys: lease, epoch, a standby waits, the run of the server, the leader's site. Arguments:
#: token, milliseconds, site. Returns the epoch; or minus the milliseconds after which it is
#: worth asking again, and the leader's site.
#: A Redis without an epoch is new or has lost its data. One that was restarted, or was a
#: replica, may have lost the latest data. The leader before may then still lead for the rest
#: of its lease, so Redis lends to nobody for the length of one lease. The next epoch is the
#: time in milliseconds or higher. This is above all earlier epochs, because terms begin less
#: often than once per millisecond. A stored epoch that is no number, or more than a year ahead
#: of the clock, counts as lost: hubs would refuse all that follow from it. The site of a leader
#: outlasts its lease by one length, in which only streams of this site get it.
ACQUIRE = (
    _SERVER
    + b"""
local owner = redis.call('GET', KEYS[1])
local site = redis.call('GET', KEYS[5]) or ''
local function later(milliseconds)
  return string.format('%d %s', -milliseconds, site)
end
if owner and owner ~= ARGV[1] then
  redis.pcall('SET', KEYS[3], '1', 'PX', ARGV[2])
  return later(math.max(redis.call('PTTL', KEYS[1]), 0))
end
local stored = tonumber(redis.pcall('GET', KEYS[2]))
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if stored and not (stored <= now + 31536000000) then stored = nil end
if not stored or redis.call('GET', KEYS[4]) ~= server then
  redis.call('SET', KEYS[1], '', 'PX', ARGV[2])
  redis.call('SET', KEYS[2], stored or now)
  redis.call('SET', KEYS[4], server)
  return later(ARGV[2])
end
local left = redis.call('PTTL', KEYS[5])
if not owner and left > 0 and site ~= '' and site ~= ARGV[3] then
  redis.pcall('SET', KEYS[3], '1', 'PX', ARGV[2])
  return later(left)
end
local epoch = math.max(stored + 1, now)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], epoch)
redis.call('SET', KEYS[5], ARGV[3], 'PX', 2 * ARGV[2])
redis.call('DEL', KEYS[3])
return epoch
"""
)

#: Returns 1, or 0 if another process or nobody has the lease. It uses PEXPIRE instead of SET,
#: because PEXPIRE also works on a Redis that is out of memory. If the server was restarted and
#: has kept the lease, nothing was lost.
RENEW_IT = (
    _SERVER
    + b"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('GET', KEYS[4]) ~= server then redis.pcall('SET', KEYS[4], server) end
if redis.call('PEXPIRE', KEYS[5], 2 * ARGV[2]) == 0 then
  redis.pcall('SET', KEYS[5], ARGV[3], 'PX', 2 * ARGV[2])
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
)

#: Returns whether a standby waits for the lease; -1 if another process or nobody has it.
RELEASE = b"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
redis.call('DEL', KEYS[1])
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('DEL', KEYS[5])
  return 0
end
redis.call('PEXPIRE', KEYS[5], ARGV[2])
return 1
"""


def lease_keys(prefix: str) -> list[bytes]:
    """Return the keys of the scripts, in their order; ``prefix`` is that of the channel layer.

    The braces put them into one hash slot, without which a Redis in cluster mode runs no script.
    """
    names = ("lease", "epoch", "waiting", "server", "site")
    return [f"{prefix}:{{{marked('fcs', site_mark())}}}:{name}".encode() for name in names]


class Redis(Protocol):
    """What a lease needs of Redis; ``Line`` provides it."""

    async def ask(self, *words: bytes) -> Reply:
        """Send a command and return the answer; may raise anything, or never return."""

    async def close(self) -> None:
        """Close the connection; the next ``ask`` opens another."""


class Lease:
    """The lease of one site, as one process sees it; ``async with`` gives it back at the end.

    Args:
        redis: The Redis that lends it; the lease closes it.
        seconds: How long the lease lasts. It must be the same for all streams of a site.
        prefix: The prefix of the keys, which is that of the channel layer.
        site: The fingerprint of this site; "" if it has no key.
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
        site: str = "",
        monotonic: Callable[[], float] = since_boot,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not SHORTEST_SECONDS <= seconds < math.inf:
            raise ConfigurationError(f"FCS_LEASE_SECONDS must be at least {SHORTEST_SECONDS:g}")
        self._redis = redis
        self._seconds = seconds
        self._keys = lease_keys(prefix)
        self._site = site.encode()
        self._monotonic = monotonic
        self._sleep = sleep
        self._token = b""
        self._until = -math.inf
        self.trouble = ""
        """Why this process does not lead: the error of Redis, or that another site leads."""

    async def __aenter__(self) -> Lease:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            await self.release()
        finally:
            await self._redis.close()

    @property
    def is_held(self) -> bool:
        """Whether this process leads, by its own clock; check it before each action."""
        return self._monotonic() < self._until

    async def is_lent(self) -> bool:
        """Return whether any process leads. Raises what Redis raises."""
        return bool(await self._redis.ask(b"GET", self._keys[0]))

    async def acquire(self) -> int:
        """Wait until this process leads, and return its epoch."""
        # A new one each time: a command still under way with an earlier one means nothing.
        self._token = secrets.token_hex(16).encode()
        is_told = is_warned = False
        while True:
            asked_at = self._monotonic()
            answer = await self._asked(ACQUIRE, self._seconds * PATIENCE)
            if answer is not None and answer > 0:
                self._until = asked_at + self._seconds * (1 - MARGIN)
                if self.is_held:
                    if is_warned:
                        logger.warning("leading in the place of another site or of an older key")
                    return answer
            elif self.trouble == ANOTHER_SITE and not is_warned:
                is_warned = True
                count("stream_other_sites")
                logger.error("standing by reason=%s", _WARNING)
            elif answer is not None and not is_told:
                is_told = True
                logger.info("standing by until the lease is free")
            pause = self._seconds * POLL
            # Ask just after the lease expires, if that is sooner.
            left = -answer / 1000 + 0.001 if answer is not None and answer < 0 else pause
            await self._sleep(min(pause, left))

    async def keep(self) -> None:
        """Renew the lease; return once it is lost."""
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
                # Not if the lease has expired meanwhile: others may have seen that.
                self._until = asked_at + self._seconds * (1 - MARGIN)
            pause = self._seconds * (POLL if answer is None else RENEW)

    async def release(self) -> bool:
        """Give the lease back; False if no other process has it or waits for it."""
        self._until = -math.inf
        if not self._token:
            return True
        # Also if it was never granted, because the answer may have been on its way.
        answer = await self._asked(RELEASE, GOODBYE_SECONDS)
        self._token = b""
        return answer != 0

    async def _asked(self, script: bytes, limit: float) -> int | None:
        """Run a script and return its answer; None if there was none in time."""
        values = (self._token, b"%d" % (self._seconds * 1000), self._site)
        words = (b"EVAL", script, b"%d" % len(self._keys), *self._keys, *values)
        try:
            reply = await limited(self._redis.ask(*words), limit)
            if not isinstance(reply, bytes):
                raise ConnectionError(f"Redis answered {reply!r}")
            number, _, leader = reply.partition(b" ")
            answer = int(number)
        except Exception as error:  # whatever redis-py raises
            self.trouble = sentence_of(error) or "Redis does not answer"
            if count("stream_lease_failures"):
                logger.warning("cannot request the lease reason=%s", self.trouble)
            return None
        differs = leader and self._site and leader != self._site
        self.trouble = ANOTHER_SITE if differs else ""
        return answer


class Alone:
    """The lease of a stream that can have no standby: it leads, unless it was paused.

    Data that was in the socket's buffers while the machine slept would seem new. A stream that
    was paused therefore starts a new term without reading it, like any other stream.
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
        """Return the epoch: the time in milliseconds, but always above the last one."""
        self._until = self._monotonic() + PAUSED_SECONDS
        self._epoch = max(self._epoch + 1, int(self._clock() * 1000))
        return self._epoch

    async def keep(self) -> None:
        """Return once the process was paused."""
        while (now := self._monotonic()) < self._until:
            self._until = now + PAUSED_SECONDS
            await self._sleep(PAUSED_SECONDS * POLL)

    async def release(self) -> bool:
        """Stop leading; return False, because no standby waits."""
        self._until = -math.inf
        return False
