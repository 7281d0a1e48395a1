"""Candles of the past: ``get_candles`` returns ``Candles``, a sequence of ``Candle``."""

from __future__ import annotations

from .reading import aget_candles, get_candles
from .values import Candle, Candles

__all__ = ["Candle", "Candles", "aget_candles", "get_candles"]
