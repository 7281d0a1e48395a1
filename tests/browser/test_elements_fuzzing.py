"""A bounded part of what ``make fuzz`` feeds to the elements."""

from __future__ import annotations

import pytest

from lab.fuzzing.elements import Elements
from lab.fuzzing.merge_messages import SEQ
from lab.fuzzing.targets import draw

SEED = 20
INPUTS = 2000
BATCH = 50
_THROW = "throw Error('unlucky')"

pytestmark = pytest.mark.usefixtures("executable")


def test_frames_by_the_thousand_do_no_harm_to_a_page() -> None:
    with Elements() as elements:
        for start in range(0, INPUTS, BATCH):
            numbers = range(start, start + BATCH)
            try:
                elements.feed_all({number: draw("elements", SEED, number) for number in numbers})
            except Exception as error:
                raise AssertionError(f"{numbers} of seed {SEED}: {error}") from error


@pytest.mark.parametrize("failure", [_THROW, f"requestAnimationFrame(() => {{ {_THROW} }})"])
def test_an_input_that_fails_among_others_is_named(failure: str) -> None:
    unlucky = (
        f'{{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","seq":{SEQ},'
        '"prices":{"mode":"candle","c":13}}'
    )
    with Elements() as elements:
        elements._page.evaluate(
            f"""document.addEventListener("fcs:price", ({{ detail }}) => {{
                if (detail.prices.c === 13) {failure};
            }})"""
        )
        with pytest.raises(AssertionError, match="^input 8: the page reported .*unlucky"):
            elements.feed_all({7: "[]", 8: unlucky, 9: "[]"})
