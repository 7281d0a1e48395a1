"""Measure what charts cost a server and a browser.

::

    python -m lab.benchmarks.charts           three runs; write docs/performance.md
    python -m lab.benchmarks.charts run --seconds 5 --runs 1       do not write the document
    python -m lab.benchmarks.charts report    write the document again from the saved figures
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import django

from lab.benchmarks.page.tab import is_installed
from lab.benchmarks.results import RESULTS, load
from lab.kit.processes import Failed, prepare
from lab.kit.terminal import say

from .measure import measure
from .report import write

RUNS, SECONDS = 3, 20.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.benchmarks.charts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(runs=RUNS, seconds=SECONDS, results=RESULTS)
    commands = parser.add_subparsers(dest="command")
    run = commands.add_parser("run", help="measure only", argument_default=argparse.SUPPRESS)
    run.add_argument("--runs", type=int, help=f"runs, default {RUNS}")
    run.add_argument("--seconds", type=float, help=f"length of a run, default {SECONDS:g}")
    run.add_argument("--results", type=Path, help="save the figures there, not for the page")
    commands.add_parser("report", help="write the page from the saved figures")
    return parser.parse_args()


def main() -> int:
    """Run the command; return 1 if nothing could be measured."""
    arguments = _arguments()
    if arguments.command != "report":
        if not is_installed():
            sys.stderr.write("there is no Playwright or no Chromium (FCS_CHROMIUM)\n")
            return 1
        os.environ["DJANGO_SETTINGS_MODULE"] = "lab.benchmarks.page.settings"
        django.setup()
        prepare()
        try:
            measure(runs=arguments.runs, seconds=arguments.seconds, results=arguments.results)
        except Failed as error:
            sys.stderr.write(f"{error}\n")
            return 1
    if arguments.command != "run":
        say(str(write(load())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
