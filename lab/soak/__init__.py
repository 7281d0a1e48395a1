"""A soak test: half an hour of random faults, and what they leave behind.

``make soak`` runs a site of real processes: a vendor, Redis, the stream, two web servers
and 200 browsers that come and go. It injects faults drawn from a seed, measures each
process every five seconds, and writes the results into ``docs/reliability.md``. It needs
Linux (``/proc``), ``redis-server`` and the ``bench`` extra.
"""

from __future__ import annotations
