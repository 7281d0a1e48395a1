"""What counts against a page, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lab.kit.markdown import table

from .cases import Case

__all__ = ["KINDS", "Finding", "Seen", "findings", "overview", "told"]

#: What is counted, in the order of the table. ``failed``: the case could not be examined.
KINDS = ("shift", "overflow", "axe", "policy", "console", "foreign", "error", "failed")

#: The smallest sum of layout shift that counts: a hundredth of what Chromium calls good. A busy
#: machine may paint a row before it has read all of it.
_SHIFT = 0.001
_EXAMPLES = 4


@dataclass(frozen=True)
class Seen:
    """What a browser saw in one case.

    Args:
        shift: The sum of all layout shift without input.
        texts: For each other kind, what was found; for ``shift``, the elements that moved.
    """

    case: Case
    shift: float
    texts: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Finding:
    case: Case
    kind: str
    text: str


def findings(seen: Seen) -> list[Finding]:
    """Return what counts against the page: one finding of shift, and each other text once."""
    found = []
    if seen.shift >= _SHIFT:
        moved = ", ".join(_few(seen.texts.get("shift", ())))
        found.append(Finding(seen.case, "shift", f"{seen.shift:.4f} by {moved}"))
    for kind in KINDS[1:]:
        texts = dict.fromkeys(seen.texts.get(kind, ()))
        found += [Finding(seen.case, kind, text) for text in texts]
    return found


def overview(everything: Sequence[Seen]) -> str:
    """Return a table with a line for each page."""
    head = ["page", "cases", "largest shift", "examined by axe", *KINDS]
    lines = []
    for page in dict.fromkeys(seen.case.page for seen in everything):
        own = [seen for seen in everything if seen.case.page == page]
        found = [finding.kind for seen in own for finding in findings(seen)]
        examined = sum(seen.case.is_examined for seen in own)
        counts = (str(found.count(kind)) for kind in KINDS)
        shift = f"{max(seen.shift for seen in own):.4f}"
        lines.append([f"`{page}`", str(len(own)), shift, str(examined), *counts])
    return table(head, lines)


def told(found: Iterable[Finding]) -> list[str]:
    """Return a line for each thing that is wrong, with the cases in which it is."""
    places: dict[tuple[str, str, str], list[Case]] = {}
    for finding in found:
        # The size of a shift differs from run to run: what moves is the same.
        text = finding.text.partition(" by ")[2] if finding.kind == "shift" else finding.text
        places.setdefault((finding.case.page, finding.kind, text), []).append(finding.case)
    return [
        f"{page} {kind}: {text}\n    in {len(cases)}: {'; '.join(_few(map(_place, cases)))}"
        for (page, kind, text), cases in places.items()
    ]


def _place(case: Case) -> str:
    return case.place


def _few(texts: Iterable[str]) -> list[str]:
    different = list(dict.fromkeys(texts))
    more = [] if len(different) <= _EXAMPLES else [f"and {len(different) - _EXAMPLES} more"]
    return different[:_EXAMPLES] + more
