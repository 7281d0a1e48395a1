"""Paths: the repository, and the folder for files that a run creates."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BUILD", "ROOT"]

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "lab/build"
