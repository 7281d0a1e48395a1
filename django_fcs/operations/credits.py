"""What the stream may still ask of the vendor's history, for operators."""

from __future__ import annotations

from typing import Any, NamedTuple

from django_fcs.candles import ledger, reading
from django_fcs.conf import conf

__all__ = ["Credits", "read_credits"]


class Credits(NamedTuple):
    """The account of the vendor's REST API at one moment."""

    left: int
    """Credits of this month."""
    per_month: int
    closed_until: float | None
    """Until when the vendor may not be asked, in unix seconds; ``None`` if it may be."""
    reason: str
    """Why it may not be asked, for people; "" if it may be."""

    def as_json(self) -> dict[str, Any]:
        """Return what programs get."""
        return {
            "credits_left": self.left,
            "credits_per_month": self.per_month,
            "closed_until": self.closed_until,
            "reason": self.reason,
        }


def read_credits(now: float) -> Credits | None:
    """Return what the store knows of the account; ``None`` on a site without ``FCS_REST_KEY``.

    ``now`` is in unix seconds. Raises ``ConfigurationError``.
    """
    if not conf.FCS_REST_KEY:
        return None
    per_month = conf.FCS_REST_CREDITS_PER_MONTH
    accounted = ledger.Ledger(
        reading.candle_store().account(),
        per_minute=conf.FCS_REST_REQUESTS_PER_MINUTE,
        per_month=per_month,
        now=now,
        epoch=0,
    )
    wait = accounted.wait(1, now)
    return Credits(accounted.left, per_month, now + wait if wait else None, accounted.why(1, now))
