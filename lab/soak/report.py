"""The results of a soak, as text and in ``docs/reliability.md``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lab.kit import machine
from lab.kit.markdown import figures, table, write_section
from lab.kit.places import ROOT
from lab.kit.plots import Line, Mark, timeline
from lab.kit.site import SERVERS

from .figures import Slope, names, slope_of
from .run import Result
from .samples import LEADER, Sample

__all__ = ["FULL_MINUTES", "is_good", "text_of", "write"]

PAGE = ROOT / "docs/reliability.md"
IMAGE = ROOT / "docs/images/soak.svg"

#: The duration of a full run, which writes the page.
FULL_MINUTES = 30

#: Memory is evaluated after this time in each life of a process, in seconds.
WARM_UP_SECONDS = 300

_HEAD = (
    *("process", "memory MB", "slope kB/min", "", "open files (most)"),
    *("sockets start → end (most)", "tasks start → end (most)"),
)
_KINDS = {"uvicorn": "ours", "daphne": "other", "redis": "floor"}


def warm_up_of(result: Result) -> float:
    """Return the time to ignore at the start of each life: five minutes, less in a short run."""
    return min(WARM_UP_SECONDS, 60 * result.plan.minutes / 6)


def is_good(result: Result) -> bool:
    """Tell whether everything recovered, prices came in order, and no memory grew.

    A process whose lives were all shorter than the warm-up has no slope and passes: one of two
    streams may be on standby only for short times, and a trial is short. A full run without a
    slope for the leader or a web server fails, because it does not show what it should.
    """
    slopes = {
        name: slope_of(result.samples, name, warm_up_of(result)) for name in names(result.samples)
    }
    needed = (LEADER, *SERVERS) if result.plan.minutes >= FULL_MINUTES else ()
    waits = (result.here_after, result.right_after, result.back_after)
    return (
        None not in waits
        and result.connections_most == 1
        and not result.crowd["backward"]
        and all(slope is None or slope.is_flat for slope in slopes.values())
        and all(slopes.get(name) is not None for name in needed)
    )


def text_of(result: Result) -> str:
    """Return the results as a table and some sentences."""
    plan, crowd = result.plan, result.crowd
    kinds = Counter(fault.kind for fault in result.faults)
    happened = ", ".join(f"{kind} {number}×" for kind, number in sorted(kinds.items()))
    codes = ", ".join(f"{code} {number}×" for code, number in sorted(crowd["codes"].items()))
    lines = [_line(result, name) for name in names(result.samples)]
    where = machine.describe()
    return (
        f"{table(_HEAD, lines)}\n\n"
        f"{plan.minutes:g} minutes, {plan.updates:g} updates/s, {plan.browsers} browsers in "
        f"{crowd['visits']:,} visits, {crowd['prices']:,} prices shown; seed {plan.seed}, "
        f"{where['date']}, {where['processor']}, Python {where['Python']}, "
        f"Redis {where['redis-server']}.\n\n"
        f"- Faults: {happened or 'none'}. Connections that browsers lost, by close code: "
        f"{codes or 'none'}.\n"
        f"- Time from the end of the faults until all browsers were connected and had a price for "
        f"each of their rooms: {_after(result.here_after)}. Time from then until each browser "
        f"showed the newest price of each of its rooms: {_after(result.right_after)}.\n"
        f"- Prices that arrived after a newer one on the same page: {crowd['backward']}. Rooms in "
        f"which a new page began with an older price than the visitor's previous page had shown: "
        f"{crowd['behind']}.\n"
        f"- Connections to the vendor at any one time: at most {result.connections_most}.\n"
        f"- Time from the end of the last visit until sockets and tasks were back at their start "
        f"values: {_after(result.back_after)}."
    )


def _after(seconds: float | None) -> str:
    return "**never**" if seconds is None else f"{seconds:.0f} s"


def _line(result: Result, name: str) -> list[str]:
    own = [sample for sample in result.samples if sample.name == name]
    slope = slope_of(result.samples, name, warm_up_of(result))
    return [
        name,
        f"{own[0].rss_kb / 1024:.0f} – {max(sample.rss_kb for sample in own) / 1024:.0f}",
        *_slope(slope),
        str(max(sample.files for sample in own)),
        _there_and_back(result, name, own, "sockets"),
        _there_and_back(result, name, own, "tasks"),
    ]


def _slope(slope: Slope | None) -> tuple[str, str]:
    if slope is None:
        return "–", ""
    text = f"{slope.kb_per_minute:+.1f} ± {figures(slope.error)}"
    return text, "flat" if slope.is_flat else "grows"


def _there_and_back(result: Result, name: str, own: Sequence[Sample], what: str) -> str:
    def of(samples: Sequence[Sample]) -> str:
        values = [getattr(sample, what) for sample in samples if sample.name == name]
        return str(values[0]) if values and values[0] is not None else "–"

    most = max(getattr(sample, what) or 0 for sample in own)
    return f"{of(result.start)} → {of(result.end)} ({most})"


def write(result: Result, *, page: Path = PAGE, image: Path = IMAGE) -> None:
    """Replace figures and drawing in the page."""
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_text(drawing(result))
    link = f"![Memory of each process in a soak](images/{image.name})"
    write_section(page, "soak", f"{link}\n\n{text_of(result)}")


def drawing(result: Result) -> str:
    """Return a plot of the memory of each process over time, with the faults."""
    curves = [
        Line(
            name,
            [
                (sample.at / 60, sample.rss_kb / 1024)
                for sample in result.samples
                if sample.name == name
            ],
            _KINDS.get(name, "tutorial"),
        )
        for name in names(result.samples)
    ]
    heavy = ("killed", "restarts")
    marks = [Mark(fault.at / 60, is_heavy=fault.kind.endswith(heavy)) for fault in result.faults]
    subtitle = "resident MB; grey lines are faults, the longer ones kills and restarts"
    return timeline("Memory of each process", subtitle, "minutes", curves, marks)
