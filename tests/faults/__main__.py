"""Write docs/reliability.md: ``python -m tests.faults DIRECTORY``, with the rows of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.faults.report import page
from tests.faults.rows import load

PAGE = Path(__file__).parents[2] / "docs/reliability.md"


def main(directory: str) -> None:
    rows = list(load(Path(directory)))
    if not rows:
        sys.exit(f"no rows in {directory}")
    PAGE.write_text(page(rows).rstrip() + "\n")
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main(sys.argv[1])
