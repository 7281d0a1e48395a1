"""``fcs/chart.svg`` and ``fcs/chart.png``: charts as images, for who has a signed address."""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import AsyncClient, Client, override_settings

from django_fcs import widgets
from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.kept import Kept
from django_fcs.candles.reading import candle_store
from django_fcs.candles.series import Series
from django_fcs.charts import pictures, raster
from django_fcs.charts.pictures import NotPainted, painted
from django_fcs.rooms import Room
from django_fcs.site import site_store
from django_fcs.tools.worker import Worker

pytestmark = [pytest.mark.urls("tests.charts.urls"), pytest.mark.versions]

ROOM = Room("FX:EURUSD", "60")
T = 1_766_361_600
HOUR = 3600
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="40">{}</svg>'


@pytest.fixture(autouse=True)
def drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures._kept.cache_clear()


async def keep(count: int = 4, *, has_ended: bool = False) -> None:
    series = Series("60", keep=600)
    for number in range(count):
        bar = Bar(T + number * HOUR, 1.5, 9.0, 1.0, 1.5 + number, None)
        series.put(bar, rank=Rank.LIVE, at=0, is_final=has_ended)
    assert await candle_store().asave({ROOM: Kept.of(series, saved_at=T)})


def url(format: str = "svg", **options: Any) -> str:
    return widgets.chart_url("FX:EURUSD", "60", format=format, **options)


async def get(address: str, **headers: str) -> Any:
    return await AsyncClient().get(address, headers=headers)


# -- the answer


async def test_a_signed_address_is_answered_with_the_chart_and_no_token_is_asked_for() -> None:
    await keep()
    response = await get(url())

    assert response.status_code == 200
    assert response["Content-Type"] == "image/svg+xml"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; style-src 'none'"
    assert "<svg" in response.content.decode()
    assert not response.has_header("Vary")


async def test_it_is_the_same_where_nothing_is_async() -> None:
    await keep()
    response = await asyncio.to_thread(Client().get, url())

    assert response.content == (await get(url())).content


async def test_only_reading_is_possible() -> None:
    assert (await AsyncClient().head(url())).status_code == 200
    assert (await AsyncClient().post(url())).status_code == 405


async def test_a_room_without_history_is_an_image_for_seconds() -> None:
    response = await get(url())

    assert (response.status_code, response["Cache-Control"]) == (200, "public, max-age=5")


async def test_the_stream_joins_the_room_of_an_image_as_that_of_a_page() -> None:
    await get(url())
    slots = await site_store().arendered()

    assert [room for slot in slots.values() for room in slot.rooms] == [str(ROOM)]


@pytest.mark.parametrize("query", ["", "&signature=", "&signature=x", "&signature=%00%D9%A3:a"])
async def test_an_address_without_a_valid_signature_is_refused(query: str) -> None:
    address = url().rpartition("&signature=")[0] + query
    response = await get(address)

    assert response.status_code == 403
    assert json.loads(response.content)["error"] == "not_signed"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"symbol": "eurusd"}, "bad_symbol", "EXCHANGE:TICKER"),
        ({"timeframe": "2h"}, "bad_timeframe", "1 5 15 30 60 240 1D 1W 1M"),
        ({"type": "renko"}, "bad_option", "candles bars line area"),
        ({"range": "9" * 9000}, "bad_option", "10 to 1000"),
        ({"theme": ""}, "bad_option", "light dark"),
        ({"width": "99999"}, "bad_option", "160 to 1200"),
        ({"zone": "Mars"}, "bad_option", "Europe/Berlin"),
        ({"language": "xx-not"}, "bad_option", "LANGUAGES"),
        ({"utm_source": "mail"}, "bad_option", "symbol timeframe type range theme width"),
    ],
    ids=str,
)
async def test_what_cannot_be_drawn_is_told_with_what_can(
    change: dict[str, str], error: str, words: str
) -> None:
    path, _, query = url().partition("?")
    known = dict(pair.split("=") for pair in query.split("&"))
    response = await get(f"{path}?{urlencode({**known, **change})}")
    told = json.loads(response.content)

    assert (response.status_code, told["error"]) == (400, error)
    assert words in told["message"] and len(told["message"]) < 300


# -- how long it may be kept


@pytest.mark.parametrize("format", ["svg", "png"])
async def test_an_image_is_sent_again_only_if_it_has_changed(format: str) -> None:
    await keep()
    first = await get(url(format))
    assert first["Cache-Control"] == "public, max-age=60"

    again = await get(url(format), **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (again["ETag"], again["Cache-Control"]) == (first["ETag"], "public, max-age=60")

    await keep(5)
    changed = await get(url(format), **{"If-None-Match": first["ETag"]})
    assert changed.status_code == 200 and changed["ETag"] != first["ETag"]


async def test_an_image_of_final_candles_is_kept_for_longer() -> None:
    await keep(has_ended=True)

    assert (await get(url()))["Cache-Control"] == "public, max-age=300"


# -- PNG


async def test_the_png_has_two_pixels_for_each_unit_of_its_width() -> None:
    await keep()
    response = await get(url("png", width=200))

    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.content.startswith(b"\x89PNG")
    assert struct.unpack(">II", response.content[16:24]) == (400, 560)


async def test_the_same_picture_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    run = subprocess.run

    def counted(*args: Any, **options: Any) -> Any:
        runs.append(1)
        return run(*args, **options)

    monkeypatch.setattr(subprocess, "run", counted)
    first, second = await asyncio.gather(get(url("png")), get(url("png")))

    assert len(runs) == 1 and first.content == second.content


def test_texts_are_drawn() -> None:
    pytest.importorskip("resvg_py")
    empty, text = (
        raster.png_of(SVG.format(80, inner))
        for inner in ("", '<text y="20" font-family="Nowhere, sans-serif">1.08</text>')
    )

    assert empty != text


NOTHING = "def svg_to_bytes(**options): return b''"


@pytest.mark.parametrize(
    ("library", "words"),
    [
        ("raise ImportError", "pip install 'django-fcs[png]'"),
        (NOTHING, "apt-get install fonts-dejavu-core"),
    ],
    ids=["no library", "no font"],
)
async def test_what_the_machine_lacks_is_told_with_the_line_that_installs_it(
    library: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resvg_py.py").write_text(library)
    monkeypatch.syspath_prepend(str(tmp_path))
    response = await get(url("png"))

    assert response.status_code == 501
    assert words in json.loads(response.content)["message"]
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    "library", ["def svg_to_bytes(**options): raise ValueError('bad')", "import os; os.abort()"]
)
async def test_a_picture_that_fails_says_why_in_the_log_and_try_again_on_the_page(
    library: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "resvg_py.py").write_text(library)
    monkeypatch.syspath_prepend(str(tmp_path))
    response = await get(url("png"))

    assert response.status_code == 503
    assert json.loads(response.content)["error"] == "not_drawn"
    [line] = [line for line in caplog.messages if "not drawn as PNG" in line]
    assert "room=FX:EURUSD_60" in line and ("bad" in line or "exit code" in line)


async def test_a_server_that_cannot_start_python_draws_no_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    assert (await get(url("png"))).status_code == 503


async def test_a_picture_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(NotPainted, match=r"no picture in 0\.001 s"):
        await painted(SVG.format(10, ""), seconds=0.001)


async def test_only_so_many_pictures_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker("test", jobs_max=0)
    monkeypatch.setattr(pictures, "_worker", worker)

    assert (await get(url("png"))).status_code == 503


def test_the_library_is_not_loaded_by_the_site_s_processes() -> None:
    assert "resvg_py" not in vars(pictures)


async def test_a_site_that_is_not_set_up_still_draws() -> None:
    address = url()
    with override_settings(FCS_SITE="Not A Mark"):
        response = await get(address)

    assert response.status_code == 200
