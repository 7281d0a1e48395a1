"""``protocol.parse`` by what covers new lines of it: atheris, where it is installed.

A process of its own, as it ends with its last input. msgspec is C and not instrumented,
so the search is led by what Python does with the frames it reads.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from dataclasses import dataclass
from random import Random

from benchmarks.processes import ROOT

from . import grammar
from .runs import BUILD

__all__ = ["Guided", "guide", "is_installed"]

#: Frames to begin with.
_SEEDS = 300

_OPTIONS = ("-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", "-max_len=4096")
_WORDS = (
    *('"type":', '"prices":{', '"symbol":"FX:EURUSD"', '"timeframe":"1D"', '"mode":"askbid"'),
    *('"history":[{', '"profile":{', '"short":"joined_room"', "null", "1e999", "\\ud800", "[["),
)


@dataclass(frozen=True)
class Guided:
    """What came of a run guided by coverage."""

    inputs: int
    seconds: float
    crashes: int
    slowest: float
    text: str


def is_installed() -> bool:
    """Tell whether there is an atheris for this Python."""
    return importlib.util.find_spec("atheris") is not None


def guide(seed: int, inputs: int) -> Guided:
    """Let atheris run so many inputs; one that fails is kept in ``build``."""
    corpus = BUILD / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number in range(_SEEDS):
        text = grammar.frame(Random(f"{seed}:{number}"))
        data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        (corpus / f"seed-{number}").write_bytes(data[:4000])
    words = BUILD / "words.txt"
    words.write_text("\n".join(f'"{_escaped(word)}"' for word in _WORDS) + "\n")
    options = [*_OPTIONS, f"-runs={inputs}", f"-seed={seed}", f"-dict={words}"]
    command = [sys.executable, "-m", "fuzzing.guided", *options, str(corpus)]
    command.append(f"-artifact_prefix={BUILD}/guided-")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    figures = dict(re.findall(r"stat::(\w+): +(\d+)", done.stderr))
    ran = re.search(r"Done (\d+) runs in (\d+) second", done.stderr)
    return Guided(
        inputs=int(figures.get("number_of_executed_units", 0)),
        seconds=float(ran[2]) if ran else 0.0,
        crashes=int(done.returncode != 0),
        slowest=float(figures.get("slowest_unit_time_sec", 0)),
        text=(done.stdout + done.stderr)[-3000:],
    )


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')


def _main() -> None:
    import atheris  # noqa: PLC0415 - it is there for some Pythons only

    with atheris.instrument_imports(include=["django_fcs"]):
        from .parsing import Parsing  # noqa: PLC0415 - what is imported here is instrumented

    target = Parsing()

    def take(data: bytes) -> None:
        target.feed(data)
        target.feed(data.decode(errors="surrogateescape"))

    atheris.Setup(sys.argv, take)
    atheris.Fuzz()


if __name__ == "__main__":
    _main()
