"""One browser: what goes to it at once, what waits behind a send, and how it ends."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from contextvars import ContextVar
from typing import Any

import pytest

from django_fcs.fanout.routes import Key
from django_fcs.fanout.servers import server_takes_everything
from django_fcs.fanout.subscriber import CLOSE_TOO_SLOW
from django_fcs.rooms import Room
from tests.fanout.subscribers import browser
from tests.support.hubs import EURUSD, HOURLY, USDJPY, key, update
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


# -- FCS v4: one message a frame, at once


async def test_what_is_sent_goes_at_once_in_order_and_costs_no_task() -> None:
    async with browser() as (socket, one):
        before = asyncio.all_tasks()
        one.reply("welcome")
        one.confirm(HOURLY, "1h")
        one.describe(key(EURUSD), "profile")
        for seq in (1, 2, 3):
            one.put(key(EURUSD), update(seq=seq))
        assert socket.texts[0] == "welcome"
        assert json.loads(socket.texts[1])["room"] == "FX:EURUSD_1h_0s"
        assert socket.texts[2:] == ["profile", *(update(seq=seq).text for seq in (1, 2, 3))]
        assert one.is_open
        assert asyncio.all_tasks() == before


async def test_states_are_nothing_that_fcs_v4_could_say() -> None:
    async with browser() as (socket, one):
        one.tell(key(EURUSD), "state")

        assert not socket.sent


async def test_the_first_price_after_a_join_is_an_initial_in_each_room() -> None:
    async with browser() as (socket, one):
        for room in (EURUSD, USDJPY):
            one.expect(Key(room, "1D"))
        for seq in (1, 2):
            for room in (EURUSD, USDJPY):
                one.put(Key(room, "1D"), update(room, seq=seq, mode="askbid"))
        one.expect(Key(EURUSD, "1D"))
        one.forget(Key(EURUSD, "1D"))
        one.put(Key(EURUSD, "1D"), update(seq=3))

    modes = [json.loads(text)["prices"]["mode"] for text in socket.texts]
    assert modes == ["initial", "initial", "askbid", "askbid", "candle"]


async def test_on_the_merge_protocol_an_answer_is_an_array_too() -> None:
    async with browser(merge=True) as (socket, one):
        one.reply('{"type":"pong"}')
        one.confirm(EURUSD, "1D")

    assert [len(json.loads(text)) for text in socket.texts] == [1, 1]


async def test_what_is_sent_runs_in_the_context_of_the_socket() -> None:
    seen = []
    opened = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        seen.append(trace.get())
        await opened.wait()
        seen.append(trace.get())

    trace.set("of the socket")
    async with browser(send=send) as (_, one):
        trace.set("of the hub")
        one.reply("hello")
        opened.set()
        await eventually(lambda: one.is_open)

    assert seen == ["of the socket"] * 2


trace: ContextVar[str] = ContextVar("trace")


# -- a server that is busy with a send


async def test_behind_a_send_that_waits_go_answers_profiles_and_prices_in_this_order() -> None:
    async with browser() as (socket, one):
        socket.stall()
        one.reply("first")
        assert not one.is_open
        one.put(key(EURUSD), update(seq=1))
        one.describe(key(EURUSD), "profile")
        one.reply("second")
        one.confirm(EURUSD, "1D")
        one.reply("third")
        assert not socket.sent
        socket.read()
        await socket.opened()

    texts = socket.texts
    assert "joined_room" in texts.pop(1)
    assert texts == ["first", "second", "third", "profile", update(seq=1).text]


async def test_a_pong_says_that_all_is_answered_that_was_asked_before() -> None:
    async with browser(merge=True) as (socket, one):
        socket.stall()
        one.reply("{}")
        one.confirm(EURUSD, "1D")
        one.reply('{"type":"pong"}')
        socket.read()
        await socket.opened()

    assert ["joined_room" in text for text in socket.texts] == [False, True, False]


async def test_who_joins_hundreds_of_rooms_while_a_send_waits_gets_all_confirmed_in_order() -> None:
    rooms = [Room(f"FX:PAIR{number}", "1D") for number in range(500)]
    async with browser() as (socket, one):
        socket.stall()
        one.reply("first")
        for room in rooms:
            one.confirm(room, "1D")
        one.forget(Key(rooms[7], "1D"))
        socket.read()
        await socket.opened()

    answers = [json.loads(text) for text in socket.texts[1:]]
    confirmed = [answer["symbol"] for answer in answers if answer["type"] == "message"]
    assert confirmed == [room.symbol for room in rooms if room is not rooms[7]]


async def test_prices_for_a_browser_that_never_reads_are_bounded() -> None:
    async with browser() as (socket, one):
        socket.stall()
        one.reply("first")
        for seq in range(1, 5001):
            for room in (EURUSD, USDJPY):
                one.put(key(room), update(room, seq=seq, t=60 * (seq // 10)))
                one.describe(key(room), f"profile {seq} of {room}")
        assert one._mail is not None
        assert len(one._mail) == 6
        socket.read()
        await socket.opened()

    assert socket.texts == [
        *("first", "profile 5000 of FX:EURUSD_1D", "profile 5000 of FX:USDJPY_1D"),
        *(update(EURUSD, seq=4999, t=29940).text, update(EURUSD, seq=5000, t=30000).text),
        *(update(USDJPY, seq=4999, t=29940).text, update(USDJPY, seq=5000, t=30000).text),
    ]


async def test_what_waits_of_a_left_room_is_dropped() -> None:
    async with browser() as (socket, one):
        socket.stall()
        one.reply("first")
        for room in (EURUSD, USDJPY):
            one.describe(Key(room, "1D"), f"profile of {room}")
            one.put(Key(room, "1D"), update(room, seq=1))
        one.forget(Key(EURUSD, "1D"))
        socket.read()
        await socket.opened()

    assert socket.texts == ["first", "profile of FX:USDJPY_1D", update(USDJPY, seq=1).text]


async def test_after_a_join_what_waited_of_the_room_is_not_sent_before_its_initial() -> None:
    async with browser() as (socket, one):
        socket.stall()
        one.reply("first")
        one.put(key(EURUSD), update(seq=1, t=60))
        one.put(key(EURUSD), update(seq=2, t=120))
        one.expect(key(EURUSD))
        one.put(key(EURUSD), update(seq=2, t=120))
        socket.read()
        await socket.opened()

    assert socket.texts[1:] == [update(seq=2, t=120, mode="initial").text]


async def test_who_stalls_again_while_it_is_sent_what_waited_gets_the_rest_later() -> None:
    async with browser() as (socket, one):
        socket.stall()
        for number in range(10):
            one.reply(str(number))
        for number in range(10):
            socket.read()
            await eventually(lambda number=number: len(socket.texts) > number)
            socket.stall()
        socket.read()
        await socket.opened()

    assert socket.texts == [str(number) for number in range(10)]


# -- the end


async def test_a_close_takes_the_place_of_what_waits_and_nothing_comes_behind_it() -> None:
    async with browser() as (socket, one):
        one.reply("why")
        socket.stall()
        for text in ("under way", "waits"):
            one.reply(text)
        one.close(4503, "this origin may not open the socket")
        one.close(1000, "another reason")
        one.put(key(EURUSD), update(seq=1))
        one.reply("late")
        socket.read()
        await eventually(lambda: socket.closes)
        one.ping()
        one.reply("later")
        await socket.passes()

    assert socket.texts == ["why", "under way"]
    assert socket.sent[-1] == {
        **{"type": "websocket.close", "code": 4503},
        "reason": "this origin may not open the socket",
    }
    assert len(socket.closes) == 1


@pytest.mark.parametrize("passes", [0, 1])
async def test_a_socket_that_went_away_is_no_error(
    passes: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "django_fcs")
    tries = []

    async def gone(message: dict[str, Any]) -> None:
        tries.append(message)
        for _ in range(passes):
            await asyncio.sleep(0)
        raise OSError("the browser has gone")

    async with browser(send=gone) as (socket, one):
        one.reply("hello")
        await eventually(lambda: "socket closed reason=OSError" in caplog.text)
        one.put(key(EURUSD), update(seq=1))
        one.reply("anybody there?")
        one.confirm(EURUSD, "1D")
        one.ping()
        one.close(4408, "too slow")
        for now in (100, 200):
            one.look(now, 30)
        await socket.passes()
        assert (one._mail, one._replies, one._confirms) == (None, None, None)

    assert len(tries) == 1
    assert all(record.levelno == logging.DEBUG for record in caplog.records)


@pytest.mark.parametrize("passes", [0, 1])
async def test_a_server_that_cannot_send_is_logged_and_the_socket_closed_with_4011(
    passes: int, caplog: pytest.LogCaptureFixture
) -> None:
    closes = []

    async def broken(message: dict[str, Any]) -> None:
        for _ in range(passes):
            await asyncio.sleep(0)
        if message["type"] != "websocket.close":
            raise LookupError("in the server")
        closes.append(message["code"])

    async with browser(send=broken) as (socket, one):
        one.reply("hello")
        one.put(key(EURUSD), update(seq=1))
        await eventually(lambda: closes)
        await socket.passes()

    assert closes == [4011]
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "cannot send to a browser" in record.message


async def test_a_send_that_the_server_cancels_disturbs_nobody_and_the_socket_is_given_up() -> None:
    never = asyncio.get_running_loop().create_future()
    sent = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if len(sent) == 1:
            await never

    async with browser(send=send) as (socket, one):
        one.reply("hello")
        never.cancel()
        await socket.passes()
        for now in (100, 130):
            one.look(now, 30)
        await eventually(lambda: len(sent) == 2)

    assert sent[1]["code"] == CLOSE_TOO_SLOW


async def test_a_send_that_waits_ends_with_the_socket() -> None:
    ended = []

    async def send(message: dict[str, Any]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(message["text"])

    async with browser(send=send) as (_, one):
        one.reply("hello")
        one.reply("not sent")

    assert ended == ["hello"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_is_said_after_the_end_is_said_to_nobody() -> None:
    async with browser() as (socket, one):
        pass
    one.reply("late")
    one.put(key(EURUSD), update(seq=1))
    one.confirm(EURUSD, "1D")
    one.close(4408, "late")
    one.flush()

    assert not socket.sent
    assert (one._mail, one._replies, one._confirms) == (None, None, None)


async def test_only_in_a_process_that_daphne_serves_does_the_server_take_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Reactor:
        running = False

    monkeypatch.delitem(sys.modules, "twisted.internet.reactor", raising=False)
    assert not server_takes_everything()
    monkeypatch.setitem(sys.modules, "twisted.internet.reactor", Reactor)
    assert not server_takes_everything()
    Reactor.running = True
    assert server_takes_everything()
