"""The targets by name, and their interface."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from typing import Any, Protocol

from .browsers import Browsers
from .candles import Candles
from .elements import Elements
from .histories import Histories
from .pages import Pages
from .parsing import Parsing
from .vendors import Vendors

__all__ = ["TARGETS", "Target", "draw"]


class Target(Protocol):
    """Processes inputs one after the other within a ``with`` block."""

    def feed(self, thing: Any) -> None:
        """Process one input; after an error the target must not be used any more."""


#: Name → target class, whose static method ``draw`` draws its inputs.
TARGETS: dict[str, Callable[[], AbstractContextManager[Target]]] = {
    "parsing": Parsing,
    "browsers": Browsers,
    "vendors": Vendors,
    "histories": Histories,
    "pages": Pages,
    "candles": Candles,
    "elements": Elements,
}


def draw(name: str, seed: int, number: int) -> Any:
    """Draw an input; the same arguments always give the same input."""
    drawing: Callable[[Random], Any] = TARGETS[name].draw  # type: ignore[attr-defined]
    return drawing(Random(f"{seed}:{number}"))
