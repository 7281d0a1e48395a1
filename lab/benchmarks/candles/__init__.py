"""What candles with a history cost: storing an answer of the vendor, memory, and reading."""

from __future__ import annotations

__all__: list[str] = []
