"""The time zones of exchanges."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from django_fcs.prices.sessions import _CALENDARS
from django_fcs.prices.zones import _ZONES, zone_of


def test_each_exchange_with_a_calendar_has_a_zone_that_exists() -> None:
    assert _ZONES.keys() == _CALENDARS.keys()
    assert all(ZoneInfo(zone).key == zone for zone in _ZONES.values())


@pytest.mark.parametrize("symbol", ["FX:EURUSD", "BINANCE:BTCUSDT", "XYZ:AAPL", "GEMINI:BTCUSD"])
def test_a_market_without_a_place_has_no_zone(symbol: str) -> None:
    assert zone_of(symbol) == ""
