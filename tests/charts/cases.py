"""Write the drawings of ``cases.json`` again: ``python -m tests.charts.cases``.

The names, bars and options stay; read in the diff what has changed. The script of the chart is
tested with the same file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django_fcs.charts.clocks import Session
from django_fcs.charts.geometry import Frame, Row, plan_of

__all__ = ["CASES", "FILE", "drawn"]

FILE = Path(__file__).with_name("cases.json")
CASES: list[dict[str, Any]] = json.loads(FILE.read_text())


def drawn(case: dict[str, Any]) -> dict[str, Any]:
    """Return what the bars of a case become, as JSON has it."""
    options = dict(case["options"])
    if session := options.pop("session", None):
        options["session"] = Session(session[0], session[1], ZoneInfo(session[2]))
    missing, repaired = options.pop("missing", []), options.pop("repaired", [])
    plan = plan_of([Row(*bar) for bar in case["bars"]], Frame(**options), missing, repaired)
    shown = {"paths": plan.paths, "holes": plan.holes, "repaired": plan.repaired}
    return dict(json.loads(json.dumps(shown)))


def _written(case: dict[str, Any]) -> str:
    parts = {**case, **drawn(case)}.items()
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(part)}" for name, part in parts)
    return f"{{\n{lines}\n}}"


if __name__ == "__main__":
    FILE.write_text("[\n" + ",\n".join(map(_written, CASES)) + "\n]\n")
