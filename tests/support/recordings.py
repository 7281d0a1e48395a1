"""Where real ticks lie, as frames of FCS v4; they are not the project's to give away."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("FCS_RECORDINGS", Path(__file__).parents[3] / "shared" / "data"))
FILES = sorted(DATA.glob("*.jsonl"))
