"""FCSClient in a page: loading it, connecting, and the messages it hands on."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from playwright.async_api import ConsoleMessage, Page

from tests.browser.driver import EURUSD, PLAIN, SCRIPT, Driver
from tests.browser.scripted_server import ScriptedServer, price
from tests.support.waiting import eventually

# The vendor's quick start, its script address apart.
QUICK_START = f"""<!DOCTYPE html>
<html>
<head>
    <title>FCS Real-time Data</title>
    <script src="{SCRIPT}"></script>
</head>
<body>
    <div id="price">Loading...</div>

    <script>
        const client = new FCSClient('YOUR_API_KEY');

        client.onmessage = (data) => {{
            if (data.type === 'price' && data.prices) {{
                const p = data.prices;
                if (p.mode === 'candle' || p.mode === 'initial') {{
                    document.getElementById('price').innerText =
                        `${{data.symbol}}: $${{p.c}} (O:${{p.o}} H:${{p.h}} L:${{p.l}})`;
                }}
            }}
        }};

        client.connect().then(() => {{
            client.join('BINANCE:BTCUSDT', '1D');
        }});
    </script>
</body>
</html>
"""


# Loading


async def test_the_vendors_names_and_defaults_are_all_there(driver: Driver) -> None:
    await driver.run("globalThis.client = new FCSClient()")
    defaults = await driver.run(
        "[client.reconnectDelay, client.reconnectlimit, client.focusTimeout, client.showLogs,"
        " client.isConnected, client.countreconnects, client.isreconnect,"
        " client.activeSubscriptions instanceof Map, client.onmessage]"
    )
    methods = "connect disconnect join leave removeAll rejoinAll send"
    assert defaults == [3000, 5, 3, False, False, 0, False, True, None]
    for name in methods.split():
        assert await driver.run(f"typeof client.{name}") == "function"


@pytest.mark.parametrize("confirm", ["full", "bare"])
async def test_the_vendors_quick_start_runs_as_it_is(
    page: Page, server: ScriptedServer, confirm: str
) -> None:
    server.behaviour.confirm = confirm
    server.pages["/"] = QUICK_START
    await page.goto(server.url)
    await eventually(lambda: server.peers and server.peer.joins == ["BINANCE:BTCUSDT_1D"])
    await server.peer.send(price("BINANCE:BTCUSDT", c=89962.61, o=88658.87, h=90588.23, l=87900))
    await page.wait_for_function("document.getElementById('price').innerText !== 'Loading...'")
    text = await page.inner_text("#price")
    assert text == "BINANCE:BTCUSDT: $89962.61 (O:88658.87 H:90588.23 L:87900)"


async def test_an_import_gives_the_same_global(page: Page, server: ScriptedServer) -> None:
    server.pages["/"] = "<!doctype html>"
    await page.goto(server.url)
    await page.evaluate(f"import('{SCRIPT}')")
    assert await page.evaluate("new FCSClient() instanceof EventTarget")


async def test_loaded_twice_the_first_one_stays(driver: Driver) -> None:
    await driver.run("void (globalThis.first = FCSClient)")
    await driver.page.add_script_tag(url=SCRIPT)
    assert await driver.run("FCSClient === first")


async def test_a_strict_content_security_policy_is_enough(
    page: Page, server: ScriptedServer
) -> None:
    server.headers["Content-Security-Policy"] = "default-src 'self'"
    server.pages["/page.js"] = "const client = new FCSClient(); client.connect();"
    server.pages["/"] += '<script defer src="/page.js"></script>'
    await page.goto(server.url)
    await page.wait_for_function("client.isConnected")


# Key and address


async def test_the_key_is_never_sent_and_warned_about_once(driver: Driver) -> None:
    warnings: list[ConsoleMessage] = []
    driver.page.on("console", lambda message: warnings.append(message))
    await driver.run("Promise.all([1, 2].map(() => new FCSClient('s3cret', '/plain').connect()))")
    assert [peer.path for peer in driver.server.peers] == ["/plain", "/plain"]
    assert [message.type for message in warnings] == ["warning"]
    assert "s3cret" not in warnings[0].text


async def test_without_an_address_the_sites_own_is_asked_for_merged_frames(driver: Driver) -> None:
    peer = await driver.connect()
    assert (peer.path, peer.is_merge) == ("/ws/fcs/", True)


async def test_the_script_tag_says_where_the_socket_is(page: Page, server: ScriptedServer) -> None:
    server.pages["/"] = server.pages["/"].replace("/ws/fcs/", "/elsewhere/")
    await page.goto(server.url)
    await page.evaluate("new FCSClient().connect()")
    assert server.peer.path == "/elsewhere/"


@pytest.mark.parametrize(
    "address", ["/plain?a=1", "ws://{host}/plain?a=1", "http://{host}/plain?a=1#b"]
)
async def test_an_address_of_ones_own_speaks_plain_v4(driver: Driver, address: str) -> None:
    peer = await driver.connect(address.format(host=driver.server.host))
    assert (peer.path, peer.is_merge) == ("/plain?a=1", False)


async def test_an_impossible_address_is_refused_and_not_retried(driver: Driver) -> None:
    await driver.make("ftp://example.com/")
    await driver.run("client.connect().catch((error) => log.push(['rejected', error.name]))")
    assert await driver.logged("rejected") == ["SyntaxError"]
    assert await driver.run("clock.timers.size") == 0
    assert len(await driver.logged("onerror")) == 1


# Connecting


async def test_connect_resolves_on_the_welcome_not_on_the_open_socket(driver: Driver) -> None:
    driver.server.behaviour.welcome = False
    await driver.make()
    await driver.run("void client.connect().then(() => log.push(['resolved', null]))")
    await eventually(lambda: driver.server.peers)
    await driver.until("client.send({type: 'mark'})")
    assert await driver.run("[client.isConnected, count('resolved')]") == [False, 0]
    await driver.peer.send({"type": "welcome"})
    await driver.until("count('resolved') === 1")
    assert await driver.run("client.isConnected")


async def test_a_failed_first_connect_rejects_and_the_retries_go_on(driver: Driver) -> None:
    driver.server.behaviour.refuse = HTTPStatus.FORBIDDEN
    await driver.make()
    assert await driver.run("client.connect().then(() => 'opened', () => 'rejected')") == "rejected"
    driver.server.behaviour.refuse = None
    await driver.come_back()
    assert await driver.run("[count('onconnected'), count('onreconnect')]") == [1, 0]


async def test_an_error_in_place_of_the_welcome_is_the_reason_of_the_rejection(
    driver: Driver,
) -> None:
    driver.server.behaviour.welcome = False
    await driver.make()
    await driver.run(
        "void client.connect().catch((error) => log.push(['rejected', error.message]))"
    )
    await eventually(lambda: driver.server.peers)
    error = {"type": "error", "short": "authentication_failed", "message": "no such key"}
    await driver.peer.send(error)
    await driver.until("count('rejected') === 1")
    assert await driver.logged("rejected") == ["no such key"]
    assert await driver.logged("onmessage") == [error]


async def test_connecting_twice_opens_one_socket(driver: Driver) -> None:
    await driver.make()
    await driver.run("Promise.all([client.connect(), client.connect()])")
    await driver.run("client.connect()")
    assert driver.server.handshakes == 1
    assert await driver.run("count('onconnected')") == 1


async def test_the_end_of_an_old_socket_does_not_harm_the_new_one(driver: Driver) -> None:
    await driver.connect()
    await driver.run("client.disconnect(); client.connect()")
    await eventually(lambda: not driver.server.peers[0].is_open)
    await driver.peer.send(price(EURUSD))
    await driver.until("count('onmessage') === 1")
    await driver.settle()
    assert await driver.logged("onclose") == [1000]
    assert await driver.run("client.isConnected")


async def test_disconnect_rejects_what_is_pending_and_nothing_comes_after_it(
    driver: Driver,
) -> None:
    driver.server.behaviour.welcome = False
    await driver.make()
    await driver.run("void client.connect().catch(() => log.push(['rejected', null]))")
    await eventually(lambda: driver.server.peers)
    await driver.run("client.disconnect()")
    assert await driver.run("count('rejected')") == 1
    assert await driver.run("clock.timers.size") == 0
    await driver.run("setHidden(true); setHidden(false); dispatchEvent(new Event('online'))")
    assert await driver.logged("state") == ["connecting", "closed"]
    assert await driver.logged("onclose") == [1000]


# Messages


@pytest.mark.parametrize("url", [None, PLAIN])
async def test_the_page_gets_one_message_at_a_time_and_no_heartbeats(
    driver: Driver, url: str | None
) -> None:
    await driver.connect(url)
    state = {"type": "state", "symbol": EURUSD, "timeframe": "1D", "state": "stale", "reason": ""}
    messages: list[dict[str, Any]] = [
        price(EURUSD, c=1.1),
        price("FX:GBPUSD", c=1.3),
        state,
        {"type": "news"},
    ]
    for noise in ("ping", "pong", "beat"):
        await driver.peer.send({"type": noise, "timestamp": 1})
    await driver.peer.send(*messages)
    await driver.until("count('onmessage') === 4")
    assert await driver.logged("onmessage") == messages


async def test_a_ping_before_the_welcome_is_answered(driver: Driver) -> None:
    driver.server.behaviour.welcome = False
    await driver.make()
    await driver.run("void client.connect()")
    await eventually(lambda: driver.server.peers)
    await driver.peer.send({"type": "ping", "timestamp": 1})
    await eventually(lambda: driver.peer.received)
    assert driver.peer.received == [{"type": "pong", "timestamp": 1_700_000_000_000}]


@pytest.mark.parametrize("text", ["not JSON", "null", "7", "[]", "[null]", '"text"'])
async def test_a_frame_without_a_message_is_dropped(driver: Driver, text: str) -> None:
    await driver.connect(PLAIN)
    await driver.peer.send_text(text)
    await driver.peer.send(price(EURUSD))
    await driver.until("count('onmessage') > 0")
    assert await driver.logged("onmessage") == [price(EURUSD)]


async def test_an_error_of_the_page_is_reported_and_loses_no_message(driver: Driver) -> None:
    errors: list[Exception] = []
    driver.page.on("pageerror", lambda error: errors.append(error))
    await driver.connect()
    await driver.run(
        "void (client.onmessage = (m) => { log.push(['onmessage', m]); throw Error('page') })"
    )
    await driver.peer.send(price(EURUSD), price("FX:GBPUSD"))
    await driver.until("count('onmessage') === 2")
    await eventually(lambda: len(errors) == 2)


async def test_a_disconnect_in_the_middle_of_a_frame_ends_the_frame(driver: Driver) -> None:
    await driver.connect()
    await driver.run(
        "void (client.onmessage = (m) => { log.push(['onmessage', m]); client.disconnect() })"
    )
    await driver.peer.send(price(EURUSD), price("FX:GBPUSD"))
    await driver.until("count('onclose') === 1")
    assert len(await driver.logged("onmessage")) == 1


async def test_elements_may_listen_beside_the_pages_own_callbacks(driver: Driver) -> None:
    await driver.make()
    await driver.run(
        "client.addEventListener('message', ({detail}) => log.push(['event', detail.type]))"
    )
    await driver.run("client.connect()")
    await driver.peer.send(price(EURUSD))
    await driver.until("count('onmessage') === 1")
    assert await driver.logged("event") == ["price"]
    await driver.lose()
    await driver.come_back()
    states = ["connecting", "connected", "waiting", "connecting", "connected"]
    assert await driver.logged("state") == states


async def test_the_console_stays_empty_unless_logs_are_wanted(driver: Driver) -> None:
    lines: list[str] = []
    driver.page.on("console", lambda message: lines.append(message.text))
    await driver.connect()
    await driver.lose()
    await driver.come_back()
    assert lines == []
    await driver.run("client.showLogs = true; client.disconnect(); client.connect()")
    assert lines == ["FCSClient: closed", "FCSClient: connecting", "FCSClient: connected"]


@pytest.mark.parametrize("reason", ["", "this origin may not open the socket"])
async def test_the_console_says_why_the_server_refuses_though_the_close_does_not(
    driver: Driver, reason: str
) -> None:
    lines: list[str] = []
    driver.page.on("console", lambda message: lines.append(f"{message.type} {message.text}"))
    driver.server.behaviour.welcome = False
    await driver.make()
    await driver.run("void client.connect().catch(() => {})")
    await eventually(lambda: driver.server.peers)
    told = "this origin may not open the socket"
    await driver.peer.send({"type": "error", "short": "refused", "message": told})
    await driver.peer.close(4503, reason)
    await driver.until("count('onclose') === 1")
    assert lines == [f"warning FCSClient: refused for good with 4503 {told}"]


async def test_a_refusal_that_repeats_is_said_once_and_again_after_a_welcome(
    driver: Driver,
) -> None:
    lines: list[str] = []
    driver.page.on("console", lambda message: lines.append(message.text))
    await driver.connect()
    for _ in range(2):
        driver.server.behaviour.welcome = False
        await driver.lose()
        for _ in range(2):
            await _refuse_the_next(driver)
        driver.server.behaviour.welcome = True
        await driver.come_back()
    assert lines == ["FCSClient: refused with 4429 too many sockets"] * 2


async def _refuse_the_next(driver: Driver) -> None:
    peers, closes = len(driver.server.peers), await driver.run("count('onclose')")
    await driver.run("clock.ringNext()")
    await eventually(lambda: len(driver.server.peers) > peers)
    await driver.peer.send({"type": "error", "short": "refused", "message": "too many sockets"})
    await driver.peer.close(4429)
    await driver.until(f"count('onclose') === {closes + 1}")


# What the vendor's client has not


async def test_the_server_says_what_time_it_is(driver: Driver) -> None:
    driver.server.behaviour.welcome = False
    await driver.make()
    assert await driver.run("client.serverTime()") == 1_700_000_000_000
    await driver.run("void client.connect()")
    await eventually(lambda: driver.server.peers)
    await driver.peer.send({"type": "welcome", "timestamp": 1_800_000_000_000})
    await driver.until("client.isConnected")
    await driver.advance(1_000)
    assert await driver.run("client.serverTime()") == 1_800_000_001_000


async def test_the_wished_rate_is_sent_with_every_connection(driver: Driver) -> None:
    await driver.connect(framesPerSecond=4)
    await driver.run("client.framesPerSecond = 2")
    await driver.settle()
    assert [m["frames_per_second"] for m in driver.peer.of_type("rate")] == [4, 2]
    await driver.lose()
    await driver.come_back()
    await driver.settle()
    assert [m["frames_per_second"] for m in driver.peer.of_type("rate")] == [2]


async def test_a_plain_v4_server_is_not_asked_for_a_rate(driver: Driver) -> None:
    await driver.connect(PLAIN, framesPerSecond=4)
    await driver.run("client.framesPerSecond = 2")
    await driver.settle()
    assert driver.peer.of_type("rate") == []
