"""An FCS v4 server on this machine, for development without a key and for tests."""

from __future__ import annotations

import asyncio
import math
from argparse import ArgumentTypeError
from contextlib import AsyncExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_fcs.exceptions import ConfigurationError, RecordingError
from django_fcs.management.running import fail, port_number, run_until_signal
from django_fcs.recording import Recording, read
from django_fcs.simulator import Faults, RandomWalk, Replay, Simulator
from django_fcs.simulator.sources import Source

PORT_MAX = 65_535


def amount(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number >= 0):
        raise ArgumentTypeError("a number of 0 or more is needed")
    return number


def port_after(port: int) -> int:
    """Return the next port; 0, for a free one, after 0 and after the last."""
    return port + 1 if 0 < port < PORT_MAX else 0


class Command(BaseCommand):
    """Serve prices as the vendor would, until Ctrl-C or SIGTERM."""

    help = (
        "Run an FCS v4 server. Prices are a seeded random walk in which every symbol exists, "
        "or those of a recording."
    )
    # It needs nothing from the site.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
        parser.add_argument("--port", type=port_number, default=9780, help="0 takes a free port")
        parser.add_argument(
            "--rest-port",
            type=port_number,
            help="where to answer requests for history: by default the port after --port; "
            "0 takes a free one",
        )
        parser.add_argument(
            "--rate", type=amount, default=2.0, help="updates per second of each joined symbol"
        )
        parser.add_argument("--seed", type=int, default=1, help="another seed gives other prices")
        parser.add_argument(
            "--replay", metavar="FILE", help="play a recording instead of the random walk"
        )
        parser.add_argument(
            "--speed", type=amount, default=1.0, help="speed of the replay; 0 plays without pauses"
        )
        parser.add_argument(
            "--fault",
            metavar="NAME[=VALUE]",
            action="append",
            default=[],
            help="behave differently from the vendor (see docs/simulator.md); may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the simulator until a signal ends it."""
        try:
            faults = Faults.parse(options["fault"])
        except ConfigurationError as error:
            raise fail(error) from None
        host, port, rest_port = options["host"], options["port"], options["rest_port"]
        if rest_port is None:
            rest_port = port_after(port)
        simulator = Simulator(
            self._source(options), host=host, port=port, rest_port=rest_port, faults=faults
        )
        run_until_signal(lambda: self._serve(simulator, f"{host}:{port}"))

    def _source(self, options: dict[str, Any]) -> Source:
        if not options["replay"]:
            return RandomWalk(seed=options["seed"], rate=options["rate"])
        try:
            recording = read(options["replay"])
        except RecordingError as error:
            raise CommandError(str(error), returncode=2) from None
        return self._replay(recording, options["speed"])

    def _replay(self, recording: Recording, speed: float) -> Replay:
        try:
            replay = Replay(recording, speed=speed)
        except RecordingError as error:
            raise fail(error) from None
        if recording.truncated_line is not None:
            line = f"{recording.path}:{recording.truncated_line}"
            self.stderr.write(f"Warning: {line}: skipped, the recorder did not finish this line")
        if not replay.rooms:
            raise CommandError(f"{recording.path}: no prices in this recording", returncode=2)
        return replay

    async def _serve(self, simulator: Simulator, place: str) -> None:
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(simulator)
            except OSError as error:
                option = "--rest-port" if error.filename else "--port"
                text = f"cannot listen on {error.filename or place}, choose another {option}"
                raise CommandError(f"{text}: {error.strerror or error}", returncode=2) from None
            self.stdout.write(
                f"Simulator is up: FCS_URL={simulator.url} FCS_REST_URL={simulator.rest_url} "
                "(any key; stop with Ctrl-C)"
            )
            self.stdout.flush()
            await asyncio.Event().wait()  # until the signal
