"""What waits for a client is bounded, and answers are never lost."""

from __future__ import annotations

import asyncio

from django_fcs.simulator.outbox import QUEUE_MAX, Outbox


async def test_frames_come_out_as_they_went_in() -> None:
    outbox = Outbox()
    for text in "abc":
        assert outbox.append(text)

    assert await outbox.take(2) == ["a", "b"]
    assert await outbox.take(2) == ["c"]


async def test_who_takes_waits_for_a_frame() -> None:
    outbox = Outbox()
    taking = asyncio.ensure_future(outbox.take(1))
    await asyncio.sleep(0)
    assert not taking.done()

    outbox.append("a")

    assert await asyncio.wait_for(taking, 20) == ["a"]


async def test_a_full_outbox_drops_its_oldest_price_for_a_new_one() -> None:
    outbox = Outbox()
    outbox.append("answer")
    for number in range(QUEUE_MAX - 1):
        assert outbox.append(str(number), live=True)

    assert not outbox.append("new", live=True)

    texts = await outbox.take(QUEUE_MAX + 1)
    assert len(texts) == QUEUE_MAX
    assert (texts[0], texts[1], texts[-1]) == ("answer", "1", "new")


async def test_no_answer_gives_way_to_a_price() -> None:
    outbox = Outbox()
    answers = [str(number) for number in range(QUEUE_MAX)]
    for text in answers:
        outbox.append(text)

    assert not outbox.append("price", live=True)

    assert await outbox.take(QUEUE_MAX + 1) == answers


async def test_who_has_an_answer_waits_for_room() -> None:
    outbox = Outbox()
    for number in range(QUEUE_MAX):
        outbox.append(str(number))
    waiting = asyncio.ensure_future(outbox.wait_for_space())
    await asyncio.sleep(0)
    assert not waiting.done()

    await outbox.take(1)

    await asyncio.wait_for(waiting, 20)


async def test_a_closed_outbox_holds_nobody_up() -> None:
    outbox = Outbox()
    for number in range(QUEUE_MAX):
        outbox.append(str(number))
    waiting = asyncio.ensure_future(outbox.wait_for_space())
    await asyncio.sleep(0)

    outbox.close()

    await asyncio.wait_for(waiting, 20)
