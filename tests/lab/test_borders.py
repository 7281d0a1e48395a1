"""Who may know whom: the package, the lab with its rooms, and the tests."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("benchmarks", "soak", "fuzzing", "looks")

#: A place → what nothing in it may name.
BORDERS = {
    "django_fcs": ("lab", "tests"),
    "example_project": ("lab", "tests"),
    "tests/support": ("lab",),
    "lab/kit": tuple(f"lab.{room}" for room in ROOMS),
    **{f"lab/{room}": tuple(f"lab.{it}" for it in ROOMS if it != room) for room in ROOMS},
}

#: What is missing where nothing but the extra ``bench`` is installed.
NOT_INSTALLED = ("pytest", "hypothesis", "_pytest")

IMPORT_ALL = f"""
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys({NOT_INSTALLED}))
for name in ("lab.kit", "lab.benchmarks", "lab.soak"):
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, name + "."):
        importlib.import_module(module.name)
"""


def named(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, and the texts that may be names of modules."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def is_of(name: str, module: str) -> bool:
    return name == module or name.startswith((f"{module}.", f"{module}:"))


def files(place: str) -> list[Path]:
    found = sorted((ROOT / place).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("place", BORDERS)
def test_nobody_names_what_lies_beyond_the_border(place: str) -> None:
    beyond = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files(place)
        for name in named(path)
        if any(is_of(name, module) for module in BORDERS[place])
    }

    assert not beyond


def test_of_the_tests_the_lab_knows_only_what_supports_them() -> None:
    names = {name for path in files("lab") for name in named(path) if is_of(name, "tests")}

    assert names
    assert all(is_of(name, "tests.support") for name in names)


def test_benchmarks_and_soak_need_nothing_that_only_tests_need() -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "lab.kit.settings"}
    command = [sys.executable, "-c", IMPORT_ALL]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120
    )

    assert not done.returncode, done.stderr
