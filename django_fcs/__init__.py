"""Live prices of the FCS API in Django templates."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
