"""The target for the elements: frames for a page in Chromium, without a server."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from itertools import product
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
        self._right: dict[tuple[str, ...], Numbers] = dict.fromkeys(_ROOMS, [None] * 6)
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
        before = self._right
        self._seq += 2
        self._right = _right_prices(self._seq)
        frames = [text.replace(SEQ, str(self._seq - 1)), self._right_frame(), _PAUSE_MS]
        answer, healed = json.loads(self._page.evaluate("feed", frames))
        problems = [*answer["problems"], *healed["problems"], *self._problems]
        assert not problems, f"the page reported {problems!r:.2000}"
        sent = _by_room(answer["sent"])
        for symbol, timeframe, numbers in answer["heard"]:
            _assert_sent(_floats(numbers), sent.get((symbol, timeframe), []))
        for shown in answer["shown"]:
            place = tuple(shown["place"])
            _assert_shown(shown, [*sent.get(place, ()), before[place]])
        for shown in healed["shown"]:
            _assert_right(shown, self._right[tuple(shown["place"])])

    def _open(self, page: Page) -> None:
        page.add_init_script(path=Path(__file__).with_suffix(".js"))
        page.route("**/*", _serve)
        page.goto(_URL)

    def _right_frame(self) -> str:
        messages: list[dict[str, Any]] = []
        for (symbol, timeframe), numbers in self._right.items():
            room = {"symbol": symbol, "timeframe": timeframe}
            prices = {"mode": "candle", "digits": 5, **dict(zip(_LETTERS, numbers, strict=True))}
            messages.append({"type": "price", **room, "prices": prices, "seq": self._seq})
            messages.append({"type": "state", **room, "state": "live", "reason": ""})
        return json.dumps(messages)


def _right_prices(seq: int) -> dict[tuple[str, ...], Numbers]:
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
        '<script defer src="/fcs-elements.js" data-fcs-timeframe="1D"></script>'
        f"<body hidden>{elements}</body></html>"
    )


def _floats(numbers: list[str | None]) -> Numbers:
    return [None if number is None else float(number) for number in numbers]


def _by_room(sent: list[Any]) -> dict[tuple[str, ...], list[Numbers]]:
    rooms: dict[tuple[str, ...], list[Numbers]] = {}
    for symbol, timeframe, numbers in sent:
        rooms.setdefault((symbol, timeframe), []).append(_floats(numbers))
    return rooms


def _texts(numbers: Numbers, digits: int) -> dict[str, str]:
    return {
        name: formats.number(number, digits) for name, number in zip(_NAMES, numbers, strict=True)
    }


def _assert_sent(heard: Numbers, sent: list[Numbers]) -> None:
    assert heard in sent, f"fcs:price has {heard}, and {sent} was sent"


def _assert_right(shown: dict[str, Any], numbers: Numbers) -> None:
    right = _texts(numbers, 5)
    found = {name: text for name, text in shown["fields"].items() if name in right}
    wrong = {name: text for name, text in found.items() if text != right[name]}
    assert not wrong, f"{shown['place']} shows {wrong} in place of {right}"
    assert shown["state"] == "live", f"{shown['place']} is {shown['state']}"
    assert shown["status"] in ("", "live"), f"{shown['place']}: {shown['status']}"


def _assert_shown(shown: dict[str, Any], sent: list[Numbers]) -> None:
    """Check each field on its own, and that no spread comes from one side alone."""
    allowed = [_texts(numbers, shown["digits"]) for numbers in sent]
    for name, text in shown["fields"].items():
        if name in _NAMES and text != formats.UNKNOWN:
            texts = {one[name] for one in allowed}
            assert text in texts, f"{name} of {shown['place']} is {text}, and {texts} was sent"
        if name == "spread" and text != formats.UNKNOWN:
            has_both = any(None not in numbers[4:] for numbers in sent)
            assert has_both, f"{shown['place']} shows the spread {text} of one price"
