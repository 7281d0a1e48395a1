"""Whatever stands in the site's cache: no page, health check or command fails because of it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.template import Context, Template
from django.test import Client, override_settings
from hypothesis import example, given, settings, strategies as st

from django_fcs import site
from django_fcs.fanout.routes import Key
from django_fcs.fanout.watched import Watched
from django_fcs.management.commands import fcs_status, fcs_stream
from django_fcs.prices.entries import VERSION, encode
from django_fcs.prices.minutes import KEPT, Minutes, minute_of
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.states import Expectation, State
from django_fcs.prices.store import CacheStore, LastValue
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price
from django_fcs.quotes import aget_quote, get_quote
from django_fcs.rooms import Room
from django_fcs.widgets import FIELDS
from tests.support.caches import SICK, SickCache
from tests.support.layers import SHARED, SharedLayer

pytestmark = pytest.mark.urls("django_fcs.urls")


class Status(fcs_status.Command):
    """The command, which waits for no second heartbeat."""

    heartbeat_seconds = 0.0


class Stream(fcs_stream.Command):
    """The command, which waits for no second heartbeat either."""

    heartbeat_seconds = 0.0


EURUSD, USDJPY = Room("FX:EURUSD", "1D"), Room("FX:USDJPY", "1D")
NOW = time.time()

PAGE = Template(
    '{% load fcs %}{% fcs_ticker "FX:EURUSD" %}{% fcs_ticker "FX:USDJPY" %}'
    + "".join(f'{{% fcs_price "FX:EURUSD" field="{field}" %}}' for field in FIELDS)
)


def value_of(room: Room, *, c: float) -> LastValue:
    fields: dict[str, Any] = {
        **{"t": 1766361600, "o": 1.1, "h": 1.6, "l": 1.05, "c": c, "v": 7.0},
        **{"a": 1.51, "b": 1.49, "update": NOW, "pc": 1.2, "ch": 0.3, "chp": 25.0},
        **{"digits": 5, "delay": 900, "seq": 1000, "at": NOW},
    }
    price = Price(symbol=room.symbol, timeframe=room.timeframe, mode="candle", **fields)
    return LastValue(Update.encode(room, price, epoch=1).text, Expectation(patience=1e4))


VALUE, GOOD = value_of(EURUSD, c=1.5), value_of(USDJPY, c=155.25)
PATH = PathReport(NOW, online=True, reason="")
MINUTES = Minutes(minute_of(NOW) - 1, (1.1, None, 1.2))
REPORT = Report(
    at=NOW,
    epoch=1,
    rooms=("FX:EURUSD_1D", "FX:USDJPY_1D"),
    joined=2,
    updates_per_second=1.5,
    last_at=NOW,
    leader=True,
    counts={"x": 1},
)

#: The values are those of when this module was imported.
SETTINGS = {
    "CACHES": SICK,
    "CHANNEL_LAYERS": SHARED,
    "TIME_ZONE": "Asia/Tokyo",
    "FCS_OFFLINE_AFTER_SECONDS": 3600,
    "FCS_STALE_AFTER_SECONDS": 3600,
}


class Foreign:
    """An object of another version of this project."""

    def __bool__(self) -> bool:
        raise AttributeError("this version has other fields")


# -- what may stand there

magnitudes = st.sampled_from(
    [
        *(0, -1, 1, 2**53, 2**62, 2**63, 2**64, 10**30, 10**400, -(10**400)),
        *(1e-300, 1e-18, 1e18, 1e29, 1e41, 1e300, -1e300, math.nan, math.inf, -math.inf),
        *(9e12, 253402300799, 32503680001, 1766361600123, 99, -62135596801),
    ]
)
texts = st.one_of(
    st.text(st.characters(), max_size=20),
    st.sampled_from(["\ud800", "\x1b[2J", "x\n2026 CRITICAL root", "x" * 100_000, "1e999", "NaN"]),
)
nested: st.SearchStrategy[Any] = st.sampled_from(
    [[], {}, [[[]]], {"a": {"b": [{}]}}, [0] * 1000, None, True]
)
odd = st.one_of(magnitudes, texts, nested)
foreign = st.one_of(
    st.binary(max_size=30),
    texts,
    magnitudes,
    nested,
    st.sampled_from(["[" * 100_000, '{"text":' * 50_000, "null", "[]", "{}"]),
    st.builds(Foreign),
)


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """Draw a valid entry of which some values are replaced, also inside of its text."""
    whole = json.loads(encode(value))
    if isinstance(whole.get("text"), str):
        inner = json.loads(whole["text"])
        damage(draw, inner)
        whole["text"] = json.dumps(inner, ensure_ascii=draw(st.booleans()))
    if "text" not in whole or draw(st.booleans()):
        damage(draw, whole)
    text = json.dumps(whole, ensure_ascii=draw(st.booleans()))
    return text.encode(errors="surrogatepass") if draw(st.booleans()) else text


def damage(draw: st.DrawFn, tree: dict[str, Any]) -> None:
    while True:
        name = draw(st.sampled_from(sorted(tree)))
        if not (isinstance(tree[name], dict) and tree[name] and draw(st.booleans())):
            break
        tree = tree[name]
    tree[name] = draw(odd)


def entries(value: Any) -> st.SearchStrategy[Any]:
    return st.one_of(damaged(value), foreign)


# -- who reads it


@contextmanager
def site_with(*, value: Any, path: Any, report: Any, minutes: Any = None) -> Iterator[None]:
    """A site of many processes, with these entries in its cache, and a good one of USDJPY."""
    prefix = f"fcs:{VERSION}"
    kept = {
        f"{prefix}:{EURUSD.group}": value,
        f"{prefix}:{USDJPY.group}": encode(GOOD),
        f"{prefix}:minutes:{EURUSD.group}": minutes,
        f"{prefix}:beat": path,
        f"{prefix}:report": report,
    }
    SharedLayer.reset()
    SickCache.error = None
    SickCache.released.set()
    with override_settings(**SETTINGS), patch.object(SickCache, "kept", kept):
        # A busy machine may need long to read it.
        patient = CacheStore("default", patience=60)
        with patch.object(site, "_caches", {"default": patient}):
            yield


def look_at_all() -> str:
    """Read the cache in every way that this project does; return the page."""
    page = PAGE.render(Context())
    client = Client()
    for url in ("/health/", "/metrics/"):
        assert client.get(url).status_code in (200, 503)
    json.loads(client.get("/health/").content, parse_constant=pytest.fail)
    for arguments in ([Status()], [Status(), "--json"], [Stream(), "--check"]):
        try:
            call_command(*arguments)
        except CommandError as error:
            assert str(error).isprintable() and len(str(error)) < 1000
    return str(page)


def assert_sound(quote: Any) -> None:
    if quote is None:
        return
    numbers = [value for value in vars(quote).values() if isinstance(value, float)]
    assert all(map(math.isfinite, numbers))
    assert 0 <= quote.digits <= 20


@settings(max_examples=25)  # Each one shows a page, a health check and commands.
@given(value=entries(VALUE))
@example(value=encode(VALUE))
@example(value=encode(VALUE).replace("1.5", "1e29"))
def test_the_entry_of_one_room_leaves_every_other_room_its_quote(value: Any) -> None:
    with site_with(value=value, path=encode(PATH), report=encode(REPORT)):
        page = look_at_all()
        assert_sound(get_quote("FX:EURUSD"))
        other = get_quote("FX:USDJPY")

        assert other is not None and (other.close, other.state) == (155.25, State.LIVE)
        assert "155.25000" in page


@settings(max_examples=25)
@given(value=entries(VALUE), path=entries(PATH), report=entries(REPORT), minutes=entries(MINUTES))
def test_whatever_the_cache_holds_nothing_raises(
    value: Any, path: Any, report: Any, minutes: Any
) -> None:
    with site_with(value=value, path=path, report=report, minutes=minutes):
        page = look_at_all()
        other = get_quote("FX:USDJPY")

        assert other is not None and other.close == 155.25
        assert "155.25000" in page


@given(value=entries(VALUE), path=entries(PATH))
def test_a_hub_starts_with_what_is_sound_of_it(value: Any, path: Any) -> None:
    with site_with(value=value, path=path, report=None):
        values, report = site.site_store().load([EURUSD, USDJPY])
    watched = Watched()
    for room in (EURUSD, USDJPY):
        watched.join(Key(room, "1D"))
    shown = {one.room: one.update for one, _ in watched.restore((EURUSD, USDJPY), values, report)}
    for one in watched:
        assert json.loads(one.state_text(Key(one.room, "1D")))["type"] == "state"

    update = shown[USDJPY]
    assert update is not None and update.text == GOOD.text


@pytest.mark.parametrize("error", [OSError("x\nFORGED"), RuntimeError("\x1b[2J" * 10_000)])
def test_a_cache_that_raises_leaves_widgets_without_a_price(
    error: Exception, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with site_with(value=None, path=None, report=None), patch.object(SickCache, "error", error):
        page = look_at_all()
        assert get_quote("FX:EURUSD") is None

    assert page.count('data-state="waiting"') == 2 + len(FIELDS)
    lines = [line for line in caplog.messages if "cache failed" in line]
    assert len(lines) == 1 and lines[0].isprintable() and len(lines[0]) < 600
    assert "\x1b" not in capsys.readouterr().out


@given(minutes=entries(MINUTES))
@example(minutes=encode(MINUTES))
def test_the_minutes_of_a_room_never_cost_it_its_price(minutes: Any) -> None:
    with site_with(value=encode(VALUE), path=encode(PATH), report=None, minutes=minutes):
        quote = get_quote("FX:EURUSD")

    assert quote is not None and quote.close == 1.5
    assert len(quote.recent) in (0, KEPT)
    json.dumps(quote.as_dict(), allow_nan=False)


async def test_the_async_side_drops_the_same_entries() -> None:
    with site_with(value='{"text":"\ud800"}', path=encode(PATH), report=None):
        assert await aget_quote("FX:EURUSD") is None
        other = await aget_quote("FX:USDJPY")

    assert other is not None and other.close == 155.25
