"""Try the lease without taking it, to find out whether a stream could lead."""

from __future__ import annotations

import asyncio
import secrets

from django_fcs.layer.line import Line
from django_fcs.layer.wire import Reply, WireError

from .lease import ACQUIRE, RELEASE, RENEW_IT, lease_keys

__all__ = ["rehearse"]

#: How long Redis may take for everything, in seconds.
REHEARSE_SECONDS = 5.0

_MILLISECONDS = b"10000"


async def rehearse(line: Line, prefix: str) -> None:
    """Take, renew and return a lease of its own keys, as a stream does, and remove the keys.

    The keys begin with ``prefix`` and are in the hash slot of the real ones. Raises what
    redis-py or ``Wire`` raises, and ``asyncio.TimeoutError``.
    """
    try:
        await asyncio.wait_for(_rehearsed(line, prefix), REHEARSE_SECONDS)
    finally:
        await line.close()


async def _rehearsed(line: Line, prefix: str) -> None:
    keys = lease_keys(f"{prefix}:doctor:{secrets.token_hex(8)}")
    token = secrets.token_hex(16).encode()

    async def run(script: bytes) -> Reply:
        values = (token, _MILLISECONDS, b"")
        return await line.ask(b"EVAL", script, b"%d" % len(keys), *keys, *values)

    # The first time, a Redis without an epoch lends nothing for the length of a lease.
    await run(ACQUIRE)
    await line.ask(b"DEL", keys[0])
    answers = [await run(script) for script in (ACQUIRE, RENEW_IT, RELEASE)]
    await line.ask(b"DEL", *keys)
    epoch, renewed, waits = (int(one) if isinstance(one, bytes) else None for one in answers)
    if not epoch or epoch < 0 or (renewed, waits) != (1, 0):
        raise WireError(f"the scripts of the lease answered {answers!r}")
