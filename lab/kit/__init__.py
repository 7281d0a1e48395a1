"""What benchmarks, soak and fuzzing have in common; it knows none of them."""

from __future__ import annotations
