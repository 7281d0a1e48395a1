"""Half an hour of everything that can go wrong, and what it leaves behind.

``make soak`` runs a site of real processes (a vendor, Redis, the stream, two web
servers, 200 browsers that come and go) under faults drawn from a seed, weighs each
process every five seconds, and writes what it found into ``docs/reliability.md``. It
needs Linux (``/proc``), ``redis-server`` and the ``bench`` extra.
"""

from __future__ import annotations
