"""Look at the example's pages in every width, language and theme.

::

    python -m lab.looks                                        all of them; write docs/looks.md
    python -m lab.looks --page /dashboard/ --width 320 --language ar --theme dark        one case

An option may be repeated. The exit code is 1 if anything counts against a page.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import django

from lab.kit.terminal import say

from .cases import CHARTS, LANGUAGES, PAGES, THEMES, WIDTHS, Case, cases, chart_cases
from .findings import findings, overview, told
from .matrix import examine
from .report import write


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.looks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, choices in (("page", (*PAGES, CHARTS)), ("language", LANGUAGES), ("theme", THEMES)):
        parser.add_argument(f"--{name}", action="append", choices=choices)
    parser.add_argument("--width", action="append", type=int)
    return parser.parse_args()


def _chosen(by: argparse.Namespace) -> list[Case]:
    """Return the cases that the options leave; charts have some of their own."""
    languages, themes, widths = by.language or LANGUAGES, by.theme or THEMES, by.width or WIDTHS
    pages = by.page or (*PAGES, CHARTS)
    charts = [
        case
        for case in chart_cases()
        if case.language in languages and case.theme in themes and case.width in widths
    ]
    usual = cases([page for page in pages if page != CHARTS], widths, languages, themes)
    return [*usual, *(charts if CHARTS in pages else [])]


def main() -> int:
    """Run the command; return 1 if anything counts against a page."""
    matrix = _chosen(_arguments())
    # The page of the charts is printed in this process.
    os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
    django.setup()
    chromium, seen = asyncio.run(examine(matrix))
    found = [finding for one in seen for finding in findings(one)]
    say(overview(seen))
    for line in told(found):
        say(line)
    if matrix == [*cases(), *chart_cases()]:
        say(str(write(seen, chromium)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
