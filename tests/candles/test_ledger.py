"""The limits of the plan, over months, restarts, smaller settings and clocks that are set."""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from django_fcs.candles.ledger import Account, Ledger

DAY = 86_400.0


def unix(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=timezone.utc).timestamp()


NOW = unix(2026, 11, 16)  # in the middle of a month of 30 days
DECEMBER = unix(2026, 12, 1)
OPEN = Account("2026-11", 0, (), 0.0, "", 1)


def ledger(account: Account | None = OPEN, now: float = NOW, **limits: Any) -> Ledger:
    return Ledger(account, now=now, **{"per_minute": 3, "per_month": 500, "epoch": 2, **limits})


# -- the minute


def test_a_minute_has_as_many_requests_as_the_plan_allows() -> None:
    one = ledger()
    for second in range(3):
        assert one.wait(6, NOW + second) == 0
        one.reserve(6, NOW + second)

    assert one.wait(6, NOW + 3) == 58
    assert one.why(6, NOW + 3) == "the requests of this minute are used: wait for 58 s"
    with pytest.raises(ValueError, match="requests of this minute"):
        one.reserve(6, NOW + 3)
    assert one.wait(6, NOW + 61) == 0 and one.why(6, NOW + 61) == ""
    assert len(one.account.asked) == 2


def test_a_successor_knows_the_requests_of_the_minute() -> None:
    first = ledger()
    for second in range(3):
        first.reserve(1, NOW + second)

    next_one = ledger(first.account, NOW + 10, epoch=7)
    assert next_one.account.epoch == 7 and next_one.account.spent == 3
    assert next_one.wait(1, NOW + 10) == 51
    assert ledger(first.account, NOW + 10, per_minute=1).wait(1, NOW + 10) == 53


@pytest.mark.parametrize(("known", "epoch"), [(1, 7), (7, 8), (900, 901), (2**60, 7)])
def test_a_successor_writes_under_a_later_epoch_than_the_account_has(
    known: int, epoch: int
) -> None:
    assert ledger(replace(OPEN, epoch=known), epoch=7).account.epoch == epoch


# -- the month


def test_credits_are_reserved_first_and_counted_as_they_were_used() -> None:
    one = ledger()
    one.reserve(100, NOW)
    assert (one.left, one.account.spent) == (400, 100)
    one.settle(100, 3)
    assert (one.left, one.account.spent) == (497, 3)
    one.settle(100, 0)
    assert one.account.spent == 3


def test_a_month_that_is_used_up_ends_with_the_calendars() -> None:
    one = ledger(per_month=10)
    one.reserve(8, NOW)

    assert one.wait(2, NOW) == 0
    assert one.wait(3, NOW) == DECEMBER - NOW
    assert one.why(3, NOW) == "the credits of this month are used: wait until 2026-12-01"
    assert one.wait(2, DECEMBER) == 0
    assert one.account.month == "2026-12" and one.account.spent == 8  # not settled yet
    one.settle(8, 5)
    assert one.account.spent == 5
    assert ledger(one.account, unix(2027, 1, 1)).left == 500


def test_a_request_that_no_month_can_pay_is_told() -> None:
    one = ledger(per_month=10)

    assert one.wait(11, NOW) > 0
    assert one.why(11, NOW) == "this takes 11 credits, and the plan has 10 a month"


def test_without_an_account_the_month_up_to_now_counts_as_spent() -> None:
    assert ledger(None).account == Account("2026-11", 250, (), 0.0, "", 2)
    assert ledger(None, unix(2026, 11, 1)).account.spent == 0
    assert ledger(None, unix(2026, 11, 1) + 1).account.spent == 1
    assert ledger(None, DECEMBER - 1).left == 0
    assert ledger(None, unix(2024, 2, 15) + DAY / 2, per_month=29).account.spent == 15


# -- closing


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        (None, 3600),
        (NOW + 60, 60),
        (NOW + 1e9, DAY),
        (math.inf, DAY),
        *[(until, 3600) for until in (NOW, NOW - 5, math.nan, -math.inf)],
    ],
)
def test_a_refusal_closes_it_for_as_long_as_the_vendor_asks(
    until: float | None, seconds: float
) -> None:
    one = ledger()
    one.close(until, "the feed was asked for too much history", NOW)

    assert one.wait(1, NOW) == seconds
    assert one.why(1, NOW).startswith("the feed was asked for too much history: wait until 2026-")
    assert ledger(one.account, NOW + seconds - 1).wait(1, NOW + seconds - 1) == 1
    assert one.wait(1, NOW + seconds) == 0
    assert (one.account.closed_until, one.account.reason) == (0.0, "")


def test_of_two_refusals_the_longer_closes_it() -> None:
    one = ledger()
    one.close(NOW + 7200, "long\n" + "x" * 999, NOW)
    one.close(None, "short", NOW)

    assert one.wait(1, NOW) == 7200
    assert one.account.reason.startswith("long\\n") and len(one.account.reason) <= 200


def test_a_ledger_is_closed_by_a_refusal_or_an_empty_plan_and_not_by_a_busy_minute() -> None:
    one = ledger(per_minute=1, per_month=2)
    one.reserve(1, NOW)
    assert one.wait(1, NOW) and not one.is_closed(NOW)
    one.reserve(1, NOW + 61)
    assert one.is_closed(NOW + 61)
    one.settle(2, 0)
    one.close(NOW + 600, "the feed was asked for too much history", NOW + 61)

    assert one.is_closed(NOW + 599) and not one.is_closed(NOW + 600)


# -- accounts from outside, and clocks


@pytest.mark.parametrize("month", ["", "2027-01", "2026-13", "9999-99", "x" * 999, "٢٠٢٦-١١"])
def test_an_account_of_no_month_that_has_been_counts_like_none(month: str) -> None:
    one = ledger(replace(OPEN, month=month, spent=7))

    assert (one.account.month, one.account.spent) == ("2026-11", 257)
    assert ledger(replace(OPEN, month=month, spent=10**9)).left == 0


def test_a_month_that_begins_tomorrow_is_believed_because_clocks_differ() -> None:
    eve = DECEMBER - 5
    one = ledger(replace(OPEN, month="2026-12", spent=7), eve)

    assert (one.account.month, one.left) == ("2026-12", 493)
    assert one.wait(1, DECEMBER) == 0 and one.left == 493


def test_a_clock_that_was_a_year_ahead_closes_nothing_for_a_year() -> None:
    today = unix(2026, 11, 2)
    future = today + 366 * DAY
    one = ledger(None, future)
    for _ in range(3):
        one.reserve(1, future)
    one.close(future + DAY, "asked to wait", future)

    assert one.wait(1, today) == DAY
    assert one.account.month == "2026-11" and one.account.asked == (today,) * 3
    assert one.wait(1, today + DAY) == 0


_BAD = st.one_of(st.floats(), st.floats(NOW - 100, NOW + 100))


@given(
    st.builds(
        Account,
        month=st.one_of(st.text(max_size=8), st.sampled_from(["2026-11", "2026-12", "2020-01"])),
        spent=st.integers(),
        asked=st.lists(_BAD, max_size=5).map(tuple),
        closed_until=_BAD,
        reason=st.text(),
        epoch=st.integers(),
    )
)
def test_no_account_raises_and_each_has_a_way_back(account: Account) -> None:
    one = ledger(account)

    assert 0 <= one.left <= 500 and 0 <= one.wait(1, NOW) <= DECEMBER - NOW
    assert one.why(1, NOW).isprintable()
    assert all(NOW - 61 < at <= NOW for at in one.account.asked)
    assert 0 <= one.account.closed_until <= NOW + DAY
    assert one.wait(1, DECEMBER) == 0
    one.reserve(1, DECEMBER)


class Plan(RuleBasedStateMachine):
    """A vendor who counts, and leaders who take over from each other with smaller settings."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.limits = {"per_minute": 3, "per_month": 50}
        self.ledger = ledger(None, self.now, **self.limits)
        self.times: list[float] = []
        self.spent: Counter[str] = Counter()
        self.open: list[int] = []

    @rule(seconds=st.sampled_from([0.0, 1.0, 20.0, 59.0, 59.9, 60.5, 61.0, 5 * DAY]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(seconds=st.sampled_from([-1.0, 0.0, 1.0]))
    def month_ends(self, seconds: float) -> None:
        date = datetime.fromtimestamp(self.now, timezone.utc)
        years, month = divmod(date.month, 12)
        self.now = max(self.now, unix(date.year + years, month + 1, 1) + seconds)

    @rule(credits=st.sampled_from([1, 10, 24, 25, 50, 51]))
    def ask(self, credits: int) -> None:
        wait = self.ledger.wait(credits, self.now)
        assert (wait > 0) is bool(self.ledger.why(credits, self.now))
        if wait:
            with pytest.raises(ValueError, match="a request of"):
                self.ledger.reserve(credits, self.now)
            return
        assert credits <= self.ledger.left
        self.ledger.reserve(credits, self.now)
        self.times.append(self.now)
        self.open.append(credits)
        last_minute = [at for at in self.times if at >= self.now - 60]
        assert len(last_minute) <= self.limits["per_minute"]

    @rule()
    def wait_as_told(self) -> None:
        self.now += self.ledger.wait(1, self.now) + 0.001
        assert self.ledger.wait(1, self.now) == 0 or self.ledger.left == 0

    @precondition(lambda self: self.open)
    @rule(part=st.floats(0, 1), data=st.data())
    def answer(self, part: float, data: st.DataObject) -> None:
        """The vendor counts a request when it answers, in any order."""
        reserved = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        used = round(reserved * part)
        self.spent[f"{datetime.fromtimestamp(self.now, timezone.utc):%Y-%m}"] += used
        self.ledger.wait(1, self.now)
        self.ledger.settle(reserved, used)

    @rule(until=st.one_of(st.none(), st.floats(0, 1000)))
    def refuse(self, until: float | None) -> None:
        self.ledger.close(until and self.now + until, "no", self.now)
        assert self.ledger.wait(1, self.now) > 0

    @rule(per_minute=st.integers(1, 3), per_month=st.integers(1, 50), is_lost=st.booleans())
    def take_over(self, per_minute: int, per_month: int, is_lost: bool) -> None:
        """What the former leader had asked for is answered before it ends, or never."""
        if is_lost:
            self.open.clear()
        while self.open:
            reserved = self.open.pop()
            self.spent[f"{datetime.fromtimestamp(self.now, timezone.utc):%Y-%m}"] += reserved
            self.ledger.wait(1, self.now)
            self.ledger.settle(reserved, reserved)
        self.limits = {"per_minute": per_minute, "per_month": per_month}
        self.ledger = ledger(self.ledger.account, self.now, **self.limits)

    @invariant()
    def no_month_has_too_many_credits(self) -> None:
        assert all(spent <= 50 for spent in self.spent.values())


TestPlan = Plan.TestCase
