"""Drive one FCSClient in a page, with the scripted server's end of its sockets in hand."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

from tests.browser.scripted_server import Peer, ScriptedServer
from tests.support.waiting import eventually

SCRIPT = "/static/django_fcs/fcs-client.js"
#: Playwright's own five seconds are over when a machine that stood still wakes up.
PATIENCE_MS = 60_000
PLAIN = "/plain"  # an address of one's own: plain v4
EURUSD = "FX:EURUSD"


class Driver:
    """One client in the page, and the scripted server's end of its sockets."""

    def __init__(self, page: Page, server: ScriptedServer) -> None:
        self.page = page
        self.server = server

    @property
    def peer(self) -> Peer:
        return self.server.peer

    async def make(self, url: str | None = None, **options: Any) -> None:
        await self.page.evaluate("([url, options]) => makeClient(url, options)", [url, options])

    async def connect(self, url: str | None = None, **options: Any) -> Peer:
        await self.make(url, **options)
        await self.run("client.connect().then(() => null)")
        return self.peer

    async def run(self, script: str) -> Any:
        return await self.page.evaluate(script)

    async def until(self, condition: str) -> None:
        await self.page.wait_for_function(condition, timeout=PATIENCE_MS)

    async def advance(self, ms: float) -> None:
        await self.run(f"clock.advance({ms})")

    async def logged(self, name: str) -> list[Any]:
        details: list[Any] = await self.run(
            f"log.filter(([name]) => name === '{name}').map(([, it]) => it)"
        )
        return details

    async def lose(self) -> None:
        """Break the line, and wait until the client has seen it."""
        closes = await self.run("count('onclose')")
        self.peer.abort()
        await self.until(f"count('onclose') === {closes + 1}")

    async def come_back(self) -> Peer:
        """Let the client's next attempt begin, and wait until it has succeeded."""
        peers = len(self.server.peers)
        await self.run("clock.ringNext()")
        await self.until("client.isConnected")
        assert len(self.server.peers) == peers + 1
        return self.peer

    async def settle(self) -> None:
        """Return when the server has read all that the page has sent so far."""
        marks = len(self.peer.of_type("mark"))
        await self.run("client.send({type: 'mark'})")
        await eventually(lambda: len(self.peer.of_type("mark")) > marks)
