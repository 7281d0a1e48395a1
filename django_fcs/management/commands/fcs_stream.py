"""The process of a site that is connected to the vendor."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_fcs.candles.reading import candle_store
from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError, FCSError, RecordingError
from django_fcs.layer.bus import layer_is_in_memory, lease_line
from django_fcs.management.running import (
    Screen,
    fail,
    port_number,
    quiet,
    run_until_signal,
    show_logs,
)
from django_fcs.operations.exposition import serving
from django_fcs.operations.status import HEARTBEAT_SECONDS, cause, read, shared_store, trouble
from django_fcs.prices.reports import StreamStatus
from django_fcs.recording import Recorder
from django_fcs.rooms import Room
from django_fcs.sharing.fingerprint import fingerprint
from django_fcs.site import site_store
from django_fcs.streaming.fetching import rest_client
from django_fcs.streaming.lease import Lease
from django_fcs.streaming.stream import Stream
from django_fcs.tools.logs import logger_of
from django_fcs.tools.tasks import together
from django_fcs.upstream import Timing, UpstreamClient

logger = logger_of("django_fcs.fcs_stream")

_IN_MEMORY = (
    "the channel layer is the in-memory one, so the web process streams by itself; to use "
    "fcs_stream, set CHANNEL_LAYERS to channels_redis.pubsub.RedisPubSubChannelLayer"
)


class Command(BaseCommand):
    """Publish prices to the channel layer, until Ctrl-C or SIGTERM."""

    help = "Stream prices from the FCS API to all web processes of this site."
    # The command checks what it needs itself, and reports a problem in one line.
    requires_system_checks = []
    #: How often the status is drawn on a terminal, or logged elsewhere, in seconds.
    draw_seconds = 0.5
    log_seconds = 60.0
    #: How long a check waits for the next heartbeat in the cache, in seconds.
    heartbeat_seconds = HEARTBEAT_SECONDS

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "rooms", nargs="*", metavar="ROOM", help="join it besides FCS_ROOMS, as in FX:EURUSD_1D"
        )
        parser.add_argument("--record", metavar="FILE", help="append every received frame")
        parser.add_argument(
            "--check",
            action="store_true",
            help="start nothing; exit with 0 if a stream runs and is online",
        )
        parser.add_argument(
            "--metrics-port", type=port_number, metavar="N", help="serve metrics on this port"
        )
        parser.add_argument(
            "--metrics-host", default="127.0.0.1", metavar="ADDRESS", help="and on this address"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the stream until a signal ends it, or check whether one runs."""
        if options["check"]:
            self._check()
            return
        screen = Screen(sys.stdout)
        show_logs(screen, level=logging.WARNING if screen.is_terminal else logging.INFO)
        try:
            conf.validate()
            if layer_is_in_memory():
                raise ConfigurationError(_IN_MEMORY)
            rooms = [Room.from_text(text) for text in [*conf.FCS_ROOMS, *options["rooms"]]]
            leave = asyncio.Event()
            with ExitStack() as stack:
                if options["metrics_port"] is not None:
                    place = serving(options["metrics_host"], options["metrics_port"])
                    logger.info("metrics served url=%s", stack.enter_context(place))
                run_until_signal(
                    lambda: self._stream(rooms, options["record"], screen, leave), leave=leave
                )
        except FCSError as error:
            screen.leave()
            raise fail(error) from None
        screen.leave()

    def _check(self) -> None:
        try:
            with quiet():
                store = shared_store()
                path, _ = read(store, heartbeat=self.heartbeat_seconds)
        except ConfigurationError as error:
            raise fail(error) from None
        reason = cause(store, path, trouble(store, path, time.time()))
        if reason:
            raise CommandError(reason)

    async def _stream(
        self, rooms: list[Room], record: str | None, screen: Screen, leave: asyncio.Event
    ) -> None:
        async with AsyncExitStack() as stack:
            timing = Timing.within(conf.FCS_OFFLINE_AFTER_SECONDS)
            client = UpstreamClient(conf.FCS_API_KEY, url=conf.FCS_URL, timing=timing)
            await stack.enter_async_context(client)
            recorder = None if record is None else _recording(stack, record)
            store, lease = site_store(), await _lent(stack)
            stream = Stream(
                client,
                store,
                candles=candle_store(),
                rest=rest_client(),
                rooms=rooms,
                lease=lease,
                recorder=recorder,
            )
            pause = self.draw_seconds if screen.is_terminal else self.log_seconds
            await together(stream.run(leave), _show(stream, screen, pause))


def _recording(stack: AsyncExitStack, path: str) -> Recorder:
    try:
        return stack.enter_context(Recorder(path))
    except RecordingError as error:
        raise ConfigurationError(f"--record: {error}") from None


async def _lent(stack: AsyncExitStack) -> Lease | None:
    """Return the lease of this site, or ``None`` if its layer has no place for one."""
    found = lease_line()
    if found is None:
        logger.warning("no hot standby: the channel layer is not from channels_redis")
        return None
    line, prefix = found
    seconds = conf.FCS_LEASE_SECONDS
    lease = Lease(line, seconds=seconds, prefix=prefix, site=fingerprint())
    return await stack.enter_async_context(lease)


async def _show(stream: Stream, screen: Screen, pause: float) -> None:
    """Keep one line up to date on a terminal; elsewhere log it now and then."""
    updates, since = stream.status.updates, time.monotonic()
    while True:
        await asyncio.sleep(pause)
        status, now = stream.status, time.monotonic()
        rate = (status.updates - updates) / (now - since)
        updates, since = status.updates, now
        if screen.is_terminal:
            screen.draw([_line(status, rate)])
        else:
            logger.info("%s", _line(status, rate))


def _line(status: StreamStatus, rate: float) -> str:
    state = _state(status)
    age = "none yet" if status.last_at is None else f"{max(0.0, time.time() - status.last_at):.1f}s"
    return (
        f"state={state} rooms={status.joined}/{status.wanted} "
        f"updates_per_second={rate:.1f} last_tick_age={age}"
    )


def _state(status: StreamStatus) -> str:
    if status.is_leader and status.online:
        return "online"
    name = "offline" if status.is_leader else "standby"
    return f"{name} ({status.reason})" if status.reason else name
