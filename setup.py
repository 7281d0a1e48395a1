"""Build the package page from README.md: links into the repository do not work there."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

README = Path(__file__).with_name("README.md")
PICTURE = re.compile(r"!\[[^]]*\]\((?!https?:)[^)]*\)\n+")
LINK = re.compile(r"\[([^]]+)\]\((?!https?:|#)([^)#]+)[^)]*\)")


def page(text: str) -> str:
    """Return the text without local pictures, and with the path in place of each local link."""
    return LINK.sub(_path, PICTURE.sub("", text))


def _path(link: re.Match[str]) -> str:
    label, path = link.groups()
    return f"`{path}`" if path.endswith(label) else f"{label} (`{path}`)"


setup(long_description=page(README.read_text(encoding="utf-8")))
