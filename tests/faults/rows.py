"""The table's rows, kept where the environment says so."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["VARIABLE", "keep", "load"]

#: Names the directory; without it nothing is written.
VARIABLE = "FCS_FAULTS_RESULTS"


def keep(row: dict[str, Any]) -> None:
    """Write a row, in place of that of an earlier run."""
    directory = os.environ.get(VARIABLE)
    if directory:
        name = re.sub(r"\W+", "-", f"{row['fault']} {row['layer']}".lower()).strip("-")
        Path(directory).mkdir(parents=True, exist_ok=True)
        (Path(directory) / f"{name}.json").write_text(json.dumps(row, indent=1) + "\n")


def load(directory: Path) -> Iterator[dict[str, Any]]:
    """Yield what was kept."""
    for path in sorted(directory.glob("*.json")):
        yield json.loads(path.read_text())
