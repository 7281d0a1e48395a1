"""Write the fault table of docs/reliability.md: ``python -m tests.faults DIRECTORY``.

It fails where anything was falsely live or out of order: the page promises that nothing is.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lab.kit.markdown import write_section
from tests.faults.report import broken, section
from tests.faults.rows import load

PAGE = Path(__file__).parents[2] / "docs/reliability.md"


def main(directory: str, page: Path = PAGE) -> None:
    rows = list(load(Path(directory)))
    if not rows:
        sys.exit(f"no rows in {directory}")
    write_section(page, "faults", section(rows))
    sys.stdout.write(f"{page}\n")
    if names := broken(rows):
        sys.exit("\n".join(names))


if __name__ == "__main__":
    main(sys.argv[1])
