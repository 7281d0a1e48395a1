"""A bounded part of what ``make fuzz`` feeds to the elements."""

from __future__ import annotations

import pytest

from lab.fuzzing.elements import Elements
from lab.fuzzing.targets import draw

SEED = 20
INPUTS = 2000


@pytest.mark.usefixtures("executable")
def test_frames_by_the_thousand_do_no_harm_to_a_page() -> None:
    with Elements() as elements:
        for number in range(INPUTS):
            try:
                elements.feed(draw("elements", SEED, number))
            except Exception as error:
                raise AssertionError(f"input {number} of seed {SEED}: {error}") from error
