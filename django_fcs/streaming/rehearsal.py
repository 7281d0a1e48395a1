"""Try the lease without taking it, to find out whether a stream could lead."""

from __future__ import annotations

import secrets
from contextlib import suppress

from django_fcs.layer.line import Line
from django_fcs.layer.wire import Reply, WireError
from django_fcs.tools.tasks import limited

from .lease import ACQUIRE, GOODBYE_SECONDS, RELEASE, RENEW_IT, lease_keys

__all__ = ["rehearse"]

_MILLISECONDS = b"10000"

#: Runs a script and makes all keys expire, also if the script fails: a key without an expiry
#: would stay for ever if the connection ended before ``DEL``, or if the user had no right to it.
#: It uses no command that the scripts do not use.
_EXPIRING = b"""
local function script()
%b
end
local done, answer = pcall(script)
for _, key in ipairs(KEYS) do
  local value = redis.pcall('GET', key)
  if type(value) == 'string' then redis.pcall('SET', key, value, 'PX', ARGV[2]) end
end
if done or type(answer) == 'table' then return answer end
error(answer, 0)
"""


async def rehearse(line: Line, prefix: str, *, within: float = 5.0) -> None:
    """Take, renew and return a lease of its own keys, as a stream does, and remove the keys.

    The keys begin with ``prefix`` and are in the hash slot of the real ones. If they cannot be
    removed, they expire. Raises what redis-py or ``Wire`` raises, and ``asyncio.TimeoutError``
    if Redis takes longer than ``within`` seconds.
    """
    keys = lease_keys(f"{prefix}:doctor:{secrets.token_hex(8)}")
    try:
        await limited(_rehearsed(line, keys), within)
    finally:
        await _forget(line, keys)


async def _rehearsed(line: Line, keys: list[bytes]) -> None:
    token = secrets.token_hex(16).encode()

    async def run(script: bytes) -> Reply:
        values = (token, _MILLISECONDS, b"")
        return await line.ask(b"EVAL", _EXPIRING % script, b"%d" % len(keys), *keys, *values)

    # The first time, a Redis without an epoch lends nothing for the length of a lease.
    await run(ACQUIRE)
    await line.ask(b"DEL", keys[0])
    answers = [await run(script) for script in (ACQUIRE, RENEW_IT, RELEASE)]
    epoch, renewed, waits = (int(one) if isinstance(one, bytes) else None for one in answers)
    if not epoch or epoch < 0 or (renewed, waits) != (1, 0):
        raise WireError(f"the scripts of the lease answered {answers!r}")


async def _forget(line: Line, keys: list[bytes]) -> None:
    try:
        with suppress(Exception):  # The scripts have already failed, or the keys expire.
            await limited(line.ask(b"DEL", *keys), GOODBYE_SECONDS)
    finally:
        await line.close()
