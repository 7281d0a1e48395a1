"""FCSClient comes back: after a loss, with the tab, out of a silence."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from tests.browser.driver import EURUSD, PLAIN, Driver
from tests.browser.scripted_server import price
from tests.support.waiting import eventually

QUIET_MS = 10_000
DEAD_MS = 15_000  # data-fcs-offline-after and 5 s
DEAD_V4_MS = 60_000


# Coming back


@pytest.mark.parametrize("code", [1001, 1006, 1011, 1012, 1013, 4000, 4408, 4499])
async def test_the_first_return_is_spread_over_five_seconds(driver: Driver, code: int) -> None:
    await driver.connect()
    await driver.run("clock.random = 0.25; clock.delays = []")
    if code == 1006:
        driver.peer.abort()
    else:
        await driver.peer.close(code)
    await driver.until("count('onclose') === 1")
    assert await driver.logged("onclose") == [code]
    assert await driver.run("clock.delays") == [1250]


@pytest.mark.parametrize("code", [1000, 1002, 3000])
async def test_after_any_other_close_the_first_delay_is_the_pages(
    driver: Driver, code: int
) -> None:
    await driver.connect(reconnectDelay=4321)
    await driver.run("clock.delays = []")
    await driver.peer.close(code)
    await driver.until("count('onclose') === 1")
    assert await driver.run("clock.delays") == [4321]


async def test_the_delays_grow_to_thirty_seconds_and_end_at_the_limit(driver: Driver) -> None:
    driver.server.behaviour.refuse = HTTPStatus.SERVICE_UNAVAILABLE
    await driver.make()
    await driver.run("clock.random = 1; void client.connect()")
    for tries in range(1, 6):
        await driver.until(f"client.countreconnects === {tries} && count('onclose') === {tries}")
        expected = {1: 5_000, 2: 6_000, 3: 12_000, 4: 24_000, 5: 30_000}[tries]
        assert await driver.run("clock.delays.at(-1)") == expected
        await driver.run("clock.ringNext()")
    await driver.until("count('onclose') === 6")
    assert driver.server.handshakes == 6
    assert await driver.run("clock.timers.size") == 0
    assert (await driver.logged("onerror"))[-1] == "FCSClient: gave up after 5 attempts"


async def test_a_limit_of_zero_means_no_retry(driver: Driver) -> None:
    await driver.connect(reconnectlimit=0)
    await driver.lose()
    assert await driver.run("clock.timers.size") == 0
    await driver.run("dispatchEvent(new Event('online'))")
    assert (await driver.logged("state"))[-1] == "closed"


async def test_a_refusal_without_a_retry_is_told(driver: Driver) -> None:
    lines: list[str] = []
    driver.page.on("console", lambda line: lines.append(line.text))
    await driver.connect(reconnectlimit=0)
    await driver.peer.send({"type": "error", "short": "refused", "message": "too many sockets"})
    await driver.peer.close(4429)
    await driver.until("count('onclose') === 1")
    assert lines == ["FCSClient: refused with 4429 too many sockets"]


async def test_an_infinite_limit_never_gives_up(driver: Driver) -> None:
    driver.server.behaviour.refuse = HTTPStatus.SERVICE_UNAVAILABLE
    await driver.make()
    await driver.run("client.reconnectlimit = Infinity; void client.connect()")
    for tries in range(1, 10):
        await driver.until(f"count('onclose') === {tries}")
        await driver.run("clock.ringNext()")
    await driver.until("count('onclose') === 10")
    driver.server.behaviour.refuse = None
    await driver.come_back()


@pytest.mark.parametrize("code", [4500, 4999])
async def test_a_refusal_for_good_is_not_retried(driver: Driver, code: int) -> None:
    driver.server.behaviour.close_after_welcome = code
    lines: list[str] = []
    driver.page.on("console", lambda line: lines.append(f"{line.type} {line.text}"))
    await driver.make()
    await driver.run("void client.connect()")
    await driver.until("count('onclose') === 1")
    errors = await driver.logged("onerror")
    assert len(errors) == 1
    assert lines == [f"warning {errors[0]}"]
    assert await driver.run("clock.timers.size") == 0
    await driver.run("setHidden(true); setHidden(false); dispatchEvent(new Event('online'))")
    assert (await driver.logged("state"))[-1] == "closed"


async def test_a_welcome_gives_all_attempts_back(driver: Driver) -> None:
    await driver.connect(reconnectlimit=1)
    for _ in range(3):
        await driver.lose()
        assert await driver.run("client.countreconnects") == 1
        await driver.come_back()
        assert await driver.run("client.countreconnects") == 0


async def test_a_return_is_a_reconnect_and_a_connect_by_hand_is_not(driver: Driver) -> None:
    await driver.connect()
    await driver.lose()
    await driver.come_back()
    assert await driver.run("[count('onconnected'), count('onreconnect')]") == [1, 1]
    await driver.run("client.disconnect(); client.connect()")
    assert await driver.run("[count('onconnected'), count('onreconnect')]") == [2, 1]


@pytest.mark.parametrize("limit", [5, 1])
async def test_the_network_coming_back_ends_the_waiting(driver: Driver, limit: int) -> None:
    await driver.connect(reconnectlimit=limit)
    driver.server.behaviour.refuse = HTTPStatus.SERVICE_UNAVAILABLE
    await driver.lose()
    await driver.run("clock.ringNext()")
    await driver.until("count('onclose') === 2")
    driver.server.behaviour.refuse = None
    await driver.run("dispatchEvent(new Event('online'))")
    await driver.until("client.isConnected")
    assert await driver.run("count('onreconnect')") == 1


# Hidden tabs


async def test_a_hidden_tab_lets_go_and_its_return_is_a_reconnect(driver: Driver) -> None:
    driver.server.behaviour.confirm = "bare"
    await driver.connect(PLAIN)
    await driver.run("client.join('FX:EURUSD', '1D')")
    await driver.until("client.activeSubscriptions.size === 1")
    for visit in (1, 2):
        await driver.run("setHidden(true)")
        for _ in range(11):
            await driver.advance(16_000)
            await driver.settle()
        assert await driver.run("client.isConnected")
        await driver.advance(4_000)
        assert (await driver.logged("onclose"))[visit - 1 :] == [1000]
        assert await driver.run("clock.timers.size") == 0
        await driver.run("setHidden(false)")
        await driver.until("client.isConnected")
        await driver.settle()
        assert driver.peer.joins == ["FX:EURUSD_1D"]
        assert await driver.run("[count('onconnected'), count('onreconnect')]") == [1, visit]
        assert await driver.run("client.focusTimeout") == 3


async def test_a_tab_that_returns_in_time_keeps_its_connection(driver: Driver) -> None:
    await driver.connect(reconnectlimit=0)
    await driver.run("setHidden(true); clock.advance(14_000); setHidden(false)")
    assert await driver.run("client.isConnected && count('onclose') === 0")
    assert driver.server.handshakes == 1


@pytest.mark.parametrize("minutes", [0, 100_000, 60 * 24 * 365])
async def test_a_tab_that_shall_stay_connected_does(driver: Driver, minutes: int) -> None:
    await driver.connect(PLAIN)
    await driver.run(f"client.focusTimeout = {minutes}; setHidden(true); clock.advance(20_000)")
    assert await driver.run("client.isConnected")
    assert await driver.run("clock.delays.every((ms) => ms > 0 && ms < 2 ** 31)")


async def test_a_hidden_tab_honours_a_change_of_mind(driver: Driver) -> None:
    await driver.connect()
    await driver.run("setHidden(true); client.focusTimeout = 0; clock.advance(10_000)")
    assert await driver.run("client.isConnected")
    await driver.run("client.focusTimeout = 0.2; clock.advance(2_000)")
    assert await driver.logged("onclose") == [1000]


async def test_a_tab_opened_in_the_background_lets_go_too(driver: Driver) -> None:
    await driver.make(focusTimeout=0.2)
    await driver.run("setHidden(true); client.connect()")
    await driver.advance(12_000)
    assert await driver.logged("onclose") == [1000]


async def test_a_lost_connection_returns_with_the_tab(driver: Driver) -> None:
    await driver.connect()
    await driver.run("setHidden(true)")
    await driver.lose()
    await driver.run("setHidden(false)")
    await driver.until("client.isConnected")


# Away


AWAY_AND_BACK = [
    "dispatchEvent(new Event('online'))",
    "dispatchEvent(new Event('offline'))",
    "clock.sleep(30_000)",
    "document.dispatchEvent(new Event('resume'))",
    "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))",
    "setHidden(true); clock.slept += 30_000; setHidden(false)",
]


@pytest.mark.parametrize("event", AWAY_AND_BACK)
async def test_who_was_away_is_not_connected_and_returns_without_a_pause(
    driver: Driver, event: str
) -> None:
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '1D')")
    await driver.settle()
    old = driver.peer
    await driver.run("void (client.onclose = () => log.push(['was', client.isConnected]))")
    assert await driver.run(f"{event}; client.isConnected") is False
    assert await driver.logged("was") == [False]
    await driver.until("client.isConnected")  # no timer has rung
    assert (await driver.logged("state"))[-3:] == ["waiting", "connecting", "connected"]
    await eventually(lambda: not old.is_open and driver.peer.joins == ["FX:EURUSD_1D"])
    assert await driver.run("[count('onconnected'), count('onreconnect')]") == [1, 1]
    assert driver.server.handshakes == 2


@pytest.mark.parametrize("event", AWAY_AND_BACK[:-1])
async def test_who_was_away_does_not_wait_for_the_next_attempt(driver: Driver, event: str) -> None:
    await driver.connect()
    driver.server.behaviour.refuse = HTTPStatus.SERVICE_UNAVAILABLE
    await driver.lose()
    assert (await driver.logged("state"))[-1] == "waiting"
    driver.server.behaviour.refuse = None
    await driver.run(event)
    await driver.until("client.isConnected")


async def test_a_page_that_is_put_away_closes_its_socket_and_opens_it_when_it_is_back(
    driver: Driver,
) -> None:
    await driver.connect()
    old = driver.peer
    for away, back in (
        (
            "dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))",
            "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))",
        ),
        (
            "document.dispatchEvent(new Event('freeze'))",
            "document.dispatchEvent(new Event('resume'))",
        ),
        (
            "document.dispatchEvent(new Event('freeze')); "
            "dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))",
            "document.dispatchEvent(new Event('resume')); "
            "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))",
        ),
    ):
        await driver.run(away)
        assert (await driver.logged("state"))[-1] == "paused"
        assert await driver.run("clock.timers.size + clock.intervals.size") == 0
        await eventually(lambda old=old: not old.is_open)
        await driver.run(back)
        await driver.until("client.isConnected")
        assert driver.peer is not old
        old = driver.peer
    assert driver.server.handshakes == 4


async def test_a_page_that_opens_is_not_one_that_comes_back(driver: Driver) -> None:
    await driver.connect()
    await driver.run("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: false}))")
    assert await driver.run("client.isConnected")


@pytest.mark.parametrize("event", AWAY_AND_BACK)
async def test_who_has_disconnected_stays_so(driver: Driver, event: str) -> None:
    await driver.connect()
    away = "dispatchEvent(new PageTransitionEvent('pagehide'))"
    await driver.run(f"client.disconnect(); {away}; {event}")
    assert (await driver.logged("state"))[-1] == "closed"
    assert await driver.run("clock.intervals.size") == 0


async def test_a_late_look_in_a_hidden_tab_is_the_browsers_doing(driver: Driver) -> None:
    await driver.connect(focusTimeout=0)
    await driver.run("setHidden(true); clock.sleep(60_000)")
    assert await driver.run("client.isConnected")


async def test_a_clock_that_is_set_back_is_no_sleep(driver: Driver) -> None:
    await driver.connect()
    await driver.run("clock.sleep(-3_600_000); clock.sleep(1000)")
    assert await driver.run("client.isConnected")


async def test_a_sleep_counts_though_the_socket_closes_before_the_look(driver: Driver) -> None:
    await driver.connect()
    await driver.run("clock.slept += 8 * 3_600_000")
    await driver.lose()
    await driver.run("clock.sleep(0)")
    await driver.until("client.isConnected")  # no timer has rung


async def test_a_sleep_of_a_hidden_tab_counts_when_it_is_seen(driver: Driver) -> None:
    await driver.connect(focusTimeout=0)
    await driver.run("setHidden(true); clock.slept += 600_000")
    await driver.peer.send(price(EURUSD))
    await driver.until("count('onmessage') === 1")
    await driver.run("clock.sleep(0)")
    assert await driver.run("setHidden(false); client.isConnected") is False
    await driver.until("client.isConnected")
    assert await driver.run("setHidden(true); setHidden(false); client.isConnected")


async def test_a_busy_page_has_not_slept_however_soon_it_is_offline(driver: Driver) -> None:
    front = driver.server.pages["/"]
    driver.server.pages["/"] = front.replace('offline-after="10"', 'offline-after="0.1"')
    await driver.page.reload()
    await driver.connect()
    await driver.run("clock.sleep(5_000)")
    assert await driver.run("client.isConnected")
    assert await driver.run("clock.sleep(7_000); client.isConnected") is False


async def test_a_hidden_tab_that_shall_stay_connected_is_so_after_a_freeze(driver: Driver) -> None:
    await driver.connect(focusTimeout=0)
    await driver.run("setHidden(true); document.dispatchEvent(new Event('freeze'))")
    assert (await driver.logged("state"))[-1] == "paused"
    await driver.run("document.dispatchEvent(new Event('resume'))")
    await driver.until("client.isConnected")


# Silence


@pytest.mark.parametrize("url", [None, PLAIN])
async def test_a_server_that_answers_pings_is_alive_though_it_has_nothing_to_tell(
    driver: Driver, url: str | None
) -> None:
    await driver.connect(url)
    for pings in range(1, 8):
        await driver.advance(QUIET_MS - 1)
        await driver.settle()
        assert len(driver.peer.of_type("ping")) == pings - 1
        await driver.advance(1)
        await eventually(lambda expected=pings: len(driver.peer.of_type("ping")) == expected)
        await driver.until(f"clock.next() === {QUIET_MS}")  # the pong has come
    assert await driver.logged("state") == ["connecting", "connected"]
    assert driver.server.handshakes == 1


@pytest.mark.parametrize(("url", "deadline"), [(None, DEAD_MS), (PLAIN, DEAD_V4_MS)])
async def test_only_an_unanswered_ping_is_silence(
    driver: Driver, url: str | None, deadline: int
) -> None:
    driver.server.behaviour.pong = False
    await driver.connect(url)
    await driver.advance(deadline - 1)
    await driver.settle()
    assert driver.peer.of_type("ping")
    await driver.peer.send(price(EURUSD))
    await driver.until("count('onmessage') === 1")
    await driver.advance(deadline - 1)
    assert await driver.run("client.isConnected")
    await driver.advance(1)
    assert await driver.logged("onclose") == [1006]
    await driver.come_back()
    assert await driver.run("count('onreconnect')") == 1


async def test_a_busy_server_is_pinged_every_twenty_five_seconds(driver: Driver) -> None:
    await driver.connect(PLAIN)
    for prices in range(1, 11):
        await driver.advance(5_000)
        await driver.peer.send(price(EURUSD))
        await driver.until(f"count('onmessage') === {prices}")
    await driver.settle()
    assert len(driver.peer.of_type("ping")) == 2


async def test_a_server_that_never_says_welcome_is_given_up(driver: Driver) -> None:
    driver.server.behaviour.welcome = False
    await driver.make()
    await driver.run("void client.connect()")
    await eventually(lambda: driver.server.peers)
    await driver.advance(DEAD_MS)
    assert await driver.logged("onclose") == [1006]
    driver.server.behaviour.welcome = True
    await driver.come_back()
