"""The target for the elements: frames for a page in Chromium, without a server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

from django_fcs.widgets import formats
from lab.kit import grammar
from lab.kit.places import ROOT
from tests.support.chromium import FLAGS, chromium

from .merge_messages import SEQ, TIMEFRAMES, merge_frame

try:
    from playwright.sync_api import Page, Route, sync_playwright
except ImportError:  # The unit tests have no browser.
    HAS_PLAYWRIGHT = False
else:
    HAS_PLAYWRIGHT = True

__all__ = ["Elements", "is_installed"]

#: The process of a target clears its environment before it starts the target.
_CHROMIUM = chromium()
_ENVIRONMENT: dict[str, str | float | bool] = {**os.environ}

_URL = "http://elements.test/"
_STATIC = ROOT / "django_fcs/static/django_fcs"
_ROOMS = tuple(product(grammar.SYMBOLS, TIMEFRAMES))
_NAMES = ("open", "high", "low", "close", "ask", "bid")
_LETTERS = "ohlcab"
#: Longer than an element rejects prices with a smaller number.
_PAUSE_MS = 20_000

Numbers = list[float | None]
Rooms = dict[tuple[str, ...], Numbers]


def is_installed() -> bool:
    """Return whether there is a browser, and the library that drives it."""
    return HAS_PLAYWRIGHT and _CHROMIUM is not None


class Elements:
    """A page with several elements for each room.

    An input fails if the page reports an error, if an element shows or passes on a price that
    was not sent, or if an element does not show the next valid price of its room.
    """

    def __enter__(self) -> Elements:
        self._seq = 1_000_000
        self._right: Rooms = dict.fromkeys(_ROOMS, [None] * 6)
        with ExitStack() as stack:
            playwright = stack.enter_context(sync_playwright())
            browser = playwright.chromium.launch(
                executable_path=_CHROMIUM, args=FLAGS, env=_ENVIRONMENT
            )
            stack.callback(browser.close)
            self._page = browser.new_page()
            self._problems: list[str] = []
            self._page.on("pageerror", lambda error: self._problems.append(str(error)))
            self._open(self._page)
            self._shut = stack.pop_all()
        self.feed("[]")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._shut.close()

    @staticmethod
    def draw(random: Random) -> str:
        """Draw one frame of the merge protocol."""
        return merge_frame(random)

    def feed(self, text: str) -> None:
        """Send a frame to the page, and then valid prices; raises an error if one is not shown."""
        for answer in self._deliver([text]):
            answer.check()
        self._check_page()

    def feed_all(self, texts: Mapping[int, str]) -> None:
        """Feed frames by number, in one call of the page; an error names the number."""
        for number, answer in zip(texts, self._deliver(texts.values()), strict=True):
            try:
                answer.check()
            except AssertionError as error:
                raise AssertionError(f"input {number}: {error}") from error
        self._check_page()

    def _check_page(self) -> None:
        assert not self._problems, f"the page reported {self._problems!r:.2000}"

    def _deliver(self, texts: Iterable[str]) -> list[_Answer]:
        rights, frames = [self._right], []
        for text in texts:
            self._seq += 2
            rights.append(_right_prices(self._seq))
            right_frame = _right_frame(rights[-1], self._seq)
            frames.append([text.replace(SEQ, str(self._seq - 1)), right_frame, _PAUSE_MS])
        self._right = rights[-1]
        answers = json.loads(self._page.evaluate("feed", frames))
        return [
            _Answer(before, right, *answer)
            for (before, right), answer in zip(pairwise(rights), answers, strict=True)
        ]

    def _open(self, page: Page) -> None:
        page.add_init_script(path=Path(__file__).with_suffix(".js"))
        page.route("**/*", _serve)
        page.goto(_URL)


@dataclass(frozen=True)
class _Answer:
    """What a page did with a frame, and with the valid prices after it."""

    before: Rooms
    """The valid prices before the frame."""
    right: Rooms
    """The valid prices after it."""
    answer: dict[str, Any]
    healed: dict[str, Any]

    def check(self) -> None:
        problems = [*self.answer["problems"], *self.healed["problems"]]
        assert not problems, f"the page reported {problems!r:.2000}"
        sent = _by_room(self.answer["sent"])
        for symbol, timeframe, numbers in self.answer["heard"]:
            _assert_sent(_floats(numbers), sent.get((symbol, timeframe), []))
        for shown in self.answer["shown"]:
            place = tuple(shown["place"])
            _assert_shown(shown, [*sent.get(place, ()), self.before[place]])
        for shown in self.healed["shown"]:
            _assert_right(shown, self.right[tuple(shown["place"])])


def _right_frame(right: Rooms, seq: int) -> str:
    messages: list[dict[str, Any]] = []
    for (symbol, timeframe), numbers in right.items():
        room = {"symbol": symbol, "timeframe": timeframe}
        prices = {"mode": "candle", "digits": 5, **dict(zip(_LETTERS, numbers, strict=True))}
        messages.append({"type": "price", **room, "prices": prices, "seq": seq})
        messages.append({"type": "state", **room, "state": "live", "reason": ""})
    return json.dumps(messages)


def _right_prices(seq: int) -> Rooms:
    """Return six different prices for each room, which differ from those of the input before."""
    part = seq % 10_000
    return {
        room: [100 + index + (part + 0.1 * letter) / 10_000 for letter in range(6)]
        for index, room in enumerate(_ROOMS)
    }


def _serve(route: Route) -> None:
    name = route.request.url.removeprefix(_URL)
    if name in ("fcs-client.js", "fcs-elements.js"):
        route.fulfill(path=_STATIC / name)
    else:
        route.fulfill(body=_html(), content_type="text/html; charset=utf-8")


def _html() -> str:
    # What is hidden has no layout, which would take most of the time.
    elements = "".join(
        f'<fcs-ticker symbol="{symbol}"></fcs-ticker>'
        f'<fcs-price symbol="{symbol}" field="ask"></fcs-price>'
        f'<fcs-price symbol="{symbol}" field="spread"></fcs-price>'
        f'<fcs-price symbol="{symbol}" field="bid" timeframe="60"></fcs-price>'
        for symbol in grammar.SYMBOLS
    )
    return (
        '<!doctype html><html lang="en"><link rel="icon" href="data:,">'
        '<script defer src="/fcs-client.js" data-fcs-socket="/ws/fcs/"></script>'
        '<script defer src="/fcs-elements.js"></script>'
        f"<body hidden>{elements}</body></html>"
    )


def _floats(numbers: list[str | None]) -> Numbers:
    return [None if number is None else float(number) for number in numbers]


def _by_room(sent: list[Any]) -> dict[tuple[str, ...], list[Numbers]]:
    rooms: dict[tuple[str, ...], list[Numbers]] = {}
    for symbol, timeframe, numbers in sent:
        rooms.setdefault((symbol, timeframe), []).append(_floats(numbers))
    return rooms


def _text(numbers: Numbers, name: str, digits: int) -> str:
    return formats.number(numbers[_NAMES.index(name)], digits)


def _assert_sent(heard: Numbers, sent: list[Numbers]) -> None:
    assert heard in sent, f"fcs:price has {heard}, and {sent} was sent"


def _assert_right(shown: dict[str, Any], numbers: Numbers) -> None:
    found = {name: text for name, text in shown["fields"].items() if name in _NAMES}
    right = {name: _text(numbers, name, 5) for name in found}
    assert found == right, f"{shown['place']} shows {found} in place of {right}"
    assert shown["state"] == "live", f"{shown['place']} is {shown['state']}"
    assert shown["status"] in ("", "live"), f"{shown['place']}: {shown['status']}"


def _assert_shown(shown: dict[str, Any], sent: list[Numbers]) -> None:
    """Check each field on its own, and that no spread comes from one side alone."""
    for name, text in shown["fields"].items():
        if name in _NAMES and text != formats.UNKNOWN:
            texts = {_text(numbers, name, shown["digits"]) for numbers in sent}
            assert text in texts, f"{name} of {shown['place']} is {text}, and {texts} was sent"
        if name == "spread" and text != formats.UNKNOWN:
            has_both = any(None not in numbers[4:] for numbers in sent)
            assert has_both, f"{shown['place']} shows the spread {text} of one price"
