"""The site's own function: what its answers mean, and that a slow one holds up nobody else."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.test import override_settings

from django_fcs.access.authorizer import LATE_MAX, Answer, Authorizer
from django_fcs.access.threads import QueryThreads
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts
from django_fcs.tools.worker import Workers
from tests.support import virtual_time
from tests.support.waiting import eventually

EURUSD, USDJPY = Room("FX:EURUSD", "1D"), Room("FX:USDJPY", "1D")
SCOPE: Mapping[str, Any] = {"type": "websocket"}

answer: object = None
gate = threading.Event()
running: list[Room] = []


@pytest.fixture(autouse=True)
def open_gate() -> Iterator[None]:
    running.clear()
    gate.clear()
    yield
    gate.set()


def answers(scope: Mapping[str, Any], room: Room) -> object:
    return answer


async def answers_async(scope: Mapping[str, Any], room: Room) -> object:
    return answer


def waits(scope: Mapping[str, Any], room: Room) -> bool:
    running.append(room)
    if room == EURUSD:
        gate.wait(60)
    return True


async def queries(scope: Mapping[str, Any], room: Room) -> bool:
    return await database_sync_to_async(waits)(scope, room)


async def never(scope: Mapping[str, Any], room: Room) -> bool:
    running.append(room)
    await asyncio.sleep(1e6)
    return True


async def goes_on(scope: Mapping[str, Any], room: Room) -> bool:
    running.append(room)
    while not gate.is_set():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)
    raise ValueError("late")


def exits(scope: Mapping[str, Any], room: Room) -> bool:
    sys.exit(3)


async def exits_async(scope: Mapping[str, Any], room: Room) -> bool:
    sys.exit(3)


async def gives_up(scope: Mapping[str, Any], room: Room) -> bool:
    raise asyncio.CancelledError


def by(name: str, **settings: Any) -> override_settings:
    return override_settings(FCS_AUTHORIZE=f"{__name__}.{name}", **settings)


@pytest.mark.parametrize("name", ["answers", "answers_async"])
@pytest.mark.parametrize("said", ["no", "yes", "", 1, 0, None, object(), [True], (), b"\0"])
async def test_only_true_is_yes_and_anything_but_a_bool_is_logged(
    name: str, said: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(globals(), "answer", said)
    with by(name):
        assert await Authorizer().ask(SCOPE, EURUSD) is Answer.NO

    [record] = caplog.records
    assert "must return True or False" in record.getMessage()
    assert f"type={type(said).__name__}" in record.getMessage()


@pytest.mark.parametrize("name", ["answers", "answers_async"])
@pytest.mark.parametrize(("said", "means"), [(True, Answer.YES), (False, Answer.NO)])
async def test_true_is_yes_and_false_is_no(
    name: str,
    said: bool,
    means: Answer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(globals(), "answer", said)
    with by(name):
        assert await Authorizer().ask(SCOPE, EURUSD) is means

    assert not caplog.records


async def test_a_site_without_a_function_allows_all() -> None:
    assert await Authorizer().ask(SCOPE, EURUSD) is Answer.YES


def test_an_async_function_that_does_not_answer_in_time_is_cancelled_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        began = asyncio.get_running_loop().time()
        assert await Authorizer().ask(SCOPE, EURUSD) is Answer.NONE
        assert asyncio.get_running_loop().time() - began == pytest.approx(10)

    with by("never"):
        virtual_time.run(main())

    assert "FCS_AUTHORIZE took more than 10 s" in caplog.text
    assert counts()["authorize_timeouts"] == 1


async def test_a_function_that_cancels_itself_has_not_answered() -> None:
    with by("gives_up"):
        assert await Authorizer().ask(SCOPE, EURUSD) is Answer.NONE


@pytest.mark.parametrize("name", ["exits", "exits_async"])
async def test_a_function_that_exits_ends_neither_its_thread_nor_the_process(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    authorizer = Authorizer(workers=Workers("test", size=1))
    for _ in range(2):
        with by(name):
            assert await asyncio.wait_for(authorizer.ask(SCOPE, EURUSD), 5) is Answer.NONE
        with by("answers"):
            assert await authorizer.ask(SCOPE, EURUSD) is Answer.NO
    assert "SystemExit" in caplog.text


@pytest.mark.parametrize("name", ["waits", "queries"])
async def test_a_slow_query_holds_up_neither_other_rooms_nor_the_orm(name: str) -> None:
    authorizer = Authorizer(workers=Workers("test", size=4), threads=QueryThreads(size=4))
    with by(name):
        slow = asyncio.ensure_future(authorizer.ask(SCOPE, EURUSD))
        await eventually(lambda: running, within=10, what="the call")

        assert await database_sync_to_async(lambda: 7)() == 7
        assert await authorizer.ask(SCOPE, USDJPY) is Answer.YES
        assert not slow.done()

        gate.set()
        assert await slow is Answer.YES


@pytest.mark.parametrize("name", ["waits", "queries"])
async def test_a_call_that_takes_too_long_keeps_its_thread_and_no_more_start_than_there_are(
    name: str,
) -> None:
    workers, threads = Workers("test", size=2), QueryThreads(size=2)
    authorizer = Authorizer(workers=workers, threads=threads)
    with by(name, FCS_AUTHORIZE_TIMEOUT_SECONDS=0.1):
        for _ in range(3):
            assert await authorizer.ask(SCOPE, EURUSD) is Answer.NONE
        assert running == [EURUSD, EURUSD]

        gate.set()
        free = workers._free if name == "waits" else threads._free
        await eventually(lambda: len(free) == 2, within=10, what="two free threads")
    with by(name):
        assert await authorizer.ask(SCOPE, USDJPY) is Answer.YES


def test_so_many_calls_run_at_once_and_each_has_its_own_time() -> None:
    async def main() -> None:
        authorizer = Authorizer(at_once=3)
        calls = [asyncio.ensure_future(authorizer.ask(SCOPE, EURUSD)) for _ in range(7)]
        await asyncio.sleep(1)
        assert len(running) == 3
        await asyncio.sleep(10)
        assert len(running) == 6
        assert await asyncio.gather(*calls) == [Answer.NONE] * 7
        assert asyncio.get_running_loop().time() == pytest.approx(30, abs=0.01)

    with by("never"):
        virtual_time.run(main())


def test_a_caller_that_is_cancelled_leaves_no_call_behind() -> None:
    async def main() -> None:
        authorizer = Authorizer(at_once=1)
        calls = [asyncio.ensure_future(authorizer.ask(SCOPE, EURUSD)) for _ in range(2)]
        await asyncio.sleep(1)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        assert running == [EURUSD]

    with by("never"):
        virtual_time.run(main())


@pytest.mark.parametrize("how", ["timeout", "cancel"])
async def test_a_call_that_catches_its_cancellation_holds_up_nobody(how: str) -> None:
    authorizer = Authorizer(at_once=1)
    with by("goes_on", FCS_AUTHORIZE_TIMEOUT_SECONDS=0.1 if how == "timeout" else 60):
        call = asyncio.ensure_future(authorizer.ask(SCOPE, EURUSD))
        await eventually(lambda: running, within=10, what="the call")
        if how == "cancel":
            call.cancel()
        await asyncio.wait([call], timeout=5)
        assert call.done()
    with by("answers_async"):
        assert await asyncio.wait_for(authorizer.ask(SCOPE, USDJPY), 5) is Answer.NO
    gate.set()
    await eventually(lambda: not authorizer._late, within=10, what="the end of the call")


async def test_no_more_calls_begin_than_may_run_after_their_time() -> None:
    authorizer = Authorizer(at_once=100)
    with by("goes_on", FCS_AUTHORIZE_TIMEOUT_SECONDS=0.1):
        calls = [authorizer.ask(SCOPE, EURUSD) for _ in range(LATE_MAX)]
        assert set(await asyncio.gather(*calls)) == {Answer.NONE}
    with by("answers_async"):
        assert await authorizer.ask(SCOPE, EURUSD) is Answer.NONE
    gate.set()
    await eventually(lambda: not authorizer._late, within=10, what="the end of the calls")
    assert len(running) == LATE_MAX
    with by("answers_async"):
        assert await authorizer.ask(SCOPE, EURUSD) is Answer.NO
