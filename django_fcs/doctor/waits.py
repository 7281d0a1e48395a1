"""How long the probes wait."""

from __future__ import annotations

from dataclasses import dataclass

from django_fcs.operations.status import HEARTBEAT_SECONDS

__all__ = ["PATIENT", "Waits"]


@dataclass(frozen=True)
class Waits:
    """Limits of single waits, in seconds; shorter than ``probe``, the limit of a whole probe."""

    probe: float = 25.0
    connect: float = 5.0
    """For a connection to the vendor."""
    first: float = 2.0
    """For a connection to the first of several addresses."""
    welcome: float = 6.0
    """For the welcome of the vendor, or of the site."""
    price: float = 8.0
    layer: float = 22.5
    """For all calls of the channel layer, and for the other process that sends."""
    hear: float = 2.0
    """For a message from the channel layer."""
    ask: float = 20.0
    """For another process of the site, which imports the whole site first."""
    heartbeat: float = HEARTBEAT_SECONDS
    """For the next heartbeat in the cache."""


PATIENT = Waits()
