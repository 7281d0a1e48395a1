"""The stream inside the web process, for sites with the in-memory channel layer.

Only here do stream and hub run in one process. The stream starts with the first join, in
the event loop that serves the join, and never while Django is being set up.
"""

from __future__ import annotations

import asyncio
import time

from .candles import reading
from .conf import conf
from .exceptions import ConfigurationError, FCSError
from .layer.bus import Beat, Bus, layer_is_in_memory
from .prices.paths import PathReport
from .prices.store import Store
from .rooms import Room
from .site import site_store, streams
from .streaming.fetching import rest_client
from .streaming.stream import Stream
from .tools.complaints import Complaints
from .tools.logs import logger_of
from .tools.tasks import end
from .upstream import Timing, UpstreamClient

__all__ = ["start", "stop"]

logger = logger_of(__name__)

_complaints = Complaints()


def start() -> None:
    """Start the stream in this loop, if the channel layer is the in-memory one."""
    loop = asyncio.get_running_loop()
    task = streams.get(loop)
    if layer_is_in_memory() and (task is None or task.done()):
        for ended in [other for other in streams if other.is_closed()]:
            del streams[ended]
        streams[loop] = loop.create_task(_stream(site_store()))


async def stop() -> None:
    """Stop the stream of this loop, as a test or a stopping server does."""
    task = streams.pop(asyncio.get_running_loop(), None)
    if task is not None:
        await end(task)


async def _stream(store: Store) -> None:
    """Run the stream; log errors in the site's settings instead of raising them."""
    try:
        conf.validate()
        rooms = [Room.from_text(text) for text in conf.FCS_ROOMS]
        client = UpstreamClient(
            conf.FCS_API_KEY,
            url=conf.FCS_URL,
            give_up_on_refusal=False,
            timing=Timing.within(conf.FCS_OFFLINE_AFTER_SECONDS),
        )
        async with client:
            stream = Stream(
                client, store, candles=reading.candle_store(), rest=rest_client(), rooms=rooms
            )
            await stream.run()
    except FCSError as error:
        # Each join starts the stream again.
        if _complaints.is_new("", str(error)):
            logger.error("cannot stream in this process reason=%s", error)
        await _give_up(store)
    except Exception:
        logger.exception("the stream in this process has failed")
        await _give_up(store)


async def _give_up(store: Store) -> None:
    """Tell open pages that no price will come."""
    now = time.time()
    path = PathReport(now, online=False, reason=ConfigurationError.public)
    await store.asave({}, path)
    async with Bus() as bus:
        await bus.beat(Beat(int(now * 1000), path))
