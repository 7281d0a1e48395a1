"""Candles of the past: ``Candles`` is a sequence of ``Candle``."""

from __future__ import annotations

from .values import Candle, Candles

__all__ = ["Candle", "Candles"]
