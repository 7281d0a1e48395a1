"""Fuzzing: hundreds of thousands of malformed inputs.

``make fuzz`` runs everything and writes the table of ``docs/reliability.md``. There are
three targets: ``protocol.parse``, the browsers' socket, and the vendor's socket. A seed
and a number determine an input, so each one can be repeated. The tests run a few thousand
of the same inputs.
"""

from __future__ import annotations
