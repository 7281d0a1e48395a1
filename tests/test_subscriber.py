"""One browser: what goes to it at once, what waits for it, and what a slow one costs."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from django_fcs.ready import ReadyQueue
from django_fcs.rooms import Room
from django_fcs.subscriber import (
    CLOSE_TOO_SLOW,
    PING_SECONDS,
    PING_SIZE,
    REPLIES_MAX,
    WINDOW_SIZE,
    Subscriber,
    server_takes_everything,
)
from django_fcs.tasks import running
from tests.hubs import EURUSD, HOURLY, USDJPY, update
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")

KILOBYTE = "x" * 1000


class Socket:
    """The server's side of a browser that reads, or for a while does not."""

    one: Subscriber

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self._reads = asyncio.Event()
        self._reads.set()

    async def send(self, message: dict[str, Any]) -> None:
        await self._reads.wait()
        self.sent.append(message)

    def stall(self) -> None:
        self._reads.clear()

    def read(self) -> None:
        self._reads.set()

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if "text" in message]

    @property
    def pings(self) -> int:
        return sum(text.strip("[").startswith('{"type":"ping"') for text in self.texts)

    @property
    def closes(self) -> list[int]:
        return [message["code"] for message in self.sent if "code" in message]

    async def opened(self) -> None:
        await eventually(lambda: self.one.is_open)

    async def passes(self) -> None:
        """Let all that is ready to happen happen."""
        for _ in range(10):
            await asyncio.sleep(0)


@asynccontextmanager
async def browser(
    *, merge: bool = False, must_answer: bool = False, send: Callable[..., Any] | None = None
) -> AsyncIterator[tuple[Socket, Subscriber]]:
    """A browser, and whoever flushes it when it should be."""

    async def deliver() -> None:
        while True:
            for one in ready.take():
                one.flush()
            await ready.wait(math.inf)

    socket = Socket()
    ready: ReadyQueue[Subscriber] = ReadyQueue()
    how = {"merge": merge, "must_answer": must_answer, "clock": lambda: 1000.5}
    async with running(deliver()), Subscriber(send or socket.send, ready, **how) as socket.one:
        yield socket, socket.one


# -- FCS v4: one message a frame, at once


async def test_what_is_sent_goes_at_once_in_order_and_costs_no_task() -> None:
    async with browser() as (socket, one):
        before = asyncio.all_tasks()
        one.reply("welcome")
        one.confirm(HOURLY, "1h")
        one.describe(EURUSD, "profile")
        for seq in (1, 2, 3):
            one.put(EURUSD, update(seq=seq))
        assert socket.texts[0] == "welcome"
        assert json.loads(socket.texts[1])["room"] == "FX:EURUSD_1h_0s"
        assert socket.texts[2:] == ["profile", *(update(seq=seq).text for seq in (1, 2, 3))]
        assert one.is_open
        assert asyncio.all_tasks() == before


async def test_states_are_nothing_that_fcs_v4_could_say() -> None:
    async with browser() as (socket, one):
        one.tell(EURUSD, "state")

        assert not socket.sent


async def test_the_first_price_after_a_join_is_an_initial_in_each_room() -> None:
    async with browser() as (socket, one):
        for room in (EURUSD, USDJPY):
            one.expect(room)
        for seq in (1, 2):
            for room in (EURUSD, USDJPY):
                one.put(room, update(room, seq=seq, mode="askbid"))
        one.expect(EURUSD)
        one.forget(EURUSD)
        one.put(EURUSD, update(seq=3))

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
        one.put(EURUSD, update(seq=1))
        one.describe(EURUSD, "profile")
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
        one.forget((rooms[7], "1D"))
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
                one.put(room, update(room, seq=seq, t=60 * (seq // 10)))
                one.describe(room, f"profile {seq} of {room}")
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
            one.describe((room, "1D"), f"profile of {room}")
            one.put((room, "1D"), update(room, seq=1))
        one.forget((EURUSD, "1D"))
        socket.read()
        await socket.opened()

    assert socket.texts == ["first", "profile of FX:USDJPY_1D", update(USDJPY, seq=1).text]


async def test_after_a_join_what_waited_of_the_room_is_not_sent_before_its_initial() -> None:
    async with browser() as (socket, one):
        socket.stall()
        one.reply("first")
        one.put(EURUSD, update(seq=1, t=60))
        one.put(EURUSD, update(seq=2, t=120))
        one.expect(EURUSD)
        one.put(EURUSD, update(seq=2, t=120))
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


# -- a browser that asks and does not read


async def test_who_asks_on_without_reading_is_closed_with_4408_and_gets_no_more_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "django_fcs")
    async with browser() as (socket, one):
        socket.stall()
        for number in range(1000):
            one.reply(str(number))
            assert len(one._replies or ()) <= REPLIES_MAX
        socket.read()
        await eventually(lambda: socket.closes)
        one.reply("late")
        await socket.passes()

    assert socket.closes == [CLOSE_TOO_SLOW]
    assert socket.texts == ["0"]
    assert caplog.messages == ["slow browser closed address="]


async def test_who_asks_for_as_much_as_may_wait_gets_every_answer() -> None:
    async with browser() as (socket, one):
        socket.stall()
        for number in range(REPLIES_MAX + 1):
            one.reply(str(number))
        socket.read()
        await socket.opened()

    assert socket.texts == [str(number) for number in range(REPLIES_MAX + 1)]


# -- credit by ping and pong


@pytest.mark.parametrize("must_answer", [False, True])
async def test_it_is_asked_whether_it_reads_when_64_kb_are_unproved_and_once(
    must_answer: bool,
) -> None:
    async with browser(must_answer=must_answer) as (socket, one):
        for _ in range(PING_SIZE // 1000 - 1):
            one.reply(KILOBYTE)
        assert socket.pings == 0
        for _ in range(50):
            one.reply(KILOBYTE)
        assert socket.texts[PING_SIZE // 1000] == '{"type":"ping","timestamp":1000500}'

        assert socket.pings == 1
        assert one.is_open


async def fill(one: Subscriber) -> int:
    """Send until the gate is shut; how much that was, in kilobytes."""
    sent = 0
    while one.is_open and sent < 10 * WINDOW_SIZE // 1000:
        one.reply(KILOBYTE)
        sent += 1
    return sent


@pytest.mark.parametrize("merge", [False, True])
async def test_who_must_answer_is_sent_no_more_than_192_kb_before_it_does(merge: bool) -> None:
    async with browser(merge=merge, must_answer=True) as (socket, one):
        assert await fill(one) == WINDOW_SIZE // 1000
        sent = len(socket.sent)
        for seq in range(1, 100):
            one.put(EURUSD, update(seq=seq))
        await socket.passes()
        assert len(socket.sent) == sent

        one.answered()
        await socket.opened()
        assert socket.texts[-1] == update(seq=99).text
        assert socket.pings == 2


async def test_an_answer_proves_what_was_sent_before_the_question_and_no_more() -> None:
    """Who always answers the last question but one may lag by a window, never by more."""
    async with browser(must_answer=True) as (socket, one):
        sent = await fill(one)
        for _ in range(20):
            one.answered()
            await socket.passes()
            more = await fill(one)
            assert more <= WINDOW_SIZE // 1000
            sent += more

        assert socket.pings == 21
        assert not one.is_open


async def test_a_pong_that_nobody_asked_for_opens_nothing() -> None:
    async with browser(must_answer=True) as (socket, one):
        for _ in range(50):
            one.answered()
        assert await fill(one) == WINDOW_SIZE // 1000
        one.answered()
        await socket.opened()
        await fill(one)
        for _ in range(50):
            one.answered()
            await socket.passes()
        # Two questions were open, one after the other; not fifty.
        assert await fill(one) <= WINDOW_SIZE // 1000

        assert len(socket.texts) < 5 * WINDOW_SIZE // 1000


async def test_who_never_answered_is_held_to_it_only_where_the_server_takes_everything() -> None:
    async with browser() as (socket, one):
        assert await fill(one) == 10 * WINDOW_SIZE // 1000

        assert one.is_open
        assert socket.pings == 1


async def test_who_has_answered_once_is_held_to_it_from_then_on() -> None:
    async with browser() as (socket, one):
        for _ in range(PING_SIZE // 1000):
            one.reply(KILOBYTE)
        one.answered()

        assert await fill(one) <= WINDOW_SIZE // 1000
        assert not one.is_open


async def test_who_answers_a_question_after_megabytes_goes_on_as_it_proves_them() -> None:
    async with browser() as (socket, one):
        await fill(one)
        one.answered()
        one.put(EURUSD, update(seq=1))
        one.put(EURUSD, update(seq=2))
        assert not one.is_open
        one.answered()
        await socket.opened()

        assert socket.texts[-1] == update(seq=2).text


async def test_no_question_is_asked_in_the_midst_of_a_send() -> None:
    async with browser(must_answer=True) as (socket, one):
        socket.stall()
        one.reply("x" * (WINDOW_SIZE + 1))
        one.ping()
        await socket.passes()
        assert not socket.sent
        socket.read()
        await eventually(lambda: socket.pings)
        assert not one.is_open
        one.answered()
        await socket.opened()


@pytest.mark.parametrize("merge", [False, True])
async def test_a_silent_socket_is_pinged_every_25_seconds(merge: bool) -> None:
    async with browser(merge=merge) as (socket, one):
        for now in range(100, 100 + 4 * PING_SECONDS):
            one.look(now, 30)

    ping = {"type": "ping", "timestamp": 1000500}
    assert [json.loads(text) for text in socket.texts] == [[ping] if merge else ping] * 3


async def test_a_socket_that_is_sent_something_is_not_pinged() -> None:
    async with browser() as (socket, one):
        for now in range(100, 500):
            if now % (PING_SECONDS - 1) == 0:
                one.reply("price")
            one.look(now, 30)

        assert not socket.pings


# -- too slow


async def test_who_leaves_its_window_full_for_too_long_is_closed_with_4408(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "django_fcs")
    async with browser(must_answer=True) as (socket, one):
        await fill(one)
        one.put(EURUSD, update(seq=1))
        for now in range(100, 130):
            one.look(now, 30)
        await socket.passes()
        assert not socket.closes
        for now in range(130, 140):
            one.look(now, 30)
        await eventually(lambda: socket.closes)
        one.answered()
        one.put(EURUSD, update(seq=2))
        one.describe(EURUSD, "profile")
        one.confirm(EURUSD, "1D")
        await socket.passes()

        assert socket.sent[-1] == {
            **{"type": "websocket.close", "code": 4408},
            "reason": "too slow: nothing was read for too long",
        }
        assert socket.closes == [4408]
        assert one._mail is None
        assert caplog.messages == ["slow browser closed address="]


async def test_who_is_busy_with_one_send_for_too_long_is_closed_when_that_ends() -> None:
    async with browser() as (socket, one):
        socket.stall()
        one.reply("long")
        one.put(EURUSD, update(seq=1))
        for now in (100, 130):
            one.look(now, 30)
        assert one._mail is None
        socket.read()
        await eventually(lambda: socket.closes)

    assert socket.texts == ["long"]


async def test_who_is_always_found_behind_but_goes_on_reading_is_not_closed() -> None:
    """A slow line is full whenever one looks, and yet everything gets through."""
    async with browser(must_answer=True) as (socket, one):
        for now in range(100, 200):
            await fill(one)
            one.look(now, 5)
            if now % 4 == 0:
                one.answered()
                await socket.opened()
        assert not socket.closes

        for now in range(200, 300):
            socket.stall()
            one.reply(KILOBYTE)
            one.look(now, 5)
            if now % 4 == 0:
                one.answered()
                socket.read()
                await socket.opened()
        assert not socket.closes


# -- the end


async def test_a_close_takes_the_place_of_what_waits_and_nothing_comes_behind_it() -> None:
    async with browser() as (socket, one):
        one.reply("why")
        socket.stall()
        for text in ("under way", "waits"):
            one.reply(text)
        one.close(4503, "this origin may not open the socket")
        one.close(1000, "another reason")
        one.put(EURUSD, update(seq=1))
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
        await eventually(lambda: "socket gone reason=OSError" in caplog.text)
        one.put(EURUSD, update(seq=1))
        one.reply("anybody there?")
        one.confirm(EURUSD, "1D")
        one.ping()
        one.close(4408, "too slow")
        for now in (100, 200):
            one.look(now, 30)
        await socket.passes()
        assert one._mail is one._replies is one._confirms is None

    assert len(tries) == 1
    assert all(record.levelno == logging.DEBUG for record in caplog.records)


@pytest.mark.parametrize("passes", [0, 1])
async def test_a_server_that_cannot_send_is_logged_and_the_socket_closed_with_1011(
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
        one.put(EURUSD, update(seq=1))
        await eventually(lambda: closes)
        await socket.passes()

    assert closes == [1011]
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "sending to a browser failed" in record.message


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
    one.put(EURUSD, update(seq=1))
    one.confirm(EURUSD, "1D")
    one.close(4408, "late")
    one.flush()

    assert not socket.sent
    assert one._mail is one._replies is one._confirms is None


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
