"""What the documents point to is there, and what they list is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from django_fcs.conf import Settings

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    own = [target for target in targets if not target.startswith(("http:", "https:"))]

    assert not [target for target in own if not (page.parent / target).exists()]


def test_every_setting_stands_in_the_documents() -> None:
    listed = set(re.findall(r"^\| `(FCS_\w+)`", (ROOT / "docs/settings.md").read_text(), re.M))

    assert listed == {name for name in vars(Settings) if name.startswith("FCS_")}


def test_every_module_stands_in_the_table_of_layers() -> None:
    table = (ROOT / "docs/architecture.md").read_text()
    modules = {path.stem for path in (ROOT / "django_fcs").glob("*.py")} - {"__init__"}

    assert not {name for name in modules if f"`{name}`" not in table}
