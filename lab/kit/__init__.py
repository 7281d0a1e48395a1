"""Code that benchmarks, soak and fuzzing share; it does not depend on any of them."""

from __future__ import annotations
