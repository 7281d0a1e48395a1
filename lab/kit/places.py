"""Where things are: the repository, and the folder for what a run leaves behind."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BUILD", "ROOT"]

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "lab/build"
