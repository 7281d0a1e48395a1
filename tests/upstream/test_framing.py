"""Frames are cut out whole, however the stream of bytes is chopped."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from django_fcs.upstream.framing import Framing, Texts

pytestmark = pytest.mark.versions

LONGEST = 70_000


def frame(payload: bytes, first: int = 0x81) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes([first, length]) + payload
    if length < 65536:
        return bytes([first, 126]) + struct.pack(">H", length) + payload
    return bytes([first, 127]) + struct.pack(">Q", length) + payload


def cut(data: bytes, sizes: list[int]) -> tuple[list[bytes], list[bytes]]:
    texts: list[bytes] = []
    others: list[bytes] = []
    framing = Framing(text=texts.append, other=others.append, size_max=LONGEST)
    for size in sizes:
        framing.feed(data[:size])
        data = data[size:]
    framing.feed(data)
    return texts, others


payloads = st.binary(max_size=300) | st.sampled_from([b"", b"x" * 125, b"y" * 126, b"z" * 66_000])
firsts = st.sampled_from([0x81, 0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8A, 0xC1])


@given(st.lists(st.tuples(payloads, firsts), max_size=8), st.lists(st.integers(1, 400), max_size=9))
@settings(deadline=None)
def test_however_the_bytes_come_the_same_frames_are_cut_out(
    frames: list[tuple[bytes, int]], sizes: list[int]
) -> None:
    texts, others = cut(b"".join(frame(*one) for one in frames), sizes)

    assert texts == [payload for payload, first in frames if first == 0x81]
    assert others == [frame(*one) for one in frames if one[1] != 0x81]


@given(st.binary(max_size=400), st.lists(st.integers(1, 40), max_size=9))
def test_whatever_comes_nothing_is_raised(data: bytes, sizes: list[int]) -> None:
    cut(data, sizes)


@pytest.mark.parametrize(
    "bad", [bytes([0x81, 0x85]) + b"abcdefghi", frame(b"x" * (LONGEST + 1))[:20]]
)
def test_what_a_server_may_not_send_is_left_to_who_knows_what_to_do(bad: bytes) -> None:
    texts, others = cut(frame(b"before") + bad, [])

    assert texts == [b"before"]
    assert others == [bad]


class Transport:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


async def test_a_socket_is_left_unread_while_its_reader_is_behind() -> None:
    texts, transport = Texts(limit=2), Transport()
    some: Any = transport
    for number in range(4):
        texts.add(b"%d" % number)
        texts.announce(some)
    assert transport.calls == ["pause"]
    assert await texts.take(some) == [b"0", b"1", b"2", b"3"]
    assert transport.calls == ["pause", "resume"]


async def test_who_waits_for_texts_is_woken_by_the_first_or_by_the_end() -> None:
    texts, transport = Texts(limit=2), Transport()
    some: Any = transport
    waiting = asyncio.ensure_future(texts.take(some))
    await asyncio.sleep(0)
    texts.add(b"1")
    texts.announce(some)
    assert await waiting == [b"1"]
    waiting = asyncio.ensure_future(texts.take(some))
    await asyncio.sleep(0)
    texts.end()

    assert await waiting == []


async def test_what_nobody_reads_any_more_holds_nothing_up() -> None:
    texts, transport = Texts(limit=0), Transport()
    some: Any = transport
    texts.add(b"1")
    texts.announce(some)
    texts.drop(some)
    texts.add(b"2")
    texts.announce(some)

    assert transport.calls == ["pause", "resume"]


async def test_what_waits_can_be_read_where_the_transport_was_lost() -> None:
    class Lost(Transport):
        def resume_reading(self) -> None:
            super().resume_reading()
            raise AttributeError("'NoneType' object has no attribute 'resume_reading'")

    texts, transport = Texts(limit=0), Lost()
    some: Any = transport
    texts.add(b"last")
    texts.announce(some)
    texts.end()

    assert await texts.take(some) == [b"last"]
    assert await texts.take(some) == []
    assert transport.calls == ["pause", "resume"]
