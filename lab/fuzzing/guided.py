"""Fuzzing of ``protocol.parse`` guided by coverage, if atheris is installed.

msgspec is written in C and not instrumented. The search is therefore guided only by the
Python code that handles the decoded frames.
"""

from __future__ import annotations

import importlib.util
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from random import Random

from lab.kit import grammar
from lab.kit.places import ROOT

from .runs import KEPT

__all__ = ["Guided", "guide", "is_installed"]

#: Frames in the initial corpus.
_SEEDS = 300

#: The message of libFuzzer if no covered code is instrumented.
_NOT_LED = "no interesting inputs were found"

_OPTIONS = ("-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", "-max_len=4096")
_WORDS = (
    *('"type":', '"prices":{', '"symbol":"FX:EURUSD"', '"timeframe":"1D"', '"mode":"askbid"'),
    *('"history":[{', '"profile":{', '"short":"joined_room"', "null", "1e999", "\\ud800", "[["),
)


@dataclass(frozen=True)
class Guided:
    """The result of a run guided by coverage."""

    inputs: int
    seconds: float
    """Processor time, including the start."""
    found: int
    """Inputs that reached new code."""
    crashes: int
    slowest: float
    text: str


def is_installed() -> bool:
    """Tell whether atheris is installed for this Python."""
    return importlib.util.find_spec("atheris") is not None


def guide(seed: int, inputs: int) -> Guided:
    """Run atheris; an input that fails is kept in ``lab/build/fuzzing``."""
    corpus = KEPT / "corpus"
    shutil.rmtree(corpus, ignore_errors=True)
    corpus.mkdir(parents=True)
    for number in range(_SEEDS):
        text = grammar.frame(Random(f"{seed}:{number}"))
        data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        (corpus / f"seed-{number}").write_bytes(data[:4000])
    words = KEPT / "words.txt"
    words.write_text("\n".join(f'"{_escaped(word)}"' for word in _WORDS) + "\n")
    options = [*_OPTIONS, f"-runs={inputs}", f"-seed={seed}", f"-dict={words}"]
    command = [sys.executable, "-m", "lab.fuzzing.instrumented", *options, str(corpus)]
    command.append(f"-artifact_prefix={KEPT}/guided-")
    before = _seconds_of_children()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    figures = dict(re.findall(r"stat::(\w+): +(\d+)", done.stderr))
    return Guided(
        inputs=int(figures.get("number_of_executed_units", 0)),
        seconds=_seconds_of_children() - before,
        found=int(figures.get("new_units_added", 0)),
        # A run that is not guided proves nothing, so it counts as failed.
        crashes=int(done.returncode != 0 or _NOT_LED in done.stderr),
        slowest=float(figures.get("slowest_unit_time_sec", 0)),
        text=(done.stdout + done.stderr)[-3000:],
    )


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')
