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

#: From the lowest to the highest. A place imports from lower floors only, not from another place
#: of its own floor. What is on no floor, the rest of the hall and its wings, stands above them.
SHARING = {"sharing.databases", "sharing.fingerprint", "sharing.mark"}
WORDS = {"exceptions", "conf", "rooms", "tokens", "recording"} | SHARING
FLOORS = [
    {"values"},
    {"words"},
    {"tools"},
    {"protocol"},
    {"prices"},
    {"layer", "upstream", "simulator"},
    {"site"},
    {"candles"},
    {"streaming", "fanout"},
]

#: The wings whose ``__init__`` names what others import; every other one is empty.
FACES = {"candles", "protocol", "simulator", "upstream", "widgets"}

#: What lies outside, and the only modules that know it.
OUTSIDE = {
    "websockets": {
        "simulator.audience",
        "simulator.door",
        "simulator.server",
        "upstream.client",
        "upstream.connection",
        "upstream.failures",
    },
    "urllib3": {"candles.rest"},
    "redis": {"layer.member", "layer.streams"},
    "channels_redis": {"layer.bus", "layer.pubsub"},
    "channels.layers": {"layer.bus"},
    "django.core.cache": {"doctor.neighbour", "prices.calls"},
    "django.core.signing": {"charts.addresses", "tokens"},
    # The optional app: other code asks django.apps for the model, if it is installed.
    "django_fcs.candles.models": {"candles.admin"},
    "django.db": {
        "access.authorizer",
        "access.threads",
        "candles.admin",
        "candles.migrations.0001_initial",
        "candles.models",
        "candles.saved",
        "fields",
        "management.commands.fcs_candles",
    },
    "jinja2": {"jinja"},
    "prometheus_client": {"operations.exposition"},
    "resvg_py": {"charts.raster"},
    # A module whose name is a string: no other test sees such an import.
    "importlib": {"checks", "streaming.calendars"},
    "channels": {"access.clients", "asgi", "checking.serving", "consumers", "layer.bus"},
    # Sockets, files, threads and processes.
    "socket": {
        "doctor.feed_probes",
        "simulator.rest",
        "upstream.approach",
        "upstream.connection",
    },
    "ssl": {"doctor.feed_probes"},
    "pathlib": {"doctor.templates", "recording", "widgets.rendering"},
    "os": {
        "charts.pictures",
        "checking.serving",
        "conf",
        "doctor.neighbour",
        "management.running",
        "prices.calls",
        "prices.rendered",
        "recording",
        "site",
        "tools.metrics",
        "tools.worker",
    },
    "threading": {
        "doctor.examine",
        "management.early",
        "management.running",
        "simulator.rest",
        "tools.worker",
    },
    "concurrent": {"prices.calls", "tools.worker"},
    "subprocess": {"charts.pictures", "doctor.neighbour"},
}

#: The module that makes this project's loggers, and those that configure loggers.
MAKERS_OF_LOGGERS = {"management.running", "tools.logs", "tools.redaction"}

#: The folders with Python files, without builds and environments.
FOLDERS = ("django_fcs", "example_project", "lab", "scripts", "tests")

MODULES_IN_THE_HALL = 20
LINES_OF_A_FILE = 400

#: The largest modules keep some distance: the next change should find the room that is missing.
LINES_OF_THE_LARGEST = 380
LARGEST = {
    "fanout.hub",
    "fanout.subscriber",
    "simulator.server",
    "streaming.stream",
    "upstream.client",
}
LINES_OF_A_FUNCTION = 30

#: These are loaded in a process of their own, or by ``embedded``, which loads the faces first.
LOADED_LATE = {"management", "streaming"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """Name a module within the package; a face has the name of its wing."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = sorted(ROOT.rglob("*.py"))
ALL_FILES = sorted(
    [*REPOSITORY.glob("*.py")]
    + [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py")]
)
MODULES = {
    name_of(path): path for path in FILES if path.name != "__init__.py" or path.parent.name in FACES
}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


@cache
def imports(name: str) -> frozenset[str]:
    """Return the absolute name of everything that a module imports, wherever it does so."""
    return frozenset(thing for node in ast.walk(tree(name)) for thing in imported(node, name))


def imported(node: ast.AST, name: str) -> Iterator[str]:
    """Yield the absolute name of everything that an import statement names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        inside = ["django_fcs", *name.split(".")] + (["__init__"] if name in FACES else [])
        package = inside[: -node.level] if node.level else []
        source = ".".join([*package, *([node.module] if node.module else [])])
        yield from (f"{source}.{alias.name}" for alias in node.names)


def is_of(thing: str, module: str) -> bool:
    return thing == module or thing.startswith(f"{module}.")


@cache
def neighbours(name: str) -> frozenset[str]:
    """Return the modules of this package that a module imports, wherever it does so.

    A face runs before any module of its wing, so importing one imports the face.
    """
    return frozenset(
        module
        for module in MODULES
        if module != name and any(names(thing, module, by=name) for thing in imports(name))
    )


def names(thing: str, module: str, *, by: str) -> bool:
    """Tell whether an import of ``thing`` runs ``module``; a wing's own face has run already."""
    if is_of(by, module):
        return thing.rpartition(".")[0] == f"django_fcs.{module}" and not is_a_module(thing)
    return is_of(thing, f"django_fcs.{module}")


def is_a_module(thing: str) -> bool:
    return thing.removeprefix("django_fcs.") in MODULES


def place_of(name: str) -> str:
    return "words" if name in WORDS else name.partition(".")[0]


def floor_of(name: str) -> int:
    """Return the number of a module's floor; the rest stands above all."""
    return next((n for n, floor in enumerate(FLOORS) if place_of(name) in floor), len(FLOORS))


def functions(name: str) -> list[Function]:
    return [node for node in ast.walk(tree(name)) if isinstance(node, Function)]


def test_imports_go_downward_only() -> None:
    not_lower = {
        (name, other)
        for name in MODULES
        for other in neighbours(name)
        if len(FLOORS) > floor_of(name) <= floor_of(other) and place_of(other) != place_of(name)
    }

    assert not not_lower


def test_the_rules_speak_of_what_is_there() -> None:
    places = {place_of(name) for name in MODULES}

    assert {place for floor in FLOORS for place in floor} <= places
    assert set(MODULES) >= WORDS | FACES


def test_a_reader_sees_the_whole_hall_at_one_glance() -> None:
    assert len(list(ROOT.glob("*.py"))) <= MODULES_IN_THE_HALL


@pytest.mark.parametrize("path", sorted(ROOT.rglob("__init__.py")), ids=name_of)
def test_a_face_names_what_others_import_and_defines_nothing(path: Path) -> None:
    code = ast.parse(path.read_text(encoding="utf-8")).body
    if path.parent.name in FACES:
        _, *imports, names = code  # behind the docstring
        assert all(isinstance(node, ast.ImportFrom) for node in imports)
        assert isinstance(names, ast.Assign)
    elif path.parent != ROOT:
        assert not code
    else:
        things = {thing for node in code for thing in imported(node, "__init__")}
        assert not any(is_of(thing, "django_fcs") for thing in things)


def test_no_modules_import_each_other_in_a_circle() -> None:
    rest = {name: neighbours(name) for name in MODULES}
    while free := {name for name, others in rest.items() if not others & rest.keys()}:
        rest = {name: others for name, others in rest.items() if name not in free}

    assert not rest


@pytest.mark.parametrize("face", ["candles", "widgets"])
def test_two_threads_that_load_a_wing_come_through_its_face_first(face: str) -> None:
    """One that holds a module and waits for the face would meet one that waits for the module.

    Python ends such a wait with a module that is half loaded. The threads of ``runserver`` do
    this: one imports the urls, the other checks the templates.
    """
    first = {
        name: next((thing for thing in in_order(name) if is_of(thing, f"django_fcs.{face}")), "")
        for name in MODULES
        if not is_of(name, face) and place_of(name) not in LOADED_LATE
    }
    loaded = {f"django_fcs.{module}" for module in loaded_by(face)}

    assert not {name: thing for name, thing in first.items() if thing.rpartition(".")[0] in loaded}


def in_order(name: str) -> list[str]:
    """Return what a module imports at its top, in order."""
    return [thing for node in tree(name).body for thing in imported(node, name)]


def loaded_by(face: str) -> set[str]:
    """Return the modules of a wing that its face loads."""
    found: set[str] = set()
    rest = {face}
    while rest:
        rest = {other for name in rest for other in neighbours(name) if is_of(other, face)}
        rest -= found | {face}
        found |= rest
    return found


def test_no_import_hides_in_a_function() -> None:
    hidden = {
        f"{name}.{function.name}"
        for name in MODULES
        for function in functions(name)
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }

    assert hidden == {"apps.ready"}


@pytest.mark.parametrize("thing", OUTSIDE)
def test_what_lies_outside_is_known_in_one_place(thing: str) -> None:
    knowing = {name for name in MODULES if any(is_of(module, thing) for module in imports(name))}

    assert knowing == OUTSIDE[thing]


def test_every_log_line_of_this_project_goes_through_the_loggers_that_escape_it() -> None:
    makers = {name for name in MODULES if "getLogger" in ast.unparse(tree(name))}

    assert makers == MAKERS_OF_LOGGERS


def test_every_function_is_annotated() -> None:
    bare = [
        f"{name}.{function.name}:{function.lineno}"
        for name in MODULES
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


def test_no_file_outgrows_its_reader() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in ALL_FILES}

    assert not {path: length for path, length in lengths.items() if length > LINES_OF_A_FILE}


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


@pytest.mark.parametrize("name", sorted(LARGEST))
def test_the_largest_modules_keep_a_distance_from_the_limit(name: str) -> None:
    assert len(MODULES[name].read_text().splitlines()) <= LINES_OF_THE_LARGEST


def test_tests_pass_limits_as_arguments_and_patch_no_constants() -> None:
    patched = {
        f"{path.relative_to(REPOSITORY)}:{call.lineno} {name}"
        for path in (REPOSITORY / "tests").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and (name := patched_constant(call))
    }

    assert not patched


def patched_constant(call: ast.Call) -> str:
    """Return the constant that a call patches; "" if it patches none, or a setting of Django."""
    how = ast.unparse(call.func).rpartition(".")[2]
    if how not in ("setattr", "object", "patch", "multiple") or not call.args:
        return ""
    if ast.unparse(call.args[0]) == "settings":
        return ""
    names = [one.value for one in call.args[:2] if isinstance(one, ast.Constant)]
    last = [str(name).rpartition(".")[2] for name in names]
    keywords = [keyword.arg or "" for keyword in call.keywords]
    return next((name for name in [*last, *keywords] if name.isupper() and len(name) > 1), "")
