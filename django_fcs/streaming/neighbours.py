"""Whether another site uses the Redis database of this one."""

from __future__ import annotations

import asyncio
from functools import partial

from django_fcs.layer.bus import lease_line
from django_fcs.layer.line import Line
from django_fcs.layer.wire import Reply
from django_fcs.sharing.fingerprint import fingerprint
from django_fcs.tools.tasks import limited
from django_fcs.tools.worker import Worker

from .lease import lease_keys

__all__ = ["ASK_SECONDS", "is_shared"]

#: How long Redis may take to answer, in seconds.
ASK_SECONDS = 2.0


def is_shared(*, within: float = ASK_SECONDS) -> bool:
    """Return whether the stream that leads has another ``FCS_URL`` or key than this process.

    It is also false if this is not known: no stream leads, this process has no key, or the
    layer is not from channels_redis. Raises what redis-py raises, and a ``TimeoutError`` if
    Redis does not answer within so many seconds.
    """
    found, own = lease_line(), fingerprint()
    if found is None or not own:
        return False
    line, prefix = found
    # In a thread, because the caller may run in a loop.
    asking = partial(_site_of_the_leader, line, prefix, within)
    theirs = Worker("fcs-site").submit(lambda: asyncio.run(asking())).result(2 * within)
    return isinstance(theirs, bytes) and theirs not in (b"", own.encode())


async def _site_of_the_leader(line: Line, prefix: str, within: float) -> Reply:
    try:
        return await limited(line.ask(b"GET", lease_keys(prefix)[-1]), within)
    finally:
        await line.close()
