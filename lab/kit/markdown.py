"""Generated Markdown: figures, tables, and sections between two markers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

__all__ = ["figures", "marked", "table", "write_section"]


def figures(value: float | None) -> str:
    """Format a number with about three significant digits; a dash for ``None``."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table; the first column is left-aligned, the others right-aligned."""
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *lines))


def marked(name: str, text: str) -> str:
    """Return the text between ``<!-- name -->`` and ``<!-- /name -->``."""
    return f"<!-- {name} -->\n{text.strip()}\n<!-- /{name} -->"


def write_section(page: Path, name: str, text: str) -> None:
    """Replace the text between ``<!-- name -->`` and ``<!-- /name -->``.

    If the page does not have these markers, they are added at its end.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole = page.read_text() if page.exists() else ""
    section = marked(name, text)
    between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if between.search(whole):
        whole = between.sub(lambda _: section, whole)
    else:
        whole = f"{whole.rstrip()}\n\n{section}\n".lstrip()
    page.write_text(whole)
