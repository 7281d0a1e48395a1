"""The fuzzing table in ``docs/reliability.md``."""

from __future__ import annotations

from collections.abc import Sequence

from lab.kit import machine
from lab.kit.markdown import figures, table, write_section
from lab.kit.places import ROOT

from .guided import Guided
from .runs import WARM_UP_INPUTS, Outcome

__all__ = ["PAGE", "write"]

PAGE = ROOT / "docs/reliability.md"

_TITLES = {
    "parsing": "`protocol.parse`",
    "browsers": "browser socket",
    "vendors": "vendor socket",
    "histories": "answers of the vendor's REST API",
    "pages": "values of the vendor, through stream, cache and tag",
    "candles": "candles of REST and of the cache",
    "elements": "elements in a browser",
}
_HEAD = (
    *("target", "inputs", "CPU s", "inputs/s", "crashes", "hangs", "slowest ms"),
    *("memory kB", "live objects"),
)


def write(outcomes: Sequence[Outcome], guided: Guided | None) -> None:
    """Replace the figures in the page by those of a complete run."""
    lines = [_line(outcome) for outcome in outcomes]
    if guided is not None:
        lines.append(_guided_line(guided))
    where = machine.describe()
    names = ("Python", "websockets", "channels", "Django")
    versions = ", ".join(f"{name} {where[name]}" for name in names)
    text = (
        f"{table(_HEAD, lines)}\n\nSeed {outcomes[0].seed}, {where['date']}, one core of "
        f"{where['processor']}, {versions}. The columns for memory and live objects (blocks of "
        f"Python's allocator) show the growth per 100,000 inputs after the first "
        f"{WARM_UP_INPUTS:,}."
    )
    if guided is None:
        text += "\n\nThere is no run guided by coverage: atheris is not installed for this Python."
    write_section(PAGE, "fuzz", text)


def _line(outcome: Outcome) -> list[str]:
    is_measured = outcome.inputs > WARM_UP_INPUTS
    hangs = sum(failure.kind == "hangs" for failure in outcome.failures)
    return [
        _TITLES[outcome.name],
        f"{outcome.inputs:,}",
        figures(outcome.seconds),
        figures(outcome.inputs / outcome.seconds if outcome.seconds else None),
        str(len(outcome.failures) - hangs),
        str(hangs),
        figures(1000 * outcome.slowest),
        f"{outcome.rss_growth:+.0f}" if is_measured else "–",
        f"{outcome.objects_growth:+.0f}" if is_measured else "–",
    ]


def _guided_line(guided: Guided) -> list[str]:
    return [
        f"`protocol.parse`, guided by coverage (atheris; {guided.found} inputs reached new code)",
        f"{guided.inputs:,}",
        figures(guided.seconds),
        figures(guided.inputs / guided.seconds if guided.seconds else None),
        str(guided.crashes),
        "0",
        f"< {1000 * (guided.slowest + 1):.0f}",
        "–",
        "–",
    ]
