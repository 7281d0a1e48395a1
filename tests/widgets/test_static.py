"""The scripts and the stylesheet as pages load them."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from django.test import override_settings

import django_fcs
from django_fcs import widgets
from django_fcs.widgets.formats import separators

STATIC = Path(django_fcs.__file__).parent / "static" / "django_fcs"
SOURCES = sorted(
    path for path in STATIC.iterdir() if path.suffix in (".css", ".js") and ".min." not in path.name
)
MEMBERS = Path(__file__).parents[2] / "scripts" / "js" / "members.js"
CORE = "fcs.min.js"
#: The sources of each minified file.
ORIGINS = {
    path.with_suffix(f".min{path.suffix}"): [path]
    for path in SOURCES
    if path.name != "fcs-elements.js"
} | {STATIC / CORE: [STATIC / "fcs-client.js", STATIC / "fcs-elements.js"]}


def gzipped(name: str) -> int:
    return len(gzip.compress((STATIC / name).read_bytes(), 9))


@pytest.mark.parametrize("made", ORIGINS, ids=lambda made: made.name)
def test_every_minified_file_was_made_from_the_sources_beside_it(made: Path) -> None:
    source = b"".join(path.read_bytes() for path in ORIGINS[made])
    hashed = hashlib.sha256(source).hexdigest()[:8]

    assert made.read_text().startswith(f"/*{hashed}*/"), "run make minify"


def test_no_minified_file_has_lost_its_source() -> None:
    assert set(STATIC.glob("*.min.*")) == set(ORIGINS)


def test_the_minified_files_are_ascii_because_not_every_server_names_their_encoding() -> None:
    assert not [made.name for made in ORIGINS if not made.read_bytes().isascii()]


def test_the_names_that_the_minifier_shortens_are_internal_ones_of_the_scripts() -> None:
    members = MEMBERS.read_text()
    names = set(re.findall(r'"(\w+)"', members))
    scripts = "".join(path.read_text() for path in SOURCES if path.suffix == ".js")
    types = "".join(path.read_text() for path in STATIC.glob("*.d.ts"))
    public = set(re.findall(r"\w+", re.sub(r"//[^\n]*|/\*.*?\*/", "", types, flags=re.DOTALL)))
    data_block = {"language", "timeframe", "numbers", "texts", "modules", *separators()}

    assert names <= set(re.findall(r"\w+", scripts))
    assert not names & (public | data_block)


def test_the_scripts_of_every_page_and_the_stylesheets_stay_small() -> None:
    assert gzipped(CORE) <= 12_000
    assert gzipped("fcs.min.css") <= 7_000


def test_what_a_chart_loads_when_it_comes_near_stays_small() -> None:
    assert gzipped("fcs-chart.min.js") + gzipped("fcs-chart-plot.min.js") <= 12_000
    assert gzipped("fcs-chart-visitor.min.js") <= 4_050
    assert gzipped("fcs-chart.min.css") <= 3_000


@pytest.mark.parametrize(
    ("debug", "names"),
    [
        (False, ["fcs.min.css", "fcs-chart.min.css", "fcs.min.js"]),
        (True, ["fcs.css", "fcs-chart.css", "fcs-client.js", "fcs-elements.js"]),
    ],
)
def test_pages_load_the_minified_files_and_with_debug_the_sources(
    debug: bool, names: list[str]
) -> None:
    with override_settings(DEBUG=debug):
        html = widgets.scripts()

    assert re.findall(r'(?:src|href)="/static/django_fcs/([^"]+)"', html) == names
