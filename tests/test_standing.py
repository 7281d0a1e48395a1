"""How the way to the vendor stands."""

from __future__ import annotations

from django_fcs.standing import Standing


def told(*news: tuple[float, bool]) -> Standing:
    standing = Standing(offline_after=10)
    for now, online in news:
        standing.take(online, "reason", "public", now)
    return standing


def test_before_the_first_attempt_has_ended_nothing_is_decided() -> None:
    assert not told().is_decided
    assert told((1, False)).is_decided


def test_prices_count_from_the_first_connection_on() -> None:
    assert told((100, False), (105, True)).heard_since == 105


def test_a_short_break_takes_nothing_from_the_prices_before_it() -> None:
    assert told((100, True), (200, False), (205, False), (210, True)).heard_since == 100


def test_after_a_long_break_the_prices_before_it_prove_nothing() -> None:
    assert told((100, True), (200, False), (205, False), (211, True)).heard_since == 211


def test_a_clock_that_was_put_back_is_a_long_break() -> None:
    assert told((5000, True), (5001, False), (1400, True)).heard_since == 1400


def test_what_was_told_last_is_told() -> None:
    standing = told((100, True), (200, False))

    assert (standing.online, standing.reason, standing.public) == (False, "reason", "public")
