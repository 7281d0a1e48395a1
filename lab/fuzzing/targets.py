"""The targets by name, and what each of them asks of a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from typing import Any, Protocol

from .browsers import Browsers
from .parsing import Parsing
from .vendors import Vendors

__all__ = ["TARGETS", "Target", "draw"]


class Target(Protocol):
    """Takes inputs one after the other, while it is entered."""

    def feed(self, thing: Any) -> None:
        """Take one; raises whatever is wrong, after which the target is used no more."""


#: What is fuzzed → how to make one, which draws its inputs itself.
TARGETS: dict[str, Callable[[], AbstractContextManager[Target]]] = {
    "parsing": Parsing,
    "browsers": Browsers,
    "vendors": Vendors,
}


def draw(name: str, seed: int, number: int) -> Any:
    """Make an input: the same for the same three, whatever was drawn before."""
    drawing: Callable[[Random], Any] = TARGETS[name].draw  # type: ignore[attr-defined]
    return drawing(Random(f"{seed}:{number}"))
