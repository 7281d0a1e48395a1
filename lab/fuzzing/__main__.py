"""The command: feed the targets, say what came of it.

::

    python -m lab.fuzzing                               everything, then docs/reliability.md
    python -m lab.fuzzing run parsing --inputs 5000     some targets, without the page
    python -m lab.fuzzing rerun lab/build/fuzzing/FILE  an input that failed, once more
"""

from __future__ import annotations

import argparse
import ast
import logging
import os
import secrets
import sys
from pathlib import Path

import django

from lab.kit.terminal import say

from . import report
from .guided import Guided, guide, is_installed
from .runs import KEPT, Outcome, run
from .targets import TARGETS

INPUTS = 200_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.fuzzing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(targets=list(TARGETS), inputs=INPUTS, seed=None)
    commands = parser.add_subparsers(dest="command")
    some = commands.add_parser("run", help="feed some targets")
    some.add_argument("targets", nargs="+", choices=[*TARGETS, "guided"], metavar="TARGET")
    some.add_argument("--inputs", type=int, default=INPUTS, help=f"to each; {INPUTS} without")
    some.add_argument("--seed", type=int, help="a new one without")
    again = commands.add_parser("rerun", help="feed inputs that failed")
    again.add_argument("files", nargs="+", type=Path, metavar="FILE")
    return parser.parse_args()


def main() -> int:
    """Do what the command line says; 1 where an input failed or memory grew."""
    arguments = _arguments()
    if arguments.command == "rerun":
        return _rerun(arguments.files)
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(2**31)
    say(f"seed {seed}")
    outcomes = [_run(name, seed, arguments.inputs) for name in arguments.targets if name in TARGETS]
    guided = None
    if is_installed() and (arguments.command is None or "guided" in arguments.targets):
        guided = _guide(seed, arguments.inputs)
    if arguments.command is None:
        report.write(outcomes, guided)
        say(str(report.PAGE))
    is_good = all(outcome.is_good for outcome in outcomes) and not (guided and guided.crashes)
    return 0 if is_good else 1


def _run(name: str, seed: int, inputs: int) -> Outcome:
    outcome = run(name, seed, inputs)
    for failure in outcome.failures:
        say(f"{name} {failure.number}: {failure.kind}\n{failure.text}")
    say(
        f"{name}: {inputs} inputs, {outcome.seconds:.1f} s of a processor, "
        f"{len(outcome.failures)} failed, slowest {1000 * outcome.slowest:.1f} ms "
        f"(input {outcome.slowest_number}); per 100,000 inputs "
        f"memory {outcome.rss_growth:+.0f} kB, objects {outcome.objects_growth:+.0f}"
    )
    if outcome.failures:
        say(f"kept in {KEPT}: python -m lab.fuzzing rerun FILE")
    return outcome


def _guide(seed: int, inputs: int) -> Guided:
    guided = guide(seed, inputs)
    if guided.crashes:
        say(guided.text)
    say(
        f"guided: {guided.inputs} inputs, {guided.seconds:.0f} s of a processor, "
        f"{guided.found} covered something new, {guided.crashes} failed"
    )
    return guided


def _rerun(files: list[Path]) -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "lab.fuzzing.settings"
    django.setup()
    logging.basicConfig(level=logging.INFO)
    for file in files:
        name = file.name.partition("-")[0]
        thing = file.read_bytes() if name == "guided" else ast.literal_eval(file.read_text())
        with TARGETS["parsing" if name == "guided" else name]() as target:
            target.feed(thing)
        say(f"{file}: nothing failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
