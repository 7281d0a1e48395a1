"""Inputs nobody would send on purpose, by the hundred thousand.

``make fuzz`` runs all of it and writes the table of ``docs/reliability.md``. Three
targets: ``protocol.parse``, the browsers' socket, and the vendor's. Each takes inputs
that a seed and a number make, so that any of them can be had again; the tests run a
few thousand of the same.
"""

from __future__ import annotations
