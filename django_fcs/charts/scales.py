"""The price axis: where a price stands, and which prices are labelled.

``tests/charts/cases.json`` has examples that the script of the chart has to follow as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["TICK_GAP", "Scale", "Step", "Unit", "rounded", "scale_of", "step_of", "unit_of"]

#: The least distance of two labels, in pixels.
TICK_GAP = 22

#: Steps are these times a power of ten. They are whole, so that both languages round alike.
_STEPS = (1, 2, 25, 5)

#: What one bar without a range shows above and below it, as a part of its price.
_FLAT = 0.001

#: From ten of a unit on, the labels of an axis are in that unit.
_UNITS = ((12, "T"), (9, "B"), (6, "M"))


class Scale(NamedTuple):
    """The prices from the top to the bottom of the plot."""

    low: float
    high: float
    top: int
    """In pixels, as ``bottom``; y grows downwards."""
    bottom: int

    def y(self, price: float) -> int:
        """Return the pixel of a price."""
        return self.places()(price)

    def places(self) -> Callable[[float], int]:
        """Return what ``y`` returns as a function of its own: it takes half of the time."""
        low, high, top, bottom = self
        span, depth, floor = high - low, bottom - top, math.floor
        return lambda price: top + floor((high - price) / span * depth + 0.5)


class Step(NamedTuple):
    """The distance of two labels: ``factor`` times ten to the power of ``exponent``."""

    factor: int
    exponent: int

    def times(self, count: int) -> float:
        """Return a multiple, rounded once."""
        if self.exponent < 0:
            parts: int = 10**-self.exponent
            return count * self.factor / parts
        return float(count * self.factor * 10**self.exponent)

    def prices(self, scale: Scale) -> list[float]:
        """Return the multiples within a scale, the lowest first."""
        size = self.times(1)
        counts = range(math.ceil(scale.low / size), math.floor(scale.high / size) + 1)
        return [self.times(count) for count in counts]


class Unit(NamedTuple):
    """How the labels of an axis are written."""

    power: int
    """Prices are divided by ten to this power; 0 leaves them as they are."""
    letter: str
    digits: int


def rounded(value: float) -> int:
    """Round half up, as ``Math.round`` does."""
    return math.floor(value + 0.5)


def scale_of(low: float, high: float, top: int, bottom: int, *, is_alone: bool) -> Scale:
    """Return the scale for the lowest and the highest price of bars.

    One bar alone has half of its range above and below it. Prices that are all equal get 0.1 %.
    """
    if is_alone or low == high:
        air = (high - low) / 2 or abs(high) * _FLAT or 1.0
        low, high = low - air, high + air
    return Scale(low, high, top, bottom)


def step_of(scale: Scale, digits: int) -> Step:
    """Return the smallest step with room for its labels, which have so many decimals."""
    least = (scale.high - scale.low) * TICK_GAP / (scale.bottom - scale.top)
    exponent = math.floor(math.log10(least)) - 1
    while True:
        for factor in _STEPS:
            step = Step(factor, exponent - (factor == 25))
            if step.exponent >= -digits and step.times(1) >= least:
                return step
        exponent += 1


def unit_of(scale: Scale, step: Step, digits: int) -> Unit:
    """Return the unit of an axis: large prices are shortened, with one digit more than the step."""
    largest = max(abs(scale.low), abs(scale.high))
    for power, letter in _UNITS:
        if largest >= 10.0 ** (power + 1):
            return Unit(power, letter, max(0, power - step.exponent) + 1)
    return Unit(0, "", digits)
