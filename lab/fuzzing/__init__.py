"""Fuzzing: hundreds of thousands of malformed inputs.

``make fuzz`` runs everything and writes the table of ``docs/reliability.md``. There are
five targets: ``protocol.parse``, the browsers' socket, the vendor's socket, values on their
way from the vendor to a template tag, and the elements in a browser. A seed and a number
determine an input, so each one can be repeated. The tests run a few thousand of the same
inputs.
"""

from __future__ import annotations
