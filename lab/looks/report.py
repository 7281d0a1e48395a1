"""The section of ``docs/looks.md`` with the figures of the whole matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lab.kit.machine import describe
from lab.kit.markdown import write_section
from lab.kit.places import ROOT

from .findings import Seen, findings, overview

__all__ = ["DOCUMENT", "MARK", "section", "write"]

DOCUMENT = ROOT / "docs/looks.md"
MARK = "looks"


def section(seen: Sequence[Seen], date: str, chromium: str) -> str:
    """Return the section as Markdown."""
    found = sum(len(findings(one)) for one in seen)
    return (
        f"Measured on {date} with Chromium {chromium}: {len(seen)} cases, {found} findings.\n\n"
        f"{overview(seen)}"
    )


def write(seen: Sequence[Seen], chromium: str) -> Path:
    """Write the section; return the path of the document."""
    write_section(DOCUMENT, MARK, section(seen, describe()["date"], chromium))
    return DOCUMENT
