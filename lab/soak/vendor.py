"""The vendor of the soak: the project's simulator, controlled by JSON lines.

::

    {"do": "reset"}                          cut all connections without a close frame
    {"do": "malform", "seconds": 5}          send a frame that is not JSON after every tenth
    {"do": "rest"}                           send one last price to each room, then no more
    {"do": "count"}                          count connections, rooms, dropped prices

The answer to ``rest`` contains the last price of each symbol.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Any

from django_fcs.simulator import RandomWalk, Simulator
from django_fcs.simulator.sources import Tick
from lab.kit.worker import answer_commands

__all__: list[str] = []


class _Market(RandomWalk):
    """A random walk that can be stopped."""

    rests = False

    def due(self) -> float | None:
        return None if self.rests else super().due()

    def advance(self, now: float) -> list[Tick]:
        return [] if self.rests else super().advance(now)


class _Vendor:
    def __init__(self, market: _Market, simulator: Simulator) -> None:
        self._market = market
        self._simulator = simulator

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Execute a command from the standard input."""
        if command["do"] == "reset":
            return {"reset": await self._simulator.drop_all()}
        if command["do"] == "malform":
            self._malform_every(10)
            asyncio.get_running_loop().call_later(command["seconds"], self._malform_every, 0)
        if command["do"] == "rest":
            return {"closes": await self._rest()}
        joined = self._simulator.rooms
        return {
            "connections": self._simulator.connections,
            "rooms": len(joined),
            "dropped": self._simulator.dropped,
        }

    def _malform_every(self, frames: int) -> None:
        self._simulator.faults = replace(self._simulator.faults, malformed_every=frames)

    async def _rest(self) -> dict[str, float]:
        self._market.rests = True
        closes = {}
        for number, room in enumerate(sorted(self._simulator.rooms, key=str)):
            closes[room.symbol] = 1000.25 + number
            await self._simulator.push(room.symbol, room.timeframe, c=closes[room.symbol])
        return closes


async def main() -> None:
    """Serve until the standard input ends."""
    port, seed, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    market = _Market(seed=seed, rate=rate)
    async with Simulator(market, port=port) as simulator:
        await answer_commands(_Vendor(market, simulator).obey)


if __name__ == "__main__":
    asyncio.run(main())
