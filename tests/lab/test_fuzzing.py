"""A bounded part of what ``make fuzz`` does, and what it does with an input that fails."""

from __future__ import annotations

import ast
import logging
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings, strategies as st

from lab.fuzzing import runs, targets, work
from lab.fuzzing.runs import Outcome
from lab.fuzzing.targets import TARGETS, Target, draw
from lab.fuzzing.work import Done, Failure, Sample

SEED = 20

#: tests/browser feeds the elements.
INPUTS = {
    **{"parsing": 3000, "browsers": 500, "vendors": 500},
    **{"histories": 2000, "pages": 2000, "candles": 2000},
}


@pytest.fixture(params=list(INPUTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def target(name: str) -> Iterator[Target]:
    with TARGETS[name]() as target:
        yield target


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Of refusals by the hundred nobody wants to read."""
    logging.getLogger("django_fcs").setLevel(logging.ERROR)
    yield
    logging.getLogger("django_fcs").setLevel(logging.NOTSET)


def test_inputs_by_the_hundred_do_no_harm(name: str, target: Target) -> None:
    for number in range(INPUTS[name]):
        try:
            target.feed(draw(name, SEED, number))
        except Exception as error:
            raise AssertionError(f"input {number} of seed {SEED}: {error}") from error


@given(random=st.randoms())
@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[*HealthCheck],
    # To make an input smaller takes minutes; the note tells it as it was.
    phases=[Phase.reuse, Phase.generate],
)
def test_inputs_that_hypothesis_chooses_do_no_harm(
    name: str, target: Target, random: Random
) -> None:
    thing = TARGETS[name].draw(random)  # type: ignore[attr-defined]
    note(ascii(thing))
    target.feed(thing)


@pytest.mark.parametrize("name", TARGETS)
def test_an_input_is_the_same_for_the_same_seed_and_number(name: str) -> None:
    for number in range(50):
        thing = draw(name, SEED, number)

        assert draw(name, SEED, number) == thing
        assert ast.literal_eval(ascii(thing)) == thing


# -- what becomes of a failure


class Fragile:
    """Takes no number that 7 divides."""

    entered: ClassVar[int] = 0

    def __enter__(self) -> Fragile:
        Fragile.entered += 1
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @staticmethod
    def draw(random: Random) -> list[float]:
        return [random.random()]

    def feed(self, thing: Any) -> None:
        if Said.progress.value % 7 == 6:
            raise ValueError(f"not {thing}")


class Said:
    """The other end of a worker's pipe."""

    progress: ClassVar[SimpleNamespace] = SimpleNamespace(value=0)

    def __init__(self) -> None:
        self.report: list[Sample | Failure | Done] = []

    def send(self, report: Any) -> None:
        self.report.append(report)


def test_a_target_that_failed_is_used_no_more_and_the_rest_is_fed_to_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(cast(dict[str, Any], targets.TARGETS), "fragile", Fragile)
    monkeypatch.setattr(work, "os", SimpleNamespace(environ={}, getpid=os.getpid))
    Fragile.entered, said = 0, Said()

    work.work("fragile", SEED, range(0, 30), Said.progress, cast(Connection, said), samples=2)

    failures = [report.number for report in said.report if isinstance(report, Failure)]
    assert failures == [6, 13, 20, 27]
    assert Fragile.entered == 5
    assert isinstance(said.report[-1], Done)


def test_an_input_that_failed_is_kept_as_it_was(tmp_path: Path, name: str) -> None:
    runs._keep(Outcome(name, SEED, 10), Failure(3, "ValueError", ""), tmp_path)

    [kept] = tmp_path.iterdir()
    assert kept.name == f"{name}-{SEED}-3.txt"
    assert ast.literal_eval(kept.read_text()) == draw(name, SEED, 3)


def test_growth_counts_from_where_caches_are_full() -> None:
    def grown(inputs: range) -> Outcome:
        samples = [Sample(number, 5000, 10 * number) for number in inputs]
        return Outcome("parsing", SEED, inputs[-1], samples=samples)

    full = [Sample(inputs, 5000, 90_000) for inputs in range(50_000, 90_001, 1000)]
    outcome = Outcome("parsing", SEED, 90_000, samples=[Sample(100, 10, 0), *full])
    assert (outcome.rss_growth, outcome.objects_growth, outcome.is_good) == (0, 0, True)
    assert grown(range(100, 40_001, 100)).is_good

    outcome = grown(range(100, 60_001, 100))
    assert (round(outcome.objects_growth), outcome.is_good) == (1_000_000, False)


@pytest.mark.parametrize("timeframe", ['"1D"', "60"])
def test_a_price_beside_a_number_that_python_does_not_read_counts_as_sent(timeframe: str) -> None:
    prices = '{"mode":"askbid","c":1.1,"x":%s}' % ("9" * 5000)
    text = f'{{"type":"price","symbol":"FX:EURUSD","timeframe":{timeframe},"prices":{prices}}}'
    with TARGETS["pages"]() as target:
        target.feed({"text": text, "wait": 0, "reconnects": False, "stored": None})
