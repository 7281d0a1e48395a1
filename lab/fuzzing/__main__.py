"""Feed random inputs to the targets and print the results.

::

    python -m lab.fuzzing                               run everything, write docs/reliability.md
    python -m lab.fuzzing run parsing --inputs 5000     run some targets, do not write the page
    python -m lab.fuzzing rerun lab/build/fuzzing/FILE  repeat an input that failed
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

from . import elements, report
from .guided import Guided, guide, is_installed
from .runs import KEPT, Outcome, run
from .targets import TARGETS

INPUTS = 200_000
#: A browser takes longer for each.
INPUTS_OF_ELEMENTS = 20_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.fuzzing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(targets=list(TARGETS), inputs=None, seed=None)
    commands = parser.add_subparsers(dest="command")
    some = commands.add_parser("run", help="run some targets")
    some.add_argument("targets", nargs="+", choices=[*TARGETS, "guided"], metavar="TARGET")
    some.add_argument(
        "--inputs",
        type=int,
        help=f"per target, default {INPUTS}, of elements {INPUTS_OF_ELEMENTS}",
    )
    some.add_argument("--seed", type=int, help="default: a new one")
    again = commands.add_parser("rerun", help="repeat inputs that failed")
    again.add_argument("files", nargs="+", type=Path, metavar="FILE")
    return parser.parse_args()


def main() -> int:
    """Run the command; return 1 if an input failed or memory grew."""
    arguments = _arguments()
    if arguments.command == "rerun":
        return _rerun(arguments.files)
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(2**31)
    say(f"seed {seed}")
    names = [name for name in arguments.targets if name in TARGETS]
    if "elements" in names and not elements.is_installed():
        say("elements: left out, because there is no Playwright or no Chromium (FCS_CHROMIUM)")
        names.remove("elements")
    outcomes = [_run(name, seed, arguments.inputs or _inputs(name)) for name in names]
    guided = None
    if is_installed() and (arguments.command is None or "guided" in arguments.targets):
        guided = _guide(seed, arguments.inputs or INPUTS)
    if arguments.command is None:
        report.write(outcomes, guided)
        say(str(report.PAGE))
    is_good = all(outcome.is_good for outcome in outcomes) and not (guided and guided.crashes)
    return 0 if is_good else 1


def _inputs(name: str) -> int:
    return INPUTS_OF_ELEMENTS if name == "elements" else INPUTS


def _run(name: str, seed: int, inputs: int) -> Outcome:
    outcome = run(name, seed, inputs)
    for failure in outcome.failures:
        say(f"{name} {failure.number}: {failure.kind}\n{failure.text}")
    say(
        f"{name}: {inputs} inputs, {outcome.seconds:.1f} s processor time, "
        f"{len(outcome.failures)} failed, slowest {1000 * outcome.slowest:.1f} ms "
        f"(input {outcome.slowest_number}); per 100,000 inputs "
        f"memory {outcome.rss_growth:+.0f} kB, objects {outcome.objects_growth:+.0f}"
    )
    if outcome.failures:
        say(f"failed inputs are in {KEPT}: python -m lab.fuzzing rerun FILE")
    return outcome


def _guide(seed: int, inputs: int) -> Guided:
    guided = guide(seed, inputs)
    if guided.crashes:
        say(guided.text)
    say(
        f"guided: {guided.inputs} inputs, {guided.seconds:.0f} s processor time, "
        f"{guided.found} reached new code, {guided.crashes} failed"
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
        say(f"{file}: passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
