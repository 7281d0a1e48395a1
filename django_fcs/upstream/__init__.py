"""The vendor's socket, usable without a site: ``UpstreamClient`` and what it yields."""

from __future__ import annotations

from .arrivals import Arrival, Status, Timing
from .client import UpstreamClient

__all__ = ["Arrival", "Status", "Timing", "UpstreamClient"]
