"""The pauses between two attempts to connect to the vendor."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from http import HTTPStatus

from django_fcs.exceptions import FailureKind, UpstreamError
from django_fcs.tools.backoff import doubling, full_jitter

from .arrivals import Timing

__all__ = ["Retries"]


class Retries:
    """How long to wait after each failure; longer if the server asked for it.

    Random pauses follow most failures. Doubling ones follow a refused key, HTTP 403 and HTTP
    407, because they rarely end by themselves.
    """

    def __init__(self, timing: Timing, rng: random.Random, monotonic: Callable[[], float]) -> None:
        self._timing = timing
        self._rng = rng
        self._monotonic = monotonic
        self._asked_until = -math.inf
        self.restart()

    def restart(self) -> None:
        """Start with the shortest pauses again; what the server asked for stays valid."""
        timing = self._timing
        self._pauses = {
            FailureKind.KEY_REFUSED: doubling(first=timing.refused_first, cap=timing.refused_cap),
            FailureKind.FORBIDDEN: doubling(first=timing.forbidden_first, cap=timing.refused_cap),
        }
        self._others = full_jitter(self._rng, first=timing.retry_first, cap=timing.retry_cap)

    def after(self, error: UpstreamError, *, lasted: float) -> float:
        """Return the pause after a failure; ``lasted`` is how long the connection existed."""
        if lasted > self._timing.settled:
            self.restart()
        self._asked_until = self._monotonic() + error.retry_after
        wants_password = error.code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
        kind = FailureKind.FORBIDDEN if wants_password else error.kind
        return max(next(self._pauses.get(kind, self._others)), error.retry_after)

    @property
    def asked(self) -> float:
        """Seconds for which the server still asked not to connect."""
        return max(0.0, self._asked_until - self._monotonic())
