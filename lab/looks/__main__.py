"""Look at the example's pages in every width, language and theme.

::

    python -m lab.looks                                        all of them; write docs/looks.md
    python -m lab.looks --page /dashboard/ --width 320 --language ar --theme dark        one case

An option may be repeated. The exit code is 1 if anything counts against a page.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from lab.kit.terminal import say

from .cases import LANGUAGES, PAGES, THEMES, WIDTHS, cases
from .findings import findings, overview, told
from .matrix import examine
from .report import write


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.looks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, choices in (("page", PAGES), ("language", LANGUAGES), ("theme", THEMES)):
        parser.add_argument(f"--{name}", action="append", choices=choices)
    parser.add_argument("--width", action="append", type=int)
    return parser.parse_args()


def main() -> int:
    """Run the command; return 1 if anything counts against a page."""
    chosen = _arguments()
    matrix = cases(
        chosen.page or PAGES,
        chosen.width or WIDTHS,
        chosen.language or LANGUAGES,
        chosen.theme or THEMES,
    )
    chromium, seen = asyncio.run(examine(matrix))
    found = [finding for one in seen for finding in findings(one)]
    say(overview(seen))
    for line in told(found):
        say(line)
    if matrix == cases():
        say(str(write(seen, chromium)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
