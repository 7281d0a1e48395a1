"""``manage.py fcs_status``: what the stream may still ask of the vendor's history."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.candles.ledger import Account
from django_fcs.candles.reading import candle_store
from django_fcs.prices.store import CacheStore
from tests.management.test_fcs_status import EURUSD, NOW, keep, now, run, site

pytestmark = pytest.mark.versions

__all__ = ["now", "site"]


async def account(**known: Any) -> None:
    fields = {"month": "2026-11", "spent": 88, "asked": (), "closed_until": 0.0, "reason": ""}
    assert await candle_store().asave_account(Account(**{**fields, "epoch": 1, **known}))


@override_settings(FCS_REST_KEY="a-rest-key")
async def test_what_is_left_of_the_credits_is_told(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(site, EURUSD, histories=1)
    await account()
    assert run("fcs_status") == (0, "")
    lines = capsys.readouterr().out.splitlines()

    assert [line.split() for line in lines if line.startswith(("credits", "with"))] == [
        ["credits", "left", "412/500"],
        ["with", "history", "1"],
    ]
    assert not [line for line in lines if line.startswith("no new history")]
    assert run("fcs_status", "--json") == (0, "")
    told = json.loads(capsys.readouterr().out)
    assert told["rooms_with_history"] == 1
    assert told["rest"] == {
        **{"credits_left": 412, "credits_per_month": 500},
        **{"closed_until": None, "reason": ""},
    }


@override_settings(FCS_REST_KEY="a-rest-key")
async def test_why_the_vendor_is_not_asked_is_told_and_until_when(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(site, EURUSD)
    await account(closed_until=NOW + 600, reason="the vendor refused FCS_REST_KEY")
    reason = "the vendor refused FCS_REST_KEY: wait until 2026-11-22 00:11 UTC"

    assert run("fcs_status") == (0, "")
    assert f"no new history    {reason}" in capsys.readouterr().out.splitlines()
    run("fcs_status", "--json")
    rest = json.loads(capsys.readouterr().out)["rest"]
    assert (rest["closed_until"], rest["reason"]) == (NOW + 600, reason)
