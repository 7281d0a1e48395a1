"""What the documents point to is there, and what they list is what the code has."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.template import Engine

from django_fcs.conf import Settings
from django_fcs.widgets.tags import TAGS

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    text = page.read_text()
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'="(images/[^"]+)"', text)
    own = [target for target in targets if not target.startswith(("http:", "https:"))]

    assert not [target for target in own if not (page.parent / target).exists()]


def rows(page: str) -> dict[str, list[str]]:
    """Return the cells of each row of a table of settings, by the name of the setting."""
    lines = re.findall(r"^\| `(FCS_\w+)` \| (.+) \|$", (ROOT / page).read_text(), re.M)
    return {name: cells.split(" | ") for name, cells in lines}


def test_the_table_of_settings_says_what_the_code_says() -> None:
    table = rows("docs/settings.md")

    assert list(table) == list(Settings.declared())
    for name, setting in Settings.declared().items():
        default, must_be, meaning = table[name]
        assert default == as_written(setting.default)
        assert must_be.replace("`", "") == setting.kind.expects
        assert meaning.startswith(setting.meaning)


def test_the_first_page_says_the_same_of_the_settings_it_shows() -> None:
    table = rows("README.md")

    assert table.keys() < Settings.declared().keys()
    for name, (default, meaning) in table.items():
        setting = Settings.declared()[name]
        assert default == as_written(setting.default)
        assert meaning.startswith(setting.meaning)


def as_written(value: object) -> str:
    return "`" + repr(value).replace("'", '"') + "`"


def test_every_wing_and_every_module_of_the_hall_is_in_the_map() -> None:
    table = (ROOT / "docs/architecture.md").read_text()
    hall = {path.stem for path in (ROOT / "django_fcs").glob("*.py")} - {"__init__"}
    wings = {path.parent.name for path in (ROOT / "django_fcs").glob("*/__init__.py")}

    assert not {name for name in hall | wings if f"`{name}`" not in table}


PUBLIC = {
    module: names.replace("`", "").split()
    for module, names in re.findall(
        r"^\| `(django_fcs\.\w+)` \| ([^|]+) \|", (ROOT / "docs/api.md").read_text(), re.M
    )
}


@pytest.mark.parametrize("module", PUBLIC)
def test_what_is_public_is_what_the_modules_say(module: str) -> None:
    names = import_module(module).__all__

    assert sorted(PUBLIC[module]) == sorted(names)


def test_whatever_the_documents_import_is_public() -> None:
    imported = {
        (module, name.strip())
        for page in PAGES
        for module, names in re.findall(
            r"^\s*from (django_fcs\.[\w.]+) import ([\w, ]+)", page.read_text(), re.M
        )
        for name in names.split(",")
    }

    assert imported
    assert not {(module, name) for module, name in imported if name not in PUBLIC.get(module, ())}


def test_every_decision_is_said_in_80_words() -> None:
    text = (ROOT / "docs/decisions.md").read_text().partition("\n## Traps")[0]
    decisions = re.findall(r"^## (\d+)\. [^\n]+\n(.*?)(?=^## |\Z)", text, re.M | re.S)

    assert len(decisions) == 29
    assert not {number for number, said in decisions if len(said.split()) > 80}


def lines_that_start(server: str) -> list[str]:
    """Lines of code blocks that start a server, as people copy them."""
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.M | re.S)
    ]
    return [
        line for block in blocks for line in re.findall(rf"^{server} .*:application.*", block, re.M)
    ]


def test_every_line_that_starts_uvicorn_refuses_frames_that_inflate() -> None:
    lines = lines_that_start("uvicorn")

    assert len(lines) >= 3
    safe = ("--ws-max-size 65536", "--ws-per-message-deflate false")
    assert not [line for line in lines if not all(option in line for option in safe)]


def test_no_page_passes_on_what_a_client_says_of_its_own_address() -> None:
    pages = {page.name: page.read_text() for page in PAGES}
    passed = r"^\s*proxy_set_header (?:X-Forwarded-For|Host) \$(?!remote_addr;|http_host;)"

    assert not [name for name, text in pages.items() if re.search(passed, text, re.M)]


FAMILY = {
    *("fcs_tape", "fcs_table", "fcs_spread", "fcs_sparkline", "fcs_heatmap", "fcs_movers"),
    "fcs_converter",
}


def test_the_way_from_tradingview_names_only_tags_that_templates_have() -> None:
    page = (ROOT / "docs/tradingview.md").read_text()
    lines = re.findall(r"{% (fcs_\w+)[^%]*%}", page)

    assert set(lines) <= TAGS.keys() | FAMILY
    engine = Engine(libraries={"fcs": "django_fcs.templatetags.fcs"})
    for tag in re.finditer(r"{% (fcs_\w+)[^%]*%}", page):
        if tag[1] in TAGS:
            engine.from_string("{% load fcs %}" + tag[0])


def test_the_pages_of_the_family_have_a_heading_for_each_widget() -> None:
    text = (ROOT / "docs/family.md").read_text()

    assert set(re.findall(r"^## (fcs_\w+)$", text, re.M)) == FAMILY
