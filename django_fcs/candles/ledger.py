"""What history costs: the credits of the month, the requests of the minute, and pauses.

All times are unix seconds and arguments. The ledger itself neither waits nor asks.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone

import msgspec
from msgspec.structs import replace

from django_fcs.prices.updates import EPOCH_AHEAD_SECONDS
from django_fcs.protocol.bounds import TIME_MAX
from django_fcs.tools.texts import one_line

__all__ = ["Account", "Ledger"]

#: The vendor counts the requests of 60 s by its own clock; its network may delay the first one.
MINUTE_SECONDS = 61.0

#: How long a refusal closes the ledger if the vendor does not say it, and at most.
CLOSED_SECONDS = 3600.0
CLOSED_MAX_SECONDS = 86_400.0

#: An account of the next month is believed this long before the month begins: clocks differ.
_EARLY_SECONDS = 86_400.0

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)

#: Bounds of what an account may say.
_ASKED_MAX = 1000
_SPENT_MAX = 10**12


class Account(msgspec.Struct, frozen=True):
    """What the ledger remembers, also across restarts."""

    month: str
    """The month of the calendar in UTC, such as ``2026-11``."""
    spent: int
    """The credits of the month that are spent or reserved."""
    asked: tuple[float, ...]
    """When the requests of the last minute were made, ascending."""
    closed_until: float
    """Until when nothing may be asked; 0 if the ledger is open."""
    reason: str
    """Why it is closed."""
    epoch: int
    """The epoch of the leader who wrote it."""

    def may_replace(self, stored: Account | None, now: float) -> bool:
        """Tell whether it may be stored: a leader from before writes over no account."""
        return stored is None or stored.epoch <= self.epoch or not stored.is_of_a_leader(now)

    def is_of_a_leader(self, now: float) -> bool:
        """Tell whether its epoch is one that the lease may have given."""
        return self.epoch <= (now + EPOCH_AHEAD_SECONDS) * 1000


class Ledger:
    """Decides when the vendor may be asked for history, so that no limit of the plan is exceeded.

    An account from outside is not trusted: wrong values are bounded. A time in the future,
    from a clock that was set back, counts as now.

    Args:
        account: What the last leader wrote. Without one, the part of the month's credits that
            belongs to the time since the month began counts as spent.
        per_minute: The most requests in a minute.
        per_month: The most credits in a month.
        now: The current time.
        epoch: The epoch of this leader. It counts as later than that of the account.
    """

    def __init__(
        self, account: Account | None, *, per_minute: int, per_month: int, now: float, epoch: int
    ) -> None:
        self._per_minute = per_minute
        self._per_month = per_month
        self._reserved = 0
        """Credits that are reserved and not settled yet."""
        if account is None:
            account = Account("", 0, (), 0.0, "", epoch)
        elif account.is_of_a_leader(now):
            epoch = max(epoch, account.epoch + 1)
        asked = sorted(at for at in account.asked if math.isfinite(at))[-_ASKED_MAX:]
        self.account = Account(
            month=account.month,
            spent=min(max(0, account.spent), _SPENT_MAX),
            asked=tuple(asked),
            closed_until=account.closed_until if math.isfinite(account.closed_until) else now,
            reason=one_line(account.reason),
            epoch=epoch,
        )
        self._bring_up_to(now)

    @property
    def left(self) -> int:
        """The credits of the month that are left."""
        return max(0, self._per_month - self.account.spent)

    def is_closed(self, now: float) -> bool:
        """Tell whether the month's credits are used up, or a refusal has closed the ledger."""
        self._bring_up_to(now)
        return not self.left or self.account.closed_until > now

    def wait(self, credits: int, now: float) -> float:
        """Return for how many seconds a request of so many credits has to wait; 0 if for none.

        More credits than those of a whole month are waited for again and again.
        """
        self._bring_up_to(now)
        account, until = self.account, [now, self.account.closed_until]
        if len(account.asked) >= self._per_minute:
            until.append(account.asked[-self._per_minute] + MINUTE_SECONDS)
        if credits > self.left:
            until.append(_end_of_month(now))
        return max(until) - now

    def why(self, credits: int, now: float) -> str:
        """Return for people why a request has to wait, and until when; "" if it has not."""
        seconds = self.wait(credits, now)
        if not seconds:
            return ""
        if credits > self._per_month:
            return f"this takes {credits} credits, and the plan has {self._per_month} a month"
        if credits > self.left:
            next_month = f"{_date_of(_end_of_month(now)):%Y-%m-%d}"
            return f"the credits of this month are used: wait until {next_month}"
        if self.account.closed_until > now:
            until = f"{_date_of(self.account.closed_until):%Y-%m-%d %H:%M} UTC"
            return f"{self.account.reason}: wait until {until}"
        return f"the requests of this minute are used: wait for {math.ceil(seconds)} s"

    def reserve(self, credits: int, now: float) -> None:
        """Count a request before it is made. Raises ``ValueError`` if it has to wait."""
        if credits < 1 or self.wait(credits, now):
            raise ValueError(f"a request of {credits} credits: {self.why(credits, now)}")
        self._reserved += credits
        account = self.account
        self._set(spent=account.spent + credits, asked=(*account.asked, now))

    def settle(self, reserved: int, used: int) -> None:
        """Count what a request has really cost; no other may be settled with its credits."""
        reserved = min(reserved, self._reserved)
        self._reserved -= reserved
        spent = self.account.spent - reserved + max(0, used)
        self._set(spent=min(max(0, spent), _SPENT_MAX))

    def close(self, until: float | None, reason: str, now: float) -> None:
        """Ask nothing until a time, a day at most; for an hour if it is ``None`` or over."""
        if until is None or not until > now:
            until = now + CLOSED_SECONDS
        until = min(until, now + CLOSED_MAX_SECONDS)
        if until > self.account.closed_until:
            self._set(closed_until=until, reason=one_line(reason))

    def _set(self, **changes: object) -> None:
        self.account = replace(self.account, **changes)

    def _bring_up_to(self, now: float) -> None:
        """Begin a new month, and forget what is over."""
        self._turn_month(now)
        account = self.account
        asked = tuple(min(at, now) for at in account.asked if at > now - MINUTE_SECONDS)
        closed = min(account.closed_until, now + CLOSED_MAX_SECONDS)
        if closed <= now:
            closed = 0.0
        if (asked, closed) != (account.asked, account.closed_until):
            reason = account.reason if closed else ""
            self._set(asked=asked, closed_until=closed, reason=reason)

    def _turn_month(self, now: float) -> None:
        known, month = self.account.month, _month_of(now)
        if known == month or month < known <= _month_of(now + _EARLY_SECONDS):
            return
        if _MONTH.fullmatch(known) and known < month:
            # An open request may be counted in the month in which it is answered.
            self._set(month=month, spent=self._reserved)
        else:
            # There was no account, or the clock was wrong when it was written.
            spent = self.account.spent + self._share(now)
            self._set(month=month, spent=min(spent, max(self._per_month, self.account.spent)))

    def _share(self, now: float) -> int:
        begin, end = _begin_of_month(now), _end_of_month(now)
        return math.ceil(self._per_month * (now - begin) / (end - begin))


def _date_of(now: float) -> datetime:
    return datetime.fromtimestamp(min(max(now, 0.0), TIME_MAX), timezone.utc)


def _month_of(now: float) -> str:
    return f"{_date_of(now):%Y-%m}"


def _begin_of_month(now: float) -> float:
    date = _date_of(now)
    return datetime(date.year, date.month, 1, tzinfo=timezone.utc).timestamp()


def _end_of_month(now: float) -> float:
    date = _date_of(now)
    years, month = divmod(date.month, 12)
    return datetime(date.year + years, month + 1, 1, tzinfo=timezone.utc).timestamp()
