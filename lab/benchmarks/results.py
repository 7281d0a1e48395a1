"""The measured figures in one JSON file, which is updated per scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "keep", "load"]

RESULTS = Path(__file__).parent / "results.json"


def load(path: Path = RESULTS) -> dict[str, Any]:
    """Return the saved figures: scenario → its figures."""
    if not path.exists():
        return {}
    kept: dict[str, Any] = json.loads(path.read_text())
    return kept


def keep(name: str, figures: dict[str, Any], path: Path = RESULTS) -> None:
    """Save a scenario's figures, replacing its last ones."""
    path.write_text(json.dumps({**load(path), name: figures}, indent=1) + "\n")
