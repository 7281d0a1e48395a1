"""The house: which module may import which, and how large anything may grow."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import django_fcs

ROOT = Path(django_fcs.__file__).parent
REPOSITORY = Path(__file__).parents[1]

#: Each module imports from lower layers. Edges and services have no neighbours.
LAYERS = [
    # L0, words: pure, or of asyncio alone
    {
        *("address", "agenda", "arrivals", "backoff", "bell", "clocks", "cohorts", "complaints"),
        *("conf", "demand", "eager"),
        *("intervals",),
        *(
            "events",
            "exceptions",
            "faults",
            "formats",
            "hearing",
            "hub_figures",
            "instruments",
            "mail",
        ),
        *("mailbox", "market", "messages", "metrics", "needs", "outbox", "protocol"),
        *("ready", "redaction", "reports", "rooms", "routes", "servers", "sessions", "snapshots"),
        *(
            "sources",
            "standing",
            "stream_figures",
            "states",
            "streamed",
            "subscriptions",
            "symbols",
            "tasks",
            "ticks",
            "tokenbucket",
        ),
        *("tokens", "updates", "watchdog", "watched"),
    },
    # Parts of edges: what bus and upstream would be too long with
    {"connection", "failures", "framing", "inbox", "line", "shard", "wire", "worker"},
    # L1, edges: each knows one outside thing
    {
        *("bus", "calendars", "exposition", "lease", "recording", "simulator", "store"),
        *("subscriber", "upstream"),
    },
    # L2, services: they own their tasks and compose edges
    {"hub", "stream"},
    # L3, Django's surface
    {
        *("apps", "asgi", "checks", "consumers", "doctor", "embedded", "feed_probes", "jinja"),
        *(
            "neighbour",
            "permissions",
            "quotes",
            "routing",
            "site",
            "site_probes",
            "status",
            "testing",
        ),
        *("urls", "views", "widgets"),
        *("management.running", "templatetags.fcs"),
        *("management.commands.fcs_simulator", "management.commands.fcs_stream"),
        *("management.commands.fcs_doctor", "management.commands.fcs_status"),
        *("management.commands.fcs_watch",),
    },
]
WITHOUT_NEIGHBOURS = (2, 3)

#: What lies outside, and the only modules that know it.
OUTSIDE = {
    "websockets": {"connection", "failures", "upstream", "simulator"},
    "redis": {"bus"},
    "channels_redis": {"bus"},
    "channels.layers": {"bus"},
    "django.core.cache": {"store", "neighbour"},
    "django.core.signing": {"tokens"},
    "jinja2": {"jinja"},
    "prometheus_client": {"exposition"},
    # What is imported by its name in a text, where no other test here can see it.
    "importlib.import_module": {"calendars"},
}

#: Where the repository's Python stands, beside ``manage.py``; a build or an environment is no part.
FOLDERS = ("benchmarks", "django_fcs", "example_project", "fuzzing", "scripts", "soak", "tests")

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 30

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


FILES = sorted(ROOT.rglob("*.py"))
ALL_FILES = sorted(
    [*REPOSITORY.glob("*.py")]
    + [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py")]
)
MODULES = {name_of(path): path for path in FILES if path.name != "__init__.py"}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imported(node: ast.AST, name: str) -> Iterator[str]:
    """Yield the absolute name of everything that an import statement names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = ["django_fcs", *name.split(".")][: -node.level] if node.level else []
        source = ".".join([*package, *([node.module] if node.module else [])])
        yield from (f"{source}.{alias.name}" for alias in node.names)


def is_of(thing: str, module: str) -> bool:
    return thing == module or thing.startswith(f"{module}.")


@cache
def neighbours(name: str) -> frozenset[str]:
    """Return the modules of this package that a module imports, wherever it does so."""
    things = {thing for node in ast.walk(tree(name)) for thing in imported(node, name)}
    return frozenset(
        module
        for module in MODULES
        if any(is_of(thing, f"django_fcs.{module}") for thing in things)
    )


def layer_of(name: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if name in layer)


def functions(name: str) -> list[Function]:
    return [node for node in ast.walk(tree(name)) if isinstance(node, Function)]


def test_every_module_stands_in_one_layer_and_every_layer_holds_modules() -> None:
    listed = [name for layer in LAYERS for name in layer]

    assert sorted(listed) == sorted(MODULES)


def test_packages_hold_no_code_of_their_own() -> None:
    for path in FILES:
        if path.name == "__init__.py" and path.parent != ROOT:
            assert path.read_text() == ""
    assert not any(
        thing.startswith("django_fcs")
        for node in ast.walk(ast.parse((ROOT / "__init__.py").read_text()))
        for thing in imported(node, "__init__")
    )


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_downward_only(name: str) -> None:
    layer = layer_of(name)
    lowest = layer if layer in WITHOUT_NEIGHBOURS else layer + 1
    too_high = {other for other in neighbours(name) if layer_of(other) >= lowest}

    assert not too_high


def test_no_modules_import_each_other_in_a_circle() -> None:
    rest = {name: neighbours(name) for name in MODULES}
    while free := {name for name, others in rest.items() if not others & rest.keys()}:
        rest = {name: others for name, others in rest.items() if name not in free}

    assert not rest


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_import_hides_in_a_function(name: str) -> None:
    hidden = {
        (function.name, ast.unparse(node))
        for function in functions(name)
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }

    assert not hidden or (name, {function for function, _ in hidden}) == ("apps", {"ready"})


@pytest.mark.parametrize("thing", OUTSIDE)
def test_what_lies_outside_is_known_in_one_place(thing: str) -> None:
    knowing = {
        name
        for name in MODULES
        for node in ast.walk(tree(name))
        for module in imported(node, name)
        if is_of(module, thing)
    }

    assert knowing == OUTSIDE[thing]


@pytest.mark.parametrize("name", sorted(LAYERS[0]))
def test_a_word_opens_no_socket_file_or_thread(name: str) -> None:
    outside = {
        "socket",
        "ssl",
        "threading",
        "concurrent",
        "subprocess",
        "os",
        "pathlib",
        "channels",
    }
    if name == "conf":
        outside.remove("os")  # for the environment, which may name the site's settings
    things = {thing for node in ast.walk(tree(name)) for thing in imported(node, name)}

    assert not {thing for thing in things if thing.partition(".")[0] in outside}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_function_is_annotated(name: str) -> None:
    bare = [
        f"{function.name}:{function.lineno}"
        for function in functions(name)
        if function.returns is None or not all(argument.annotation for argument in taken(function))
    ]

    assert not bare


def taken(function: Function) -> list[ast.arg]:
    """Return what a function takes, but for ``self`` and ``cls``."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    if named and named[0].arg in ("self", "cls"):
        named = named[1:]
    rest = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [*named, *arguments.kwonlyargs, *rest]


@pytest.mark.parametrize(
    "path", ALL_FILES, ids=lambda path: path.relative_to(REPOSITORY).as_posix()
)
def test_no_file_outgrows_its_reader(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_OF_A_FILE


def test_most_functions_are_short() -> None:
    lengths = sorted(
        (function.end_lineno or 0) - function.lineno + 1
        for name in MODULES
        for function in functions(name)
    )

    assert statistics.median(lengths) <= 8
    assert lengths[len(lengths) * 9 // 10] < LINES_OF_A_FUNCTION


def test_most_files_are_short() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES.values()]

    assert statistics.median(lengths) < 150
