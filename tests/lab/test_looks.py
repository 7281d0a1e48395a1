"""The matrix of all looks: its cases, and what counts against a page."""

from __future__ import annotations

from collections.abc import Sequence

from django_fcs.rooms import Room
from example_project.markets import GLANCE, MAP, TAPE, WATCH_LIST
from lab.looks.cases import LANGUAGES, PAGES, THEMES, WIDTHS, Case, cases
from lab.looks.findings import Seen, findings, overview, told
from lab.looks.pictures.market import Market

CASE = Case("/dashboard/", 320, "ar", "dark")


def seen(case: Case = CASE, shift: float = 0.0, **texts: Sequence[str]) -> Seen:
    return Seen(case, shift, texts)


def test_the_matrix_has_every_page_in_every_width_language_and_theme() -> None:
    whole = cases()

    assert len(set(whole)) == len(PAGES) * len(WIDTHS) * len(LANGUAGES) * len(THEMES) == 630
    assert {case.page for case in whole if case.is_examined} == set(PAGES)
    assert cases(["/"], [360], ["ja"], ["dark"]) == [Case("/", 360, "ja", "dark")]


def test_the_system_of_the_visitor_never_has_the_theme_of_the_page() -> None:
    assert {(case.theme, case.system) for case in cases()} == {("light", "dark"), ("dark", "light")}


def test_a_page_that_does_nothing_wrong_has_no_findings() -> None:
    assert findings(seen(shift=0.0009, console=[], overflow=[])) == []


def test_everything_that_is_wrong_is_told_once_and_says_where() -> None:
    found = findings(seen(shift=0.0015, overflow=["p", "p", "td"], axe=["label: input"]))

    assert [(one.kind, one.text) for one in found[1:]] == [
        ("overflow", "p"),
        ("overflow", "td"),
        ("axe", "label: input"),
    ]
    assert found[0].kind == "shift" and found[0].text.startswith("0.0015")
    assert {one.case for one in found} == {CASE}


def test_what_is_wrong_in_several_cases_has_one_line() -> None:
    wide = Case("/dashboard/", 1280, "en", "light")
    found = [
        *findings(Seen(CASE, 0.0015, {"shift": ["td"]})),
        *findings(Seen(wide, 0.0021, {"shift": ["td"], "console": ["no"]})),
    ]

    assert told(found) == [
        "/dashboard/ shift: td\n    in 2: 320 ar dark; 1280 en light",
        "/dashboard/ console: no\n    in 1: 1280 en light",
    ]


def test_the_table_counts_by_page() -> None:
    lines = overview(
        [
            seen(shift=0.0015, overflow=["p", "td"]),
            seen(Case("/dashboard/", 390, "en", "light"), overflow=["p"]),
            seen(Case("/", 390, "en", "light"), failed=["closed"]),
        ]
    ).splitlines()

    assert lines[2] == "| `/dashboard/` | 2 | 0.0015 | 1 | 1 | 3 | 0 | 0 | 0 | 0 | 0 | 0 |"
    assert lines[3] == "| `/` | 1 | 0.0000 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |"


def test_the_pictures_have_a_price_of_every_instrument_of_the_example() -> None:
    groups = [instruments for _, instruments in (*WATCH_LIST, *MAP)]
    symbols = {one.symbol for group in (*groups, TAPE, GLANCE) for one in group}

    assert len(symbols) > 30
    assert all(Market().quote(Room.parse(symbol)) is not None for symbol in symbols)
