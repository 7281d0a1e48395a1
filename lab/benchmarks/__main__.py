"""Measure scenarios, save the figures, write the page.

::

    python -m lab.benchmarks                      measure everything, write docs/performance.md
    python -m lab.benchmarks run hot-room light   measure some scenarios, do not write the page
    python -m lab.benchmarks report               write the page again from the saved figures
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.kit.processes import Failed, prepare
from lab.kit.terminal import say

from .measure import measure
from .report import write_page
from .results import RESULTS, load
from .scenarios import SCENARIOS

SECONDS = 4.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.benchmarks", description=__doc__)
    parser.set_defaults(scenarios=[], peers=[], runs=None, seconds=SECONDS, results=RESULTS)
    commands = parser.add_subparsers(dest="command")
    run = commands.add_parser(
        "run", help="measure some scenarios", argument_default=argparse.SUPPRESS
    )
    run.add_argument("scenarios", nargs="+", choices=SCENARIOS, metavar="SCENARIO")
    run.add_argument("--peers", type=_names, help="comma-separated; default: all of the scenario")
    run.add_argument("--runs", type=int, help="runs per peer; default: set by the scenario")
    run.add_argument("--seconds", type=float, help=f"length of a window, default {SECONDS:g}")
    run.add_argument("--results", type=Path, help="save the figures there, not for the page")
    commands.add_parser("report", help="write the page from the saved figures")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    known = {peer for scenario in SCENARIOS.values() for peer in scenario.peers}
    if unknown := set(names) - known:
        raise argparse.ArgumentTypeError(f"no such peer: {', '.join(sorted(unknown))}")
    return names


def main() -> int:
    """Run the command; return 1 if a process failed."""
    arguments = _arguments()
    prepare()
    try:
        if arguments.command != "report":
            _measure(arguments)
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if arguments.command != "run":
        say(str(write_page(load())))
    return 0


def _measure(arguments: argparse.Namespace) -> None:
    for name in arguments.scenarios or SCENARIOS:
        measure(
            name,
            peers=arguments.peers,
            runs=arguments.runs,
            seconds=arguments.seconds,
            results=arguments.results,
        )


if __name__ == "__main__":
    sys.exit(main())
