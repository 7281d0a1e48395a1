from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from django_fcs import __version__

ROOT = Path(__file__).parents[1]
PARTS = ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "django_fcs")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    # A copy is built: a build writes beside its sources, where other test runs read.
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for part in map(ROOT.joinpath, PARTS):
        copy = shutil.copytree if part.is_dir() else shutil.copy
        copy(part, source / part.name)
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(source)]
    subprocess.run([*build, "--wheel"], check=True, capture_output=True, timeout=120)
    return zipfile.ZipFile(next(target.glob("*.whl")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "django_fcs").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= set(wheel.namelist())


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "static/django_fcs/fcs-client.d.ts",
        "static/django_fcs/fcs-client.js",
        "static/django_fcs/fcs-elements.d.ts",
        "static/django_fcs/fcs-elements.js",
        "static/django_fcs/fcs.css",
        "templates/django_fcs/price.html",
        "templates/django_fcs/scripts.html",
        "templates/django_fcs/ticker.html",
    ],
)
def test_the_wheel_has_what_pages_and_type_checkers_need(wheel: zipfile.ZipFile, name: str) -> None:
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


def test_the_changelog_tells_of_this_version() -> None:
    assert re.search(rf"^## {re.escape(__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.M)
