"""Benchmarks: the cost of sending prices to many browsers, with this project and its peers.

``python -m lab.benchmarks`` measures everything; ``--help`` lists the other commands. It
needs Linux (``/proc``), ``redis-server``, the ``bench`` extra, and Node for one of the peers.
"""

from __future__ import annotations
