"""The load: many browsers in one process, with as little work as possible in Python.

Controlled by JSON lines on its standard input::

    {"do": "open", "count": 500, "ports": [8001], "rooms": 1, ...}   until each has a price
    {"do": "start"}      start counting
    {"do": "stop"}       return the counts since then

It does not use asyncio. An epoll loop receives data, finds the frames and scans their
bytes. Only browsers whose prices are timed wake it. The others are read together at
intervals, because a wake-up costs a process more than a read.
"""

from __future__ import annotations

import json
import os
import random
import select
import sys
import time
from array import array
from typing import Any

from lab.kit.statistics import percentiles

from .browser import Browser

__all__ = ["Crowd"]

#: Concurrent handshakes, because a server's backlog is short.
AT_ONCE = 50

#: Browsers whose prices are timed, spread evenly over the order of joining.
TIMED = 50

#: How often the others are read, in seconds, and how many of them between timed ones.
READ_SECONDS = 0.1
READ_AT_ONCE = 32

#: The receive buffer of a stuck browser in bytes; it is small, so that data waits at the server.
STUCK_RECEIVE_BUFFER = 32 * 1024

#: How long a stuck browser reads before: a tab that freezes has answered pings until then.
READS_SECONDS = 1.5


class Crowd:
    """All browsers of this process."""

    def __init__(self) -> None:
        self._timed = select.epoll()
        self._others = select.epoll()
        self._read_others_at = 0.0
        self._browsers: dict[int, Browser] = {}
        self._stuck: list[Browser] = []
        self._ages = array("d")
        self._started = 0.0
        self._lines = b""

    def run(self) -> None:
        """Execute commands from the standard input until it ends."""
        self._timed.register(0, select.EPOLLIN)
        while True:
            for line in self._turn():
                answer = self._obey(json.loads(line))
                sys.stdout.write(json.dumps(answer) + "\n")
                sys.stdout.flush()

    def _turn(self) -> list[bytes]:
        """Handle what has arrived; return the commands in it."""
        commands: list[bytes] = []
        pause = max(0.0, self._read_others_at - time.monotonic())
        for number, _ in self._timed.poll(pause):
            if number == 0:
                commands += self._read_commands()
            else:
                self._browsers[number].receive()
        if time.monotonic() >= self._read_others_at and self._read_others():
            self._read_others_at = time.monotonic() + READ_SECONDS
        return commands

    def _read_others(self) -> bool:
        """Read some browsers that are not timed; return whether none is left to read."""
        ready = self._others.poll(0, READ_AT_ONCE)
        for number, _ in ready:
            self._browsers[number].receive()
        return len(ready) < READ_AT_ONCE

    def _read_commands(self) -> list[bytes]:
        data = os.read(0, 65536)
        if not data:
            raise SystemExit(0)
        *lines, self._lines = (self._lines + data).split(b"\n")
        return lines

    def _obey(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["do"] == "open":
            return self._open(command)
        if command["do"] == "open_stuck":
            return self._open_stuck(command)
        if command["do"] == "drain":
            return self._stuck[0].drain()
        if command["do"] == "start":
            return self._start()
        return self._count()

    # -- opening

    def _open(self, command: dict[str, Any]) -> dict[str, Any]:
        wishes = command.get("wishes") or _random_wishes(command)
        ports, every = command["ports"], max(1, len(wishes) // TIMED)
        waiting = [
            Browser(
                ports[number % len(ports)],
                rooms,
                merge_rate=command.get("merge_rate"),
                deflate=command.get("deflate", False),
                ages=self._ages if number % every == 0 else None,
            )
            for number, rooms in enumerate(wishes)
        ]
        began = time.perf_counter()
        self._wait_for(waiting, began + command.get("patience", 60))
        return {"opened": len(wishes), "seconds": time.perf_counter() - began}

    def _wait_for(self, waiting: list[Browser], deadline: float) -> None:
        """Connect browsers, a few at a time, and wait until each has its first price."""
        to_open, opening, silent = waiting[::-1], list[Browser](), list(waiting)
        while to_open or opening or silent:
            opening = [browser for browser in opening if not browser.upgraded]
            while to_open and len(opening) < AT_ONCE:
                browser = to_open.pop()
                browser.connect()
                self._watch(browser)
                opening.append(browser)
            self._turn()
            if not to_open:
                silent = [browser for browser in silent if not browser.prices]
            if any(browser.closed for browser in waiting):
                raise SystemExit("a server closed a browser that was joining")
            if time.perf_counter() > deadline:
                raise SystemExit(f"{len(silent)} of {len(waiting)} browsers got no price in time")

    def _watch(self, browser: Browser) -> None:
        browser.poll = self._timed if browser.is_prompt else self._others
        browser.poll.register(browser.socket, select.EPOLLIN)
        self._browsers[browser.socket.fileno()] = browser

    def _open_stuck(self, command: dict[str, Any]) -> dict[str, Any]:
        """Open browsers that join all rooms, answer pings for a while, and then stop reading."""
        self._stuck = [
            Browser(
                command["ports"][0],
                list(range(command["rooms"])),
                merge_rate=command.get("merge_rate"),
                receive_buffer=STUCK_RECEIVE_BUFFER,
            )
            for _ in range(command["count"])
        ]
        self._wait_for(list(self._stuck), time.perf_counter() + 30)
        until = time.monotonic() + READS_SECONDS
        while time.monotonic() < until:
            self._turn()
        for browser in self._stuck:
            browser.poll.unregister(browser.socket)
            del self._browsers[browser.socket.fileno()]
        return {"local_port": self._stuck[0].socket.getsockname()[1]}

    # -- counting

    def _start(self) -> dict[str, Any]:
        self._catch_up()
        del self._ages[:]
        for browser in self._browsers.values():
            browser.prices = browser.frames = browser.bytes = 0
        self._started = time.time()
        return {"at": self._started}

    def _catch_up(self) -> None:
        """Read what has arrived until now, so that a window ends exactly here."""
        for number, _ in self._others.poll(0, len(self._browsers) + 1):
            self._browsers[number].receive()

    def _count(self) -> dict[str, Any]:
        self._catch_up()
        browsers = self._browsers.values()
        seconds = time.time() - self._started
        return {
            "seconds": seconds,
            "prices": sum(browser.prices for browser in browsers),
            "frames": sum(browser.frames for browser in browsers),
            "bytes": sum(browser.bytes for browser in browsers),
            "rooms_joined": sum(len(browser.rooms) for browser in browsers),
            "closed": sum(browser.closed for browser in browsers),
            **percentiles(self._ages),
        }


def _random_wishes(command: dict[str, Any]) -> list[list[int]]:
    picks = random.Random(command.get("seed", 1))
    rooms, each = range(command["rooms"]), command.get("rooms_each", 1)
    return [picks.sample(rooms, each) for _ in range(command["count"])]


if __name__ == "__main__":
    Crowd().run()
