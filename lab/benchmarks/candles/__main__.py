"""Measure what candles with a history cost.

::

    python -m lab.benchmarks.candles             five runs; write docs/performance.md
    python -m lab.benchmarks.candles run --runs 1     do not write the document
    python -m lab.benchmarks.candles report      write the document again from the saved figures
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import django

from lab.benchmarks.results import RESULTS, load
from lab.kit.terminal import say

from .measure import measure
from .report import write

RUNS = 5


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.benchmarks.candles",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(runs=RUNS, results=RESULTS)
    commands = parser.add_subparsers(dest="command")
    run = commands.add_parser("run", help="measure only", argument_default=argparse.SUPPRESS)
    run.add_argument("--runs", type=int, help=f"runs of each measurement, default {RUNS}")
    run.add_argument("--results", type=Path, help="save the figures there, not for the page")
    commands.add_parser("report", help="write the page from the saved figures")
    return parser.parse_args()


def main() -> int:
    """Run the command."""
    arguments = _arguments()
    if arguments.command != "report":
        # Processes that this one starts read it, too.
        os.environ["DJANGO_SETTINGS_MODULE"] = "lab.benchmarks.candles.settings"
        django.setup()
        measure(runs=arguments.runs, results=arguments.results)
    if arguments.command != "run":
        say(str(write(load())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
