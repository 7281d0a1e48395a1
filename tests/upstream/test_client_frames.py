"""What comes in at the vendor's socket: prices, errors, and frames that nobody understands."""

from __future__ import annotations

import json
import time

import pytest

from django_fcs.exceptions import KeyRefused
from django_fcs.rooms import Room
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.tools.complaints import KINDS_MAX
from django_fcs.tools.metrics import counts
from django_fcs.upstream import Arrival, Status, UpstreamClient
from tests.support.upstreams import EURUSD, USDJPY, Vendor, price, vendor, watching, welcoming
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


async def test_frames_can_be_arrays() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(arrays=True))
    async with simulator, watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: watch.prices)

        assert [item.symbol for _, item in watch.items] == ["FX:EURUSD"] * 2
        assert watch.client.joined == {EURUSD}
        assert watch.texts[0].startswith("[")


async def test_malformed_frames_are_counted_and_survived() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(malformed_every=1))
    async with simulator, watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: watch.prices)
        before = len(watch.prices)
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        await eventually(lambda: len(watch.prices) > before)

        assert watch.reasons == []
        assert counts()["upstream_malformed"] >= 4


async def test_a_flood_of_malformed_frames_is_no_flood_of_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def babble(server: Vendor) -> None:
        await server.say({"type": "welcome"}, *["?"] * 100)
        await server.listen()

    async with vendor(babble) as server, watching(server.url) as watch:
        await eventually(lambda: counts().get("upstream_malformed") == 100)

        assert len(watch.texts) == 101
    assert sum("malformed frame ignored size=1" in line for line in caplog.messages) == 7


async def test_bytes_and_what_no_message_explains_are_survived() -> None:
    async def odd(server: Vendor) -> None:
        await server.say({"type": "welcome"}, {"type": "surprise"}, {"type": "pong"})
        await server.say({"type": "message", "short": "maintenance", "message": "soon"})
        await server.socket.send(json.dumps(price()).encode())
        await server.socket.send(b"\xff")
        await server.say(price("EURUSD"), price(timeframe="7"), price(c=2.5))
        await server.listen()

    async with vendor(odd) as server, watching(server.url, EURUSD) as watch:
        await eventually(lambda: len(watch.prices) == 2)

        assert [one.c for one in watch.prices] == [1.5, 2.5]
        assert counts()["upstream_malformed"] == 3


async def test_an_error_of_the_vendor_is_logged_and_no_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(unknown=("FX:NO*",)))
    async with simulator, watching(simulator.url, "FX:NOPE", EURUSD) as watch:
        await eventually(lambda: watch.prices)

        assert watch.reasons == []
        assert watch.client.joined == {EURUSD}
    assert "upstream error short=unknown_symbol message=no such symbol" in caplog.text


async def test_an_error_of_the_vendor_cannot_forge_a_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def forge(server: Vendor) -> None:
        text = "x\n2026-01-01 CRITICAL root FORGED \x1b[31m"
        await server.say({"type": "welcome"}, {"type": "error", "short": text, "message": text})
        await server.listen()

    async with vendor(forge) as server, watching(server.url):
        await eventually(lambda: counts().get("upstream_errors"))

    text = "x\\n2026-01-01 CRITICAL root FORGED \\x1b[31m"
    assert f"upstream error short={text} message={text}" in caplog.messages


async def test_a_flood_of_errors_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def rage(server: Vendor) -> None:
        errors = [{"type": "error", "short": f"{n}", "message": "x" * 1000} for n in range(2000)]
        await server.say({"type": "welcome"}, *errors)
        await server.listen()

    async with vendor(rage) as server, watching(server.url):
        await eventually(lambda: counts().get("upstream_errors") == 2000)

    lines = [line for line in caplog.messages if "upstream error" in line]
    assert len(lines) == KINDS_MAX
    assert max(map(len, lines)) < 300


async def test_the_reason_of_a_refusal_is_one_short_line_for_operators() -> None:
    async def refuse(server: Vendor) -> None:
        message = "\x1b[2Jno\nkey " + "x" * 10_000
        await server.say({"type": "error", "short": "authentication_failed", "message": message})

    async with vendor(refuse) as server:
        async with UpstreamClient("key", url=server.url) as client:
            with pytest.raises(KeyRefused) as caught:
                await anext(client.events())

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


async def test_only_the_first_welcome_of_a_connection_counts() -> None:
    async def greet(server: Vendor) -> None:
        await server.say(*[{"type": "welcome"}] * 50, price())
        await server.listen()

    async with vendor(greet) as server, watching(server.url, EURUSD) as watch:
        await eventually(lambda: watch.prices)

        assert [event for event in watch.events if isinstance(event, Status)] == [Status(True)]


async def test_prices_count_for_the_room_whatever_the_spelling_of_its_timeframe() -> None:
    async with vendor(welcoming) as server, watching(server.url, "FX:EURUSD_60") as watch:
        await eventually(server.joins)
        await server.say(price(timeframe="1h"))
        await eventually(lambda: watch.items)

        assert watch.items[0][0] == Room("FX:EURUSD", "60")


async def test_late_prices_of_left_rooms_are_ignored() -> None:
    async with vendor(welcoming) as server, watching(server.url, EURUSD, USDJPY) as watch:
        await eventually(lambda: len(server.joins()) == 2)
        watch.client.want([USDJPY])
        await server.say(price("FX:EURUSD"), price("FX:USDJPY"))
        await eventually(lambda: watch.items)

        assert [room for room, _ in watch.items] == [USDJPY]
        assert watch.client.joined == {USDJPY}
        # A recording still gets every frame.
        assert json.loads(watch.texts[1])["symbol"] == "FX:EURUSD"


async def test_an_arrival_tells_when_and_what_word_for_word() -> None:
    async with vendor(welcoming) as server, watching(server.url, EURUSD) as watch:
        await eventually(server.joins)
        text = json.dumps(price(), indent=1)
        await server.say(text)
        await eventually(lambda: watch.items)

    arrival = watch.events[-1]
    assert isinstance(arrival, Arrival)
    assert arrival.text == text
    assert abs(arrival.at - time.time()) < 60
