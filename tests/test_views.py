"""Health: what a load balancer is told of a web process."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timezone
from typing import Any

import pytest
from django.test import Client, override_settings

from django_fcs import site, views
from django_fcs.candles.ledger import Account
from django_fcs.candles.reading import candle_store
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.store import LastValue, MemoryStore
from django_fcs.rooms import Room
from django_fcs.tools.metrics import shown

URL = "/health/"

pytestmark = [pytest.mark.urls("django_fcs.urls"), pytest.mark.versions]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """Where a process that streams keeps its values."""
    store = MemoryStore()
    monkeypatch.setattr(views, "site_store", lambda: store)
    monkeypatch.setattr(views, "is_idle", lambda: False)
    return store


def beat(store: MemoryStore, *, age: float = 0, online: bool = True) -> None:
    value = LastValue('{"type":"price","symbol":"FX:EURUSD"}')
    store.save({Room("FX:EURUSD", "1D"): value}, PathReport(time.time() - age, online, "10.0.0.5"))


def body(client: Client) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(client.get(URL).content)
    return told


def health(client: Client) -> tuple[int, str, list[str]]:
    response = client.get(URL)
    told = json.loads(response.content)
    return response.status_code, told["status"], told["reasons"]


WELL: tuple[int, str, list[str]] = (200, "ok", [])


def sick(reason: str) -> tuple[int, str, list[str]]:
    return 503, "error", [reason]


def test_a_process_whose_stream_beats_is_healthy(client: Client, store: MemoryStore) -> None:
    beat(store)

    assert health(client) == WELL


async def test_counts_tell_how_much_flows(store: MemoryStore) -> None:
    last = PathReport(time.time() - 2, online=True, reason="")
    report = Report(
        at=last.at,
        epoch=1,
        rooms=("FX:EURUSD_1D", "FX:USDJPY_1D"),
        joined=1,
        updates_per_second=31.04,
        last_at=None,
        leader=True,
        counts={},
        histories=7,
    )
    await store.asave({}, last, report)
    with shown(lambda: {"hub_sockets": 3, "hub_rooms": 1}):
        told = await asyncio.to_thread(body, Client())

    assert 2 <= told["beat_age_seconds"] < 60
    assert told["counts"] == {
        "rooms_wanted": 2,
        "rooms_joined": 1,
        "rooms_with_history": 7,
        "updates_per_second": 31.0,
        "rooms_watched": 1,
        "sockets": 3,
    }


def test_before_any_report_all_counts_are_there(client: Client) -> None:
    told = body(client)

    assert told["beat_age_seconds"] is None
    assert set(told["counts"].values()) == {0}


def test_a_process_that_hears_the_stream_is_healthy_though_the_cache_is_not(
    client: Client, store: MemoryStore
) -> None:
    with shown(lambda: {"hub_online": 1}):
        assert health(client) == WELL


def test_a_process_that_is_deaf_is_not_healthy_though_the_stream_is(
    client: Client, store: MemoryStore
) -> None:
    beat(store)
    with shown(lambda: {"hub_online": 0}):
        assert health(client) == sick("this process receives nothing from a stream that is online")


def test_a_cache_that_does_not_answer_is_not_taken_for_silence(
    client: Client, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStore, "failure", "connecting to 10.0.0.5 failed")

    assert health(client) == sick("the cache does not answer")


@pytest.mark.parametrize("age", [None, 11, -3600])
def test_without_a_beat_there_is_no_sign_of_life(
    client: Client, store: MemoryStore, age: float | None
) -> None:
    if age is not None:
        beat(store, age=age)

    assert health(client) == sick("no heartbeat from the stream")


def test_a_beat_from_the_future_is_told_by_how_far_it_is(
    client: Client, store: MemoryStore
) -> None:
    beat(store, age=-3600)

    assert body(client)["beat_age_seconds"] == pytest.approx(3600, abs=5)


def test_the_site_says_how_old_a_beat_may_be(client: Client, store: MemoryStore) -> None:
    beat(store, age=11)

    with override_settings(FCS_OFFLINE_AFTER_SECONDS=60):
        assert health(client)[0] == 200


def test_a_stream_without_the_vendor_is_not_healthy(client: Client, store: MemoryStore) -> None:
    beat(store, online=False)

    assert health(client) == sick("the stream has no connection to the vendor")


@override_settings(FCS_REST_KEY="a-rest-key", FCS_REST_CREDITS_PER_MONTH=500)
async def test_what_is_left_of_the_credits_is_told_and_asking_may_be_closed(
    store: MemoryStore,
) -> None:
    beat(store)
    now = time.time()
    month = f"{datetime.fromtimestamp(now, timezone.utc):%Y-%m}"
    account = Account(month, 500, (), now + 600, "HTTP 429", epoch=1)
    await candle_store().asave_account(account)
    told = await asyncio.to_thread(body, Client())

    assert told["status"] == "ok"
    assert (told["rest"]["credits_left"], told["rest"]["credits_per_month"]) == (0, 500)
    assert told["rest"]["closed_until"] > now and told["rest"]["reason"]


def test_without_a_rest_key_there_are_no_credits(client: Client, store: MemoryStore) -> None:
    beat(store)

    assert body(client)["rest"] is None


def test_neither_rooms_nor_hosts_are_told(client: Client, store: MemoryStore) -> None:
    for online in (True, False):
        beat(store, online=online)
        text = client.get(URL).content.decode()

        assert "EURUSD" not in text and "10.0.0.5" not in text


def test_a_site_in_one_process_is_healthy_before_anybody_has_joined(client: Client) -> None:
    assert site.is_idle()
    assert health(client) == WELL


async def test_a_site_in_one_process_that_streams_in_vain_is_not_healthy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.create_task(asyncio.sleep(0))
    monkeypatch.setitem(site.streams, loop, task)
    response = await asyncio.to_thread(Client().get, URL)
    await task

    assert response.status_code == 503


def test_a_site_without_a_channel_layer_is_told_so(client: Client) -> None:
    with override_settings(CHANNEL_LAYERS={}):
        assert health(client) == sick("this site is not set up for prices")


def test_the_answer_is_never_cached_and_asking_changes_nothing(client: Client) -> None:
    assert "no-store" in client.get(URL)["Cache-Control"]
    assert client.head(URL).status_code == 200
    assert client.post(URL).status_code == 405
