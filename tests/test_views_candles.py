"""``fcs/candles/``: candles as JSON, for clients that may join the room."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.cache import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.test.client import AsyncRequestFactory
from django.utils.functional import SimpleLazyObject

from django_fcs.access.authorizer import CALLS_AT_ONCE, THREADS_MAX
from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.kept import Kept
from django_fcs.candles.reading import candle_store
from django_fcs.candles.series import Series
from django_fcs.rooms import Room
from django_fcs.tokens import make_token
from django_fcs.views import candles

pytestmark = [pytest.mark.urls("django_fcs.urls"), pytest.mark.versions]

URL = "/candles/"
ROOM = Room("FX:EURUSD", "60")
HOUR = 3600
T = 1_766_361_600


async def keep(count: int = 4, **known: Any) -> None:
    series = Series("60", keep=600)
    for number in range(count):
        bar = Bar(T + number * HOUR, 1.5, 2.0, 1.0, 1.5 + number, None)
        series.put(bar, rank=Rank.LIVE, at=0)
    series.since = T + 0.5
    assert await candle_store().asave({ROOM: Kept.of(series, saved_at=T, **known)})


@pytest.fixture
async def history(open_site: None) -> None:
    """Four candles of a room that everybody may see."""
    await keep()


async def get(**parameters: Any) -> Any:
    return await AsyncClient().get(URL, {"symbol": "FX:EURUSD", "timeframe": "60", **parameters})


def told(response: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(response.content)
    return body


# -- the answer


async def test_the_answer_is_what_python_gets(history: None) -> None:
    response = await get(limit=2)

    assert response.status_code == 200 and response["Content-Type"] == "application/json"
    assert told(response) == {
        "symbol": "FX:EURUSD",
        "timeframe": "60",
        "candles": [
            [T + 2 * HOUR, 1.5, 2.0, 1.0, 3.5, None],
            [T + 3 * HOUR, 1.5, 2.0, 1.0, 4.5, None],
        ],
        "final": T + 2 * HOUR,
        "more": True,
        "missing": [],
        "repaired": [],
        "note": "these are the candles that the stream has seen since 2025-12-22 00:00 UTC",
        "since": T + 0.5,
    }


async def test_it_is_the_same_where_nothing_is_async(history: None) -> None:
    asked: dict[str, Any] = {"symbol": "FX:EURUSD", "timeframe": "1h", "before": T + HOUR}
    response = await asyncio.to_thread(Client().get, URL, asked)

    assert [candle[0] for candle in told(response)["candles"]] == [T]


async def test_only_the_symbol_is_needed(history: None) -> None:
    with override_settings(FCS_TIMEFRAME="60"):
        response = await AsyncClient().get(URL, {"symbol": "FX:EURUSD", "before": "", "limit": ""})

    assert len(told(response)["candles"]) == 4


async def test_a_room_without_history_is_no_error(open_site: None) -> None:
    response = await get(symbol="FX:GBPUSD")

    assert response.status_code == 200
    assert told(response)["candles"] == []
    assert told(response)["note"] == "no candles of FX:GBPUSD_60 are known"


async def test_only_reading_is_possible(history: None) -> None:
    client = AsyncClient()

    assert (await client.head(URL, {"symbol": "FX:EURUSD"})).status_code == 200
    assert (await client.post(URL, {"symbol": "FX:EURUSD"})).status_code == 405


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"symbol": "eurusd"}, "bad_symbol", "EXCHANGE:TICKER"),
        ({"symbol": "fx:eurusd"}, "bad_symbol", "write 'FX:EURUSD'"),
        ({"symbol": ""}, "bad_symbol", "EXCHANGE:TICKER"),
        ({"symbol": "FX:" + "A" * 10_000}, "bad_symbol", "1 to 40 characters"),
        ({"timeframe": "2h"}, "bad_timeframe", "1 5 15 30 60 240 1D 1W 1M"),
        ({"timeframe": "x" * 10_000}, "bad_timeframe", "1 5 15 30 60 240 1D 1W 1M"),
        *(
            ({"limit": limit}, "bad_range", "a whole number from 1 to 10000")
            for limit in ("0", "-1", "10001", "1000000000", "1e3", "NaN", "٣", "9" * 9000, "\0")
        ),
        *(
            ({"before": before}, "bad_range", "(unix seconds)")
            for before in ("-1", "1766361600000", "2026-01-01", "1.5", "9" * 9000)
        ),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_cannot_be_used_is_told_with_what_can(
    parameters: dict[str, str], error: str, words: str, open_site: None
) -> None:
    response = await get(**parameters)
    body = told(response)

    assert response.status_code == 400 and body.keys() == {"error", "message"}
    assert body["error"] == error and words in body["message"]
    assert len(body["message"]) < 250
    assert "no-store" in response["Cache-Control"]


async def test_a_site_that_is_not_set_up_says_no_more_than_that() -> None:
    with override_settings(FCS_ALLOWED_SYMBOLS=7):
        response = await get()

    assert response.status_code == 503
    assert told(response) == {
        "error": "not_set_up",
        "message": "this site is not set up for prices",
    }


# -- who may read


async def test_a_room_needs_a_pattern_or_a_token() -> None:
    await keep()
    refused = await get()
    wrong = await get(token=make_token("FX:USDJPY"))
    allowed = await get(token=make_token("FX:EURUSD"))

    assert refused.status_code == wrong.status_code == 403
    assert told(refused)["error"] == "room_not_allowed"
    assert "FX:EURUSD needs a token" in told(refused)["message"]
    assert "not from this site" in told(wrong)["message"]
    assert "no-store" in refused["Cache-Control"]
    assert len(told(allowed)["candles"]) == 4
    assert (await get(symbol="FX:USDJPY", token="x" * 9000)).status_code == 403


scopes: list[Mapping[str, Any]] = []


def sync_yes(scope: Mapping[str, Any], room: Room) -> bool:
    assert room == ROOM
    scopes.append(scope)
    return True


async def async_yes(scope: Mapping[str, Any], room: Room) -> bool:
    return sync_yes(scope, room)


def almost(scope: Mapping[str, Any], room: Room) -> Any:
    return "yes"


async def never(scope: Mapping[str, Any], room: Room) -> bool:
    await asyncio.sleep(3600)
    return True


def path_of(function: Callable[..., Any]) -> str:
    return f"{__name__}.{function.__name__}"


@pytest.fixture(autouse=True)
def nobody_was_asked() -> Iterator[None]:
    scopes.clear()
    yield
    scopes.clear()


@pytest.mark.parametrize("function", [sync_yes, async_yes])
async def test_the_site_s_function_gets_the_request_as_a_scope(
    function: Callable[..., Any], history: None
) -> None:
    with override_settings(FCS_AUTHORIZE=path_of(function)):
        for client in (AsyncClient(), Client()):
            client.cookies = SimpleCookie({"plan": "gold"})
            asked = {"symbol": "FX:EURUSD", "timeframe": "60"}
            get: Any = client.get
            if isinstance(client, Client):
                get = partial(asyncio.to_thread, get)
            assert (await get(URL, asked)).status_code == 200

    for scope in scopes:
        assert (scope["type"], scope["method"], scope["path"]) == ("http", "GET", URL)
        assert (b"cookie", b"plan=gold") in scope["headers"]
        assert scope["client"][0] == "127.0.0.1"
        assert "user" not in scope and "session" not in scope
    assert len(scopes) == 2


def of_middleware(request: HttpRequest) -> HttpRequest:
    """Add what Django's middleware adds, not loaded yet."""
    request.session = SessionStore()
    user: Any = SimpleLazyObject(lambda: SimpleNamespace(pk=7, is_authenticated=True))
    request.user = user
    return request


async def test_user_and_session_are_loaded_where_the_site_has_them(history: None) -> None:
    asked = {"symbol": "FX:EURUSD", "timeframe": "60"}
    request = of_middleware(AsyncRequestFactory().get(URL, asked))
    with override_settings(FCS_AUTHORIZE=path_of(async_yes)):
        response = await candles(request)

    assert isinstance(response, HttpResponse) and response.status_code == 200
    [scope] = scopes
    assert scope["user"].pk == 7 and scope["session"] is request.session
    assert request.session._session_cache == {}


@pytest.mark.parametrize(
    ("function", "words"),
    [(almost, "refused it"), (never, "did not answer, try again later")],
)
async def test_only_a_timely_true_allows_a_room(
    function: Callable[..., Any], words: str, history: None
) -> None:
    with override_settings(FCS_AUTHORIZE=path_of(function), FCS_AUTHORIZE_TIMEOUT_SECONDS=0.1):
        response = await get(timeframe="1h")

    assert response.status_code == 403
    assert told(response) == {
        "error": "room_not_allowed",
        "message": f"FX:EURUSD_1h: FCS_AUTHORIZE {words}",
    }


running: list[int] = [0, 0]


async def counted(scope: Mapping[str, Any], room: Room) -> bool:
    running[0] += 1
    running[1] = max(running)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running[0] -= 1
    return True


async def test_many_requests_ask_the_site_s_function_in_turn(history: None) -> None:
    running[:] = [0, 0]
    with override_settings(FCS_AUTHORIZE=path_of(counted)):
        responses = await asyncio.gather(*(get() for _ in range(5 * CALLS_AT_ONCE)))

    assert {response.status_code for response in responses} == {200}
    assert 1 < running[1] <= CALLS_AT_ONCE


async def querying(scope: Mapping[str, Any], room: Room) -> bool:
    return await sync_to_async(bool)(True)


async def test_requests_that_each_have_a_loop_keep_no_threads(history: None) -> None:
    def ask(times: int) -> set[int]:
        client, asked = Client(), {"symbol": "FX:EURUSD", "timeframe": "60"}
        return {client.get(URL, asked).status_code for _ in range(times)}

    with override_settings(FCS_AUTHORIZE=path_of(querying)):
        assert await asyncio.to_thread(ask, 2 * THREADS_MAX) == {200}


# -- how long it may be kept


async def test_what_may_change_is_kept_for_seconds_and_asked_for_again(history: None) -> None:
    response = await get()
    assert response["Cache-Control"] == "public, max-age=5"
    assert not response.has_header("Vary")

    asked = {"symbol": "FX:EURUSD", "timeframe": "60"}
    headers = {"If-None-Match": response["ETag"]}
    again = await AsyncClient().get(URL, asked, headers=headers)
    assert again.status_code == 304 and again.content == b""
    assert (again["ETag"], again["Cache-Control"]) == (response["ETag"], "public, max-age=5")

    await keep(5)
    changed = await AsyncClient().get(URL, asked, headers=headers)
    assert changed.status_code == 200 and changed["ETag"] != response["ETag"]


SETTLED = {"limit": 2, "before": T + 3 * HOUR}


async def test_what_cannot_change_is_kept_for_a_day(history: None) -> None:
    response = await get(**SETTLED)

    assert response["Cache-Control"] == "public, max-age=86400, immutable"


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": 2},
        {**SETTLED, "limit": 3},
        {**SETTLED, "limit": 4},
        {"limit": 3, "before": T + 4 * HOUR},
    ],
    ids=["up to now", "nothing older", "fewer than asked for", "one is forming"],
)
async def test_what_may_grow_or_is_not_final_is_kept_for_seconds(
    parameters: dict[str, int], history: None
) -> None:
    assert (await get(**parameters))["Cache-Control"] == "public, max-age=5"


async def test_what_has_a_hole_is_kept_for_seconds(open_site: None) -> None:
    await keep(missing=((T + HOUR, T + HOUR + 60),))

    assert (await get(**SETTLED))["Cache-Control"] == "public, max-age=5"
    assert "immutable" in (await get(**{**SETTLED, "limit": 1}))["Cache-Control"]


async def test_what_not_everybody_may_see_is_kept_by_the_browser_alone() -> None:
    await keep()
    of_token = await get(token=make_token("FX:EURUSD"), **SETTLED)
    with override_settings(FCS_AUTHORIZE=path_of(async_yes), FCS_ALLOWED_SYMBOLS=["FX:*"]):
        of_function = await get(**SETTLED)

    for response in (of_token, of_function):
        assert response["Cache-Control"] == "private, max-age=86400, immutable"
        assert response["Vary"] == "Cookie, Authorization"


# -- the loop


async def test_ten_thousand_candles_hold_the_loop_for_a_moment_only(open_site: None) -> None:
    series = Series("60", keep=10_000)
    bars = [Bar(T + number * HOUR, 1.5, 2.0, 1.0, 1.25, 7.5) for number in range(-9999, 1)]
    series.take_page(bars, fetched_at=time.time())
    await candle_store().asave({ROOM: Kept.of(series, saved_at=T)})

    with override_settings(FCS_CANDLES=10_000):
        response = await get(limit=10_000)

    assert len(told(response)["candles"]) == 10_000


async def test_a_range_that_goes_on_after_its_last_candle_is_kept_for_seconds(
    open_site: None,
) -> None:
    series = Series("60", keep=600)
    bars = [Bar(T + number * HOUR, 1.5, 2.0, 1.0, 1.5, None) for number in range(9)]
    series.take_page(bars, fetched_at=T + 20 * HOUR)
    assert await candle_store().asave({ROOM: Kept.of(series, saved_at=T + 20 * HOUR)})

    ages = [
        (await get(limit=3, before=T + hours * HOUR))["Cache-Control"] for hours in (8, 9, 11, 999)
    ]
    assert ["immutable" in age for age in ages] == [True, True, False, False]
