"""FCSClient's rooms: wanted from the call on, joined once on each connection."""

from __future__ import annotations

import pytest

from tests.browser.driver import EURUSD, PLAIN, Driver
from tests.browser.scripted_server import joined
from tests.support.waiting import eventually


async def test_a_join_before_the_connection_is_kept(driver: Driver) -> None:
    await driver.make()
    await driver.run("client.join('FX:EURUSD', '1D', 'signed'); client.join('FX:EURUSD', 60)")
    await driver.run("client.connect()")
    await driver.settle()
    assert driver.peer.of_type("join_symbol") == [
        {"type": "join_symbol", "symbol": EURUSD, "timeframe": "1D", "token": "signed"},
        {"type": "join_symbol", "symbol": EURUSD, "timeframe": "60"},
    ]


async def test_a_join_waits_for_the_welcome(driver: Driver) -> None:
    driver.server.behaviour.welcome = False
    await driver.make()
    await driver.run("void client.connect(); client.join('FX:EURUSD', '1D')")
    await eventually(lambda: driver.server.peers)
    await driver.until("client.send({type: 'mark'})")
    await driver.settle()
    assert driver.peer.joins == []
    await driver.peer.send({"type": "welcome"})
    await eventually(lambda: driver.peer.joins == ["FX:EURUSD_1D"])


async def test_a_join_that_was_never_confirmed_survives_a_drop(driver: Driver) -> None:
    driver.server.behaviour.confirm = None
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '1D')")
    await driver.settle()
    assert await driver.run("client.activeSubscriptions.size") == 0
    await driver.lose()
    await driver.come_back()
    await driver.settle()
    assert driver.peer.joins == ["FX:EURUSD_1D"]


@pytest.mark.parametrize("url", [None, PLAIN])
async def test_rooms_confirmed_without_their_exchange_return_in_full_and_once(
    driver: Driver, url: str | None
) -> None:
    driver.server.behaviour.confirm = "bare"
    await driver.connect(url)
    rooms = ["BINANCE:LTCUSDT_1D", "OKX:LTCUSDT_1D"]
    await driver.run("client.join('BINANCE:LTCUSDT', '1D'); client.join('OKX:LTCUSDT', '1D')")
    await driver.until("client.activeSubscriptions.size === 2")
    assert await driver.run("[...client.activeSubscriptions.keys()]") == rooms
    for _ in range(2):
        await driver.lose()
        await driver.come_back()
        await driver.settle()
        assert driver.peer.joins == rooms


async def test_a_confirmation_is_matched_by_the_rooms_full_name(driver: Driver) -> None:
    driver.server.behaviour.confirm = None
    await driver.connect()
    await driver.run("client.join('BINANCE:LTCUSDT', '1D'); client.join('OKX:LTCUSDT', '1D')")
    await driver.peer.send(joined("OKX:LTCUSDT", "1D", bare=True))
    await driver.until("client.activeSubscriptions.size === 1")
    assert await driver.run("[...client.activeSubscriptions.keys()]") == ["OKX:LTCUSDT_1D"]


async def test_a_left_room_stays_left(driver: Driver) -> None:
    driver.server.behaviour.confirm = "bare"
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '1D'); client.join('FX:EURUSD', '60')")
    await driver.until("client.activeSubscriptions.size === 2")
    await driver.run("client.leave('FX:EURUSD', '1D')")
    await driver.settle()
    assert driver.peer.of_type("leave_symbol") == [
        {"type": "leave_symbol", "symbol": EURUSD, "timeframe": "1D"}
    ]
    assert await driver.run("[...client.activeSubscriptions.values()]") == [
        {"symbol": EURUSD, "timeframe": "60"}
    ]
    await driver.lose()
    await driver.come_back()
    await driver.settle()
    assert driver.peer.joins == ["FX:EURUSD_60"]


@pytest.mark.parametrize(
    ("asked", "echoed"), [("1H", "60"), ("1m", "1"), ("4h", "240"), ("D", "1D"), ("1M", "M")]
)
async def test_a_room_confirmed_in_another_spelling_is_the_room(
    driver: Driver, asked: str, echoed: str
) -> None:
    driver.server.behaviour.confirm = None
    await driver.connect()
    await driver.run(f"client.join('FX:EURUSD', '{asked}')")
    await driver.peer.send(joined(EURUSD, echoed, bare=True))
    await driver.until("client.activeSubscriptions.size === 1")
    await driver.run(f"client.leave('FX:EURUSD', '{asked}')")
    assert await driver.run("client.activeSubscriptions.size") == 0


async def test_a_minute_is_not_a_month(driver: Driver) -> None:
    driver.server.behaviour.confirm = None
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '1m'); client.join('FX:EURUSD', '1M')")
    await driver.peer.send(joined(EURUSD, "1M", bare=True))
    await driver.until("client.activeSubscriptions.size === 1")
    assert await driver.run("[...client.activeSubscriptions.keys()]") == ["FX:EURUSD_1M"]


async def test_joining_again_in_the_callbacks_joins_once(driver: Driver) -> None:
    await driver.make()
    await driver.run("client.join('FX:EURUSD', '1D')")
    await driver.run("void (client.onconnected = () => client.join('FX:EURUSD', '1D'))")
    await driver.run("client.connect().then(() => client.join('FX:EURUSD', '1D'))")
    await driver.settle()
    assert driver.peer.joins == ["FX:EURUSD_1D"]
    await driver.run("void (client.onreconnect = () => client.join('FX:EURUSD', '1D'))")
    await driver.lose()
    await driver.come_back()
    await driver.settle()
    assert driver.peer.joins == ["FX:EURUSD_1D"]


async def test_the_rooms_are_joined_before_the_page_hears_of_the_connection(
    driver: Driver,
) -> None:
    await driver.make()
    await driver.run("client.join('FX:EURUSD', '1D')")
    await driver.run("void (client.onconnected = () => client.send({type: 'mark'}))")
    await driver.run("client.connect()")
    await eventually(lambda: len(driver.peer.received) == 2)
    assert [message["type"] for message in driver.peer.received] == ["join_symbol", "mark"]


async def test_a_join_without_an_answer_is_asked_again_ever_more_slowly(driver: Driver) -> None:
    driver.server.behaviour.confirm = None
    await driver.connect(PLAIN)
    await driver.run("client.join('FX:EURUSD', '1D')")
    for wait, joins in [(4_999, 1), (1, 2), (9_999, 2), (1, 3)]:
        await driver.advance(wait)
        await driver.settle()
        assert len(driver.peer.joins) == joins
    await driver.peer.send(joined(EURUSD, "1D"))
    await driver.until("client.activeSubscriptions.size === 1")
    await driver.advance(19_000)
    await driver.settle()
    assert len(driver.peer.joins) == 3


async def test_nothing_is_asked_again_while_there_is_no_connection(driver: Driver) -> None:
    driver.server.behaviour.confirm = None
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '1D'); client.disconnect()")
    assert await driver.run("clock.timers.size") == 0


@pytest.mark.parametrize(
    ("symbol", "timeframe", "short", "text", "joins"),
    [
        (EURUSD, "1D", "room_not_allowed", "this page may not join FX:EURUSD_1D", 1),
        (EURUSD, "1D", "room_not_allowed", "this page may not join FX:EURUSD.", 1),
        ("fx:eurusd", "1D", "bad_symbol", "'fx:eurusd' is not in upper case: write 'FX:EURUSD'", 1),
        (EURUSD, "2h", "bad_timeframe", "timeframe '2h' is not one of 1, 5, 15", 1),
        (EURUSD, "1D", "room_not_allowed", "this page may not join FX:EURUSDX", 2),
        (EURUSD, "1D", "rate_limited", "too many joins a second: FX:EURUSD_1D", 2),
    ],
)
async def test_only_an_error_that_names_the_room_ends_the_asking(
    driver: Driver, symbol: str, timeframe: str, short: str, text: str, joins: int
) -> None:
    driver.server.behaviour.confirm = None
    await driver.connect()
    await driver.run(f"client.join('{symbol}', '{timeframe}')")
    await driver.peer.send({"type": "error", "short": short, "message": text})
    await driver.until("count('onmessage') === 1")
    await driver.advance(5_000)
    await driver.settle()
    assert len(driver.peer.joins) == joins


async def test_a_room_that_is_confirmed_after_an_error_about_its_symbol_is_joined(
    driver: Driver,
) -> None:
    driver.server.behaviour.confirm = None
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '60'); client.join('FX:EURUSD', '1D')")
    text = "FX:EURUSD: no more than 1 rooms per socket"
    await driver.peer.send({"type": "error", "short": "too_many_rooms", "message": text})
    await driver.peer.send(joined(EURUSD, "1D"))
    await driver.until("client.activeSubscriptions.size === 1")
    assert await driver.run("[...client.activeSubscriptions.keys()]") == ["FX:EURUSD_1D"]


async def test_a_refused_room_is_asked_for_when_the_page_or_the_connection_does_so_anew(
    driver: Driver,
) -> None:
    driver.server.behaviour.confirm = None
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '1D')")
    refusal = {"type": "error", "short": "room_not_allowed", "message": "FX:EURUSD: no token"}
    await driver.peer.send(refusal)
    await driver.until("count('onmessage') === 1")
    await driver.run("client.join('FX:EURUSD', '1D', 'signed')")
    await driver.settle()
    assert [m.get("token") for m in driver.peer.of_type("join_symbol")] == [None, "signed"]
    await driver.peer.send(refusal)
    await driver.until("count('onmessage') === 2")
    await driver.lose()
    await driver.come_back()
    await driver.settle()
    assert [m.get("token") for m in driver.peer.of_type("join_symbol")] == ["signed"]


async def test_a_room_that_the_site_ends_is_refused_and_no_other(driver: Driver) -> None:
    await driver.connect()
    await driver.run(
        "client.addEventListener('refused', ({detail}) => log.push(['refused', detail]));"
        "client.join('FX:EURUSD', '1D'); client.join('FX:EURUSD', '60')"
    )
    await driver.until("client.activeSubscriptions.size === 2")
    message = "FX:EURUSD_1D: FCS_AUTHORIZE refused it"
    await driver.peer.send({"type": "error", "short": "too_many_rooms", "message": message})
    await driver.settle()
    assert await driver.logged("refused") == []

    refusal = {"short": "room_not_allowed", "message": message}
    await driver.peer.send({"type": "error", **refusal})
    await driver.settle()

    detail = {"symbol": EURUSD, "timeframe": "1D", **refusal}
    assert await driver.logged("refused") == [detail]
    assert await driver.run("[...client.activeSubscriptions.keys()]") == ["FX:EURUSD_60"]


async def test_a_refusal_is_told_to_the_page_and_once_to_its_developers(driver: Driver) -> None:
    driver.server.behaviour.confirm = None
    lines: list[str] = []
    driver.page.on("console", lambda line: lines.append(f"{line.type} {line.text}"))
    await driver.make()
    await driver.run(
        "client.addEventListener('refused', ({detail}) => log.push(['refused', detail]))"
    )
    await driver.run("client.join('FX:EURUSD', '1D'); client.join('FX:GBPUSD', '1D')")
    await driver.run("client.connect().then(() => null)")
    refusal = {"short": "room_not_allowed", "message": "FX:EURUSD needs a token from this site"}
    detail = {"symbol": EURUSD, "timeframe": "1D", **refusal}
    for visit in (1, 2):
        await driver.peer.send({"type": "error", **refusal}, {"type": "error", **refusal})
        await driver.until(f"count('onmessage') === {2 * visit}")
        assert await driver.logged("refused") == [detail] * visit
        await driver.lose()
        await driver.come_back()
    text = "FCSClient: FX:EURUSD 1D was refused, room_not_allowed: " + refusal["message"]
    assert lines == [f"warning {text}"]


async def test_remove_all_forgets_every_room(driver: Driver) -> None:
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '1D'); client.join('FX:GBPUSD', '1D')")
    await driver.until("client.activeSubscriptions.size === 2")
    await driver.run("client.removeAll()")
    await driver.settle()
    assert driver.peer.of_type("remove_all") == [{"type": "remove_all"}]
    await driver.lose()
    await driver.come_back()
    await driver.settle()
    assert driver.peer.joins == []


RENEWED = {"type": "token", "symbol": EURUSD, "token": "new"}


async def test_a_room_returns_with_the_token_that_the_server_has_sent_for_its_symbol(
    driver: Driver,
) -> None:
    await driver.connect()
    await driver.run(
        "client.join('FX:EURUSD', '1D', 'old'); client.join('FX:EURUSD', '60', 'older')"
    )
    await driver.run("client.join('FX:GBPUSD', '1D', 'old')")
    await driver.until("client.activeSubscriptions.size === 3")
    await driver.peer.send(RENEWED)
    await driver.peer.send({**RENEWED, "token": 5}, {**RENEWED, "symbol": "FX:USDJPY"})
    await driver.until("count('onmessage') === 6")
    assert (await driver.logged("onmessage"))[3] == RENEWED
    await driver.lose()
    await driver.come_back()
    await driver.settle()
    tokens = [message["token"] for message in driver.peer.of_type("join_symbol")]
    assert tokens == ["new", "new", "old"]


async def test_a_script_that_joins_again_with_the_pages_token_uses_the_servers(
    driver: Driver,
) -> None:
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '1D', 'old')")
    await driver.until("client.activeSubscriptions.size === 1")
    await driver.peer.send({**RENEWED, "token": "middle"}, RENEWED)
    await driver.until("count('onmessage') === 3")
    await driver.run("client.leave('FX:EURUSD', '1D'); client.join('FX:EURUSD', '1D', 'old')")
    await driver.run("client.join('FX:EURUSD', '60', 'fresh'); client.join('FX:EURUSD', '5')")
    await driver.until("client.activeSubscriptions.size === 3")
    joins = driver.peer.of_type("join_symbol")
    assert [message.get("token") for message in joins] == ["old", "new", "fresh", None]


async def test_rejoin_all_asks_for_every_room_again(driver: Driver) -> None:
    await driver.connect()
    await driver.run("client.join('FX:EURUSD', '1D')")
    await driver.until("client.activeSubscriptions.size === 1")
    await driver.run("client.rejoinAll()")
    await driver.settle()
    assert driver.peer.joins == ["FX:EURUSD_1D"] * 2


async def test_a_join_without_an_exchange_is_told_to_the_page(driver: Driver) -> None:
    await driver.connect()
    await driver.run("client.join('EURUSD', '1D'); client.join('FX:EURUSD')")
    await driver.settle()
    assert driver.peer.joins == []
    assert ["EURUSD, 1D" in error for error in await driver.logged("onerror")] == [True, False]


async def test_a_thousand_rooms_are_joined_once_each(driver: Driver) -> None:
    await driver.make()
    await driver.run("for (let i = 0; i < 1000; i++) client.join(`NASDAQ:S${i}`, '1D')")
    await driver.run("client.connect()")
    await driver.until("client.activeSubscriptions.size === 1000")
    assert len(set(driver.peer.joins)) == len(driver.peer.joins) == 1000
