"""Measure what pages with many prices cost the server.

::

    python -m lab.benchmarks.rendering             three runs of 40 pages; write docs/performance.md
    python -m lab.benchmarks.rendering run --pages 10 --runs 1     do not write the document
    python -m lab.benchmarks.rendering report      write the document again from the saved figures
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
from .report import ROOMS, write

RUNS, PAGES = 3, 40


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.benchmarks.rendering",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(runs=RUNS, pages=PAGES, results=RESULTS)
    commands = parser.add_subparsers(dest="command")
    run = commands.add_parser("run", help="measure only", argument_default=argparse.SUPPRESS)
    run.add_argument("--runs", type=int, help=f"runs of each site, default {RUNS}")
    run.add_argument("--pages", type=int, help=f"pages of a run, default {PAGES}")
    run.add_argument("--results", type=Path, help="save the figures there, not for the page")
    commands.add_parser("report", help="write the page from the saved figures")
    return parser.parse_args()


def main() -> int:
    """Run the command."""
    arguments = _arguments()
    if arguments.command != "report":
        os.environ["DJANGO_SETTINGS_MODULE"] = "lab.benchmarks.rendering.settings"
        django.setup()
        measure(
            runs=arguments.runs,
            pages=arguments.pages,
            rooms=ROOMS,
            results=arguments.results,
        )
    if arguments.command != "run":
        say(str(write(load())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
