"""Candles that wait for the database: bounded for each room, and for all of them."""

from __future__ import annotations

from django.test import override_settings

from django_fcs.candles.saved import SavedCandles
from django_fcs.rooms import Room
from django_fcs.streaming.databank import Databank
from django_fcs.tools.metrics import counts

from .historians import bar


class Nothing(SavedCandles):
    """A database that is there, and is never asked."""

    @staticmethod
    def is_installed() -> bool:
        return True


def test_all_candles_that_wait_are_bounded() -> None:
    bank = Databank(Nothing(), total=100)
    with override_settings(FCS_SAVE_CANDLES=["*"]):
        for number in range(20):
            bank.add(Room(f"FX:EUR{number}", "1"), [bar(60 * minute) for minute in range(30)])

    assert sum(map(len, bank._waiting.values())) == 100 and bank.is_filling
    assert counts()["candles_dropped"] == 500 and len(bank._waiting) == 4
