"""The compared servers; ``lab.benchmarks.table_of_peers`` lists them."""

from __future__ import annotations
