"""Parts of a page that a program writes, each between two marks."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["write_section"]


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
