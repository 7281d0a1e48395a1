"""What it costs to bring prices to many browsers: this project beside its peers.

``python -m lab.benchmarks`` measures everything, ``python -m lab.benchmarks --help`` says the
rest. It needs Linux (``/proc``), ``redis-server``, the ``bench`` extra, and for one of
the peers Node.
"""

from __future__ import annotations
