"""The table of candles.

Only the app itself, its admin and its migrations import this module. Other code asks
``apps.get_model("fcs_candles", "Candle")``, so that it also works without the app.
"""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

from django.db import models

from django_fcs.protocol.bounds import TIME_MAX
from django_fcs.rooms import SYMBOL_MAX

__all__ = ["Candle"]


class Candle(models.Model):
    """One finished candle of a room. Its prices are floats, as the vendor sent them."""

    symbol = models.CharField("symbol", max_length=SYMBOL_MAX, help_text="As in FX:EURUSD.")
    timeframe = models.CharField("timeframe", max_length=8, help_text="As in 60 or 1D.")
    t = models.BigIntegerField("t", help_text="When it opened, in unix seconds.")
    open = models.FloatField("open")
    high = models.FloatField("high")
    low = models.FloatField("low")
    close = models.FloatField("close")
    volume = models.FloatField("volume", null=True)

    class Meta:
        verbose_name = "candle"
        verbose_name_plural = "candles"
        constraints = [
            # Its index also serves the rooms and the ranges of a room.
            models.UniqueConstraint(
                fields=["symbol", "timeframe", "t"], name="fcs_candles_candle_once"
            ),
            models.CheckConstraint(
                condition=models.Q(t__gte=0, t__lte=TIME_MAX), name="fcs_candles_candle_seconds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol}_{self.timeframe} {self.opened:%Y-%m-%d %H:%M} UTC"

    @property
    def opened(self) -> datetime:
        """When the candle opened, in UTC."""
        return datetime.fromtimestamp(self.t, timezone.utc)

    @property
    def open_decimal(self) -> Decimal:
        """The first price, with the digits that the vendor sent."""
        return _decimal(self.open)

    @property
    def high_decimal(self) -> Decimal:
        """The highest price."""
        return _decimal(self.high)

    @property
    def low_decimal(self) -> Decimal:
        """The lowest price."""
        return _decimal(self.low)

    @property
    def close_decimal(self) -> Decimal:
        """The last price."""
        return _decimal(self.close)

    @property
    def volume_decimal(self) -> Decimal | None:
        """The volume; ``None`` if the vendor sent none."""
        return None if self.volume is None else _decimal(self.volume)


def _decimal(value: float) -> Decimal:
    # The shortest decimal that is this float, which is what the vendor sent.
    return Decimal(repr(value))
