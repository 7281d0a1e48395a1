"""Measure what the candles of many rooms need in memory, and how long pages of REST take.

::

    python -m lab.benchmarks.candles
"""

from __future__ import annotations

import os

import django

from lab.kit.terminal import say

from .measure import measure

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "lab.kit.settings"
    django.setup()
    for name, value in measure(rooms=500, keep=600, rows=10_000).items():
        say(f"{name}={value:.4g}")
