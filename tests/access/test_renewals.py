"""New tokens for a page that stays open for longer than a token is valid."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.access.renewals import AT_ONCE, DUE, SPREAD, Renewals
from django_fcs.protocol import Token
from django_fcs.tokens import make_token, token_is_valid
from tests.support import virtual_time

EURUSD = "FX:EURUSD"
START = 1_700_000_000.0
LIFE = 600


class Page:
    """One socket, and the tokens that it is sent."""

    def __init__(self) -> None:
        self.joined: set[str] = set()
        self.frames: list[tuple[float, list[Token]]] = []
        self.renewals = Renewals(
            joined=lambda: self.joined, send=self._send, clock=wall, chance=lambda: 0.0
        )

    def join(self, symbol: str, token: str | None = None) -> None:
        self.joined.add(symbol)
        self.renewals.expect(symbol, make_token(symbol) if token is None else token)

    @property
    def times(self) -> list[float]:
        """Seconds from the start to each frame."""
        return [round(moment - START) for moment, _ in self.frames]

    def _send(self, tokens: list[Token]) -> None:
        assert all(token_is_valid(one.token, one.symbol) for one in tokens)
        self.frames.append((wall(), tokens))


def wall() -> float:
    return START + asyncio.get_running_loop().time()


@pytest.fixture(autouse=True)
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.core.signing.time.time", wall)


def with_a_page(
    story: Callable[[Page], Coroutine[Any, Any, None]], life: int | None = LIFE
) -> Page:
    pages = []

    async def main() -> None:
        pages.append(Page())
        with pages[0].renewals:
            await story(pages[0])

    with override_settings(FCS_TOKEN_MAX_AGE_SECONDS=life):
        virtual_time.run(main())
    return pages[0]


def test_a_page_that_stays_open_always_has_a_valid_token() -> None:
    async def story(page: Page) -> None:
        token = make_token(EURUSD)
        page.join(EURUSD, token)
        for _ in range(3 * LIFE):
            await asyncio.sleep(1)
            token = page.frames[-1][1][0].token if page.frames else token
            assert token_is_valid(token, EURUSD)

    page = with_a_page(story)

    assert page.times == [400, 800, 1200, 1600]
    assert {one.symbol for _, tokens in page.frames for one in tokens} == {EURUSD}


def test_a_symbol_in_many_timeframes_is_renewed_once_by_its_oldest_token() -> None:
    async def story(page: Page) -> None:
        page.join(EURUSD)
        old = make_token(EURUSD)
        await asyncio.sleep(100)
        page.join(EURUSD)
        page.join(EURUSD, old)
        await asyncio.sleep(LIFE)

    page = with_a_page(story)

    assert page.times == [400]
    assert len(page.frames[0][1]) == 1


def test_each_symbol_is_renewed_at_its_own_time() -> None:
    async def story(page: Page) -> None:
        late = make_token("FX:USDJPY")
        await asyncio.sleep(100)
        page.join(EURUSD)
        await asyncio.sleep(100)
        page.join("FX:USDJPY", late)
        await asyncio.sleep(LIFE - 150)

    page = with_a_page(story)

    assert [(one.symbol) for _, (one,) in page.frames] == ["FX:USDJPY", EURUSD]
    assert page.times == [400, 500]


def test_a_token_that_is_due_at_the_join_is_renewed_soon() -> None:
    async def story(page: Page) -> None:
        old = make_token(EURUSD)
        await asyncio.sleep(LIFE - 1)
        page.join(EURUSD, old)
        await asyncio.sleep(0.5)

    assert with_a_page(story).times == [LIFE - 1]


@pytest.mark.parametrize("token", ["", "made up", ":" * 9])
def test_a_room_that_no_token_opened_needs_none(token: str) -> None:
    async def story(page: Page) -> None:
        page.renewals.expect(EURUSD, None)
        page.join(EURUSD, token)
        await asyncio.sleep(2 * LIFE)

    assert with_a_page(story).frames == []


@override_settings(FCS_ALLOWED_SYMBOLS=["FX:*"])
def test_a_room_that_everybody_may_join_needs_no_token() -> None:
    async def story(page: Page) -> None:
        page.join(EURUSD)
        page.join("NASDAQ:AAPL")
        await asyncio.sleep(LIFE)

    (frame,) = with_a_page(story).frames
    assert [one.symbol for one in frame[1]] == ["NASDAQ:AAPL"]


def test_a_room_that_was_left_or_taken_away_gets_no_token() -> None:
    async def story(page: Page) -> None:
        page.join(EURUSD)
        page.join("FX:USDJPY")
        await asyncio.sleep(100)
        page.joined.remove(EURUSD)
        await asyncio.sleep(LIFE)

    (frame,) = with_a_page(story).frames
    assert [one.symbol for one in frame[1]] == ["FX:USDJPY"]


def test_tokens_without_an_age_are_not_renewed() -> None:
    async def story(page: Page) -> None:
        page.join(EURUSD)
        await asyncio.sleep(10 * LIFE)

    assert with_a_page(story, None).frames == []


def test_tokens_that_no_longer_have_an_age_are_not_renewed() -> None:
    async def story(page: Page) -> None:
        page.join(EURUSD)
        with override_settings(FCS_TOKEN_MAX_AGE_SECONDS=None):
            await asyncio.sleep(2 * LIFE)

    assert with_a_page(story).frames == []


def test_many_tokens_go_in_few_frames_one_after_the_other() -> None:
    symbols = {f"NASDAQ:S{number}" for number in range(250)}

    async def story(page: Page) -> None:
        for symbol in symbols:
            page.join(symbol)
        await asyncio.sleep(LIFE)

    frames = with_a_page(story).frames
    assert [len(tokens) for _, tokens in frames] == [AT_ONCE, AT_ONCE, 50]
    assert {one.symbol for _, tokens in frames for one in tokens} == symbols
    assert len({moment for moment, _ in frames}) == 3


def test_the_shortest_life_sends_about_a_token_a_second() -> None:
    async def story(page: Page) -> None:
        page.join(EURUSD)
        await asyncio.sleep(60)

    assert len(with_a_page(story, 1).frames) < 100


@override_settings(FCS_MAX_ROOMS_PER_CLIENT=3)
def test_a_browser_that_joins_and_leaves_all_the_time_is_not_remembered_for_ever() -> None:
    async def story(page: Page) -> None:
        for number in range(100):
            page.joined.clear()
            page.join(f"NASDAQ:S{number}")
        await asyncio.sleep(0)
        assert len(page.renewals._due) <= 3

    with_a_page(story)


def test_a_clock_that_is_set_forward_makes_tokens_due() -> None:
    async def story(page: Page) -> None:
        ahead = 0.0
        life = 100_000
        renewals = Renewals(
            joined=lambda: {EURUSD},
            send=page._send,
            clock=lambda: wall() + ahead,
            chance=lambda: 0.0,
        )
        with renewals, override_settings(FCS_TOKEN_MAX_AGE_SECONDS=life):
            renewals.expect(EURUSD, make_token(EURUSD))
            ahead = life * DUE
            await asyncio.sleep(601)
        assert len(page.frames) == 1

    with_a_page(story)


def test_the_visitors_of_a_cached_page_are_not_renewed_in_the_same_moment() -> None:
    dice = random.Random(1)

    async def story(page: Page) -> None:
        token = make_token(EURUSD)
        moments: set[float] = set()
        for _ in range(20):
            renewals = Renewals(
                joined=lambda: {EURUSD},
                send=lambda tokens: moments.add(wall() - START),
                clock=wall,
                chance=dice.random,
            )
            with renewals:
                renewals.expect(EURUSD, token)
                moments.add(renewals._due[EURUSD] - START)
        assert len(moments) == 20
        assert LIFE * DUE <= min(moments) < max(moments) <= LIFE * (DUE + SPREAD)

    with_a_page(story)


def test_a_socket_that_has_closed_is_sent_nothing() -> None:
    async def story(page: Page) -> None:
        with page.renewals:
            page.join(EURUSD)
        await asyncio.sleep(2 * LIFE)

    assert with_a_page(story).frames == []
