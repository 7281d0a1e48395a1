"""``manage.py fcs_watch``, in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from django_fcs.management.commands import fcs_watch
from django_fcs.management.running import Screen
from django_fcs.protocol import Price, ProfileUpdate
from django_fcs.rooms import Room
from django_fcs.simulator import RandomWalk, Replay
from django_fcs.simulator.server import BAD_KEY
from django_fcs.upstream import Arrival
from tests.support.beside import Terminal, safe_signals, simulator_beside

pytestmark = pytest.mark.versions

THIN, MINUS = "\N{THIN SPACE}", "\N{MINUS SIGN}"


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    with safe_signals():
        yield


class Quick(fcs_watch.Command):
    """The command, on a terminal that is drawn without delay."""

    draw_seconds = 0.005


def frame(symbol: str, **prices: Any) -> tuple[float, str]:
    return 0.0, json.dumps({"type": "price", "symbol": symbol, "timeframe": "60", "prices": prices})


FRAMES = [
    frame("FX:EURUSD", mode="initial", t=1766410800, o=1.0845, h=1.085, l=1.084, c=1.0844),
    frame("BINANCE:BTCUSDT", mode="initial", t=1766410800, o=88658.87, h=90588.23, l=87900, c=1),
    frame(
        "FX:EURUSD",
        **{"mode": "candle", "t": 1766410800, "o": 1.0845, "h": 1.085, "l": 1.084, "c": 1.08412},
        **{"v": 8192.7, "a": 1.0842, "b": 1.08408},
    ),
    # Of a candle that is over.
    frame("FX:EURUSD", mode="candle", t=1766407200, o=1.0, h=1.0, l=1.0, c=1.0),
    frame("FX:EURUSD", mode="askbid", t=1766410800, update=1766411426, c=1.0841, a=1.0842, b=1.084),
    frame(
        "BINANCE:BTCUSDT",
        **{"mode": "candle", "t": 1766410800, "o": 88658.87, "h": 90588.23, "l": 87900.0},
        **{"c": 89962.61, "v": 59_031_000, "a": 89962.62, "b": 89962.61},
    ),
]


@contextmanager
def replayed() -> Iterator[None]:
    with simulator_beside(Replay(FRAMES, speed=0)) as vendor, override_settings(FCS_URL=vendor.url):
        yield


def watch(monkeypatch: pytest.MonkeyPatch, out: Terminal, *arguments: str) -> str:
    monkeypatch.setattr(sys, "stdout", out)
    with replayed():
        call_command(Quick(), *arguments, "--timeframe", "1h")
    return out.getvalue().replace(THIN, " ").replace(MINUS, "-")


def test_each_price_is_a_line_that_names_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal("13:50:26 UTC", f"59.0{THIN}M")
    lines = watch(monkeypatch, out, "FX:EURUSD", "BINANCE:BTCUSDT").splitlines()

    euro = [line.split("  ") for line in lines if line.startswith("FX:EURUSD_60")]
    assert euro[-1] == [
        *("FX:EURUSD_60", "1.08410", "change -0.00040", "-0.04 %", "bid 1.08400"),
        *("ask 1.08420", "spread 2.0 pips", "open 1.08450", "high 1.08500", "low 1.08400"),
        *("volume 8.19 K", "13:50:26 UTC"),
    ]
    assert "spread 1.2 pips" in euro[-2]
    assert len(euro) == 3
    assert "volume –" in euro[0]
    bitcoin = [line.split("  ") for line in lines if line.startswith("BINANCE:BTCUSDT_60")]
    assert bitcoin[-1][1:-1] == [
        *("89,962.61", "change +1,303.74", "+1.47 %", "bid 89,962.61", "ask 89,962.62"),
        *("spread 0.01", "open 88,658.87", "high 90,588.23", "low 87,900.00", "volume 59.0 M"),
    ]


def test_a_delayed_feed_says_how_late_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    room = Room("FX:EURUSD", "60")
    mode = {"update_mode": "delayed_streaming_900"}
    profile = ProfileUpdate(symbol=room.symbol, timeframe=room.timeframe, profile=mode)
    price = Price(symbol=room.symbol, timeframe=room.timeframe, mode="candle", t=1766410800, c=1.5)
    watch = fcs_watch._Watch([room], Screen(sys.stdout), 60)
    watch._apply(Arrival(1766411426.0, "", ((room, profile), (room, price))))

    assert capsys.readouterr().out.endswith("13:50:26 UTC, 900 s late\n")


def test_a_terminal_shows_a_table_that_stays_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = Terminal("13:50:26 UTC", f"59.0{THIN}M", "\nconnected", isatty=True)
    text = watch(monkeypatch, out, "FX:EURUSD", "BINANCE:BTCUSDT")

    head, *rows, status = text.rpartition("\x1b[2K")[2].rstrip("\n").split("\n")
    assert head.split() == [
        *("last", "change", "bid", "ask", "spread", "open", "high", "low", "volume")
    ]
    assert [row.split()[0] for row in rows] == ["FX:EURUSD_60", "BINANCE:BTCUSDT_60"]
    assert len({len(row) for row in (head, *rows)}) == 1
    assert status == "connected"
    assert text.endswith("connected\n")
    assert "connecting" in text


def test_a_connection_that_is_lost_is_told_below_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = Terminal("cannot reach FCS_URL at 127.0.0.1:9", isatty=True)
    monkeypatch.setattr(sys, "stdout", out)
    call_command(Quick(), "FX:EURUSD")

    table = out.getvalue().split("\n")
    assert table[1].split()[:2] == ["FX:EURUSD_1D", "–"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["eurusd"], "'eurusd' is not EXCHANGE:TICKER"),
        (["FX:EURUSD", "--timeframe", "2h"], "'2h' is not one of"),
    ],
)
def test_what_names_no_room_ends_with_2_and_one_line(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason) as caught:
        call_command("fcs_watch", *arguments)

    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)


def test_a_refused_key_ends_with_2_and_one_line() -> None:
    with simulator_beside(RandomWalk(rate=0)) as vendor:
        with override_settings(FCS_URL=vendor.url, FCS_API_KEY=BAD_KEY):
            with pytest.raises(CommandError, match="refused FCS_API_KEY") as caught:
                call_command("fcs_watch", "FX:EURUSD")

    assert caught.value.returncode == 2
