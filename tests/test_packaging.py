"""What is built: a source distribution, and the wheel that comes out of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from django_fcs import __version__

ROOT = Path(__file__).parents[1]
PARTS = (
    *("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in"),
    *("README.md", "LICENSE", "CHANGELOG.md", "django_fcs", "tests"),
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a source distribution, and of the wheel that was built from it."""
    # A copy is built: a build writes beside its sources, where other test runs read.
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for part in map(ROOT.joinpath, PARTS):
        copy = shutil.copytree if part.is_dir() else shutil.copy
        copy(part, source / part.name)
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(source)]
    # A build runs none of our code, so nothing is to be measured of it.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    subprocess.run(build, env=env, check=True, capture_output=True, timeout=120)
    return target


@pytest.fixture(scope="module")
def sdist(built: Path) -> set[str]:
    """The files of the source distribution."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(built.glob("*.whl")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def files_in(folder: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_source_distribution_holds_the_package_and_its_tests(sdist: set[str]) -> None:
    assert files_in("django_fcs") | files_in("tests") <= sdist
    assert {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "setup.cfg"} <= sdist
    assert not [name for name in sdist if name.endswith(".pyc")]


def test_the_package_page_has_no_link_or_picture_that_needs_the_repository(
    metadata: Message,
) -> None:
    page = str(metadata.get_payload())
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert links and all(link.startswith(("https://", "#")) for link in links)
    assert "`docs/production.md`" in page


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    assert files_in("django_fcs") <= set(wheel.namelist())


@pytest.mark.parametrize(
    "name",
    [
        "candles/migrations/0001_initial.py",
        "candles/migrations/__init__.py",
        "py.typed",
        "static/django_fcs/fcs-announce.js",
        "static/django_fcs/fcs-announce.min.js",
        "static/django_fcs/fcs-chart-plot.js",
        "static/django_fcs/fcs-chart-plot.min.js",
        "static/django_fcs/fcs-chart-visitor.js",
        "static/django_fcs/fcs-chart-visitor.min.js",
        "static/django_fcs/fcs-chart.js",
        "static/django_fcs/fcs-chart.min.js",
        "static/django_fcs/fcs-chart.css",
        "static/django_fcs/fcs-chart.min.css",
        "static/django_fcs/fcs-client.d.ts",
        "static/django_fcs/fcs-client.js",
        "static/django_fcs/fcs-client.min.js",
        "static/django_fcs/fcs-converter.js",
        "static/django_fcs/fcs-converter.min.js",
        "static/django_fcs/fcs.min.js",
        "static/django_fcs/fcs-elements.d.ts",
        "static/django_fcs/fcs-elements.js",
        "static/django_fcs/fcs-react.d.ts",
        "static/django_fcs/fcs-heatmap.js",
        "static/django_fcs/fcs-heatmap.min.js",
        "static/django_fcs/fcs-movers.js",
        "static/django_fcs/fcs-movers.min.js",
        "static/django_fcs/fcs-sparkline.d.ts",
        "static/django_fcs/fcs-sparkline.js",
        "static/django_fcs/fcs-sparkline.min.js",
        "static/django_fcs/fcs-table.js",
        "static/django_fcs/fcs-table.min.js",
        "static/django_fcs/fcs.css",
        "static/django_fcs/fcs.min.css",
        "templates/django_fcs/chart.html",
        "templates/django_fcs/converter.html",
        "templates/django_fcs/price.html",
        "templates/django_fcs/scripts.html",
        "templates/django_fcs/table.html",
        "templates/django_fcs/ticker.html",
    ],
)
def test_the_wheel_has_what_sites_and_type_checkers_need(wheel: zipfile.ZipFile, name: str) -> None:
    assert f"django_fcs/{name}" in wheel.namelist()


def test_the_wheel_installs_nothing_but_the_package(wheel: zipfile.ZipFile) -> None:
    folders = {name.partition("/")[0] for name in wheel.namelist()}
    assert folders == {"django_fcs", f"django_fcs-{__version__}.dist-info"}


def test_the_metadata_names_version_licence_and_python(metadata: Message) -> None:
    assert metadata["Name"] == "django-fcs"
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-File"] == "LICENSE"
    assert str(metadata.get_payload()).strip(), "README.md is the description"


def test_a_classifier_stands_for_what_the_tests_run_on(metadata: Message) -> None:
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    run_on = set(re.findall(r"(?:py|django)\d+", tox["tox"]["env_list"]))
    # `latest` runs on the newest of those that are claimed; the last one may be skipped.
    run_on = run_on - {"py314"} | {"py313"}
    claimed = {
        f"{'django' if kind.startswith('Framework') else 'py'}{major}{minor}"
        for kind, major, minor in re.findall(
            r"(Framework :: Django|Programming Language :: Python) :: (\d)\.(\d+)",
            "\n".join(metadata.get_all("Classifier", [])),
        )
    }

    assert claimed == run_on


def test_the_changelog_tells_of_this_version() -> None:
    assert re.search(rf"^## {re.escape(__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.M)
