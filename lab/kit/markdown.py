"""Pages that programs write in Markdown: figures, tables, and sections between two marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

__all__ = ["figures", "table", "write_section"]


def figures(value: float | None) -> str:
    """Write a number with as many figures as it deserves."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Lay a table out: the first column to the left, the others to the right."""
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *lines))


def write_section(page: Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->``.

    A page without the marks gets them at its end.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole = page.read_text() if page.exists() else ""
    section = f"{begin}\n{text.strip()}\n{end}"
    between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if between.search(whole):
        whole = between.sub(lambda _: section, whole)
    else:
        whole = f"{whole.rstrip()}\n\n{section}\n".lstrip()
    page.write_text(whole)
