"""The answers of the vendor's REST API, in each of its forms, and what is none."""

from __future__ import annotations

import json
import math
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, strategies as st

from django_fcs.candles.answers import ROWS_MAX, Answer, RefusalKind, Refused, read_answer
from django_fcs.candles.bars import Bar
from django_fcs.exceptions import FCSError
from django_fcs.protocol.address import RestAddress

from .vendors import the_history

NOW = 1_764_576_100.0
T = 1_764_576_000
ADDRESS = RestAddress("https://vendor.example/", "a-secret-key")

BAR = Bar(T, 1.08, 1.09, 1.07, 1.085, 12.5)
TINY = Bar(T - 60, 0.00000123, 0.00000124, 0.00000123, 0.00000124, None)


def read(
    said: object, *, status: int = 200, headers: dict[str, str] | None = None, timeframe: str = "1"
) -> Answer:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return read_answer(
        body, status=status, headers=headers or {}, address=ADDRESS, timeframe=timeframe, now=NOW
    )


def refused(said: object, **how: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        read(said, **how)
    assert isinstance(caught.value, FCSError)
    return caught.value


# -- candles


def named(bar: Bar) -> dict[str, object]:
    return {**bar._asdict(), "tm": "2025-12-01 08:00:00"}


def texts(bar: Bar) -> dict[str, object]:
    return {name: str(value) for name, value in named(bar).items()}


FORMS: dict[str, object] = {
    "arrays": [list(BAR), list(TINY)],
    "arrays of texts": [[str(value) for value in BAR], ["1764575940", *map(str, TINY[1:5])]],
    "objects by time": {str(bar.t): named(bar) for bar in (BAR, TINY)},
    "objects by time alone": {
        str(bar.t): {name: value for name, value in named(bar).items() if name != "t"}
        for bar in (BAR, TINY)
    },
    "objects of texts": {str(bar.t): texts(bar) for bar in (TINY, BAR)},
    "array of objects": [named(TINY), named(BAR)],
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_read(form: str) -> None:
    answer = read(the_history(FORMS[form]))

    assert sorted(answer.bars) == [TINY, BAR]
    assert answer.dropped == 0


@pytest.mark.parametrize("nothing", [None, [], {}, "", False])
def test_an_answer_without_candles_is_no_refusal(nothing: object) -> None:
    assert read(the_history(nothing)) == Answer([], 0, None, None)


@pytest.mark.parametrize(
    "row",
    [
        [T, 1.08, 1.07, 1.09, 1.08, 1],  # h < l
        [T, 1.2, 1.09, 1.07, 1.08, 1],  # o outside of h..l
        [T, 1.08, 1.09, 1.07, "NaN", 1],
        [T, "nan", "nan", "nan", "nan", 1],
        [T, "inf", "inf", "inf", "inf", 1],
        [T, 1e300, 1e300, 1e300, 1e300, 1],
        [1000 * T, *BAR[1:]],  # milliseconds
        [T + 86_400, *BAR[1:]],
        [T + 0.5, *BAR[1:]],
        [-T, *BAR[1:]],
        [str(T), True, True, True, True],
        [T, None, 1.09, 1.07, 1.085],
        *([T], [], {}, None, "x", 7, True, [[]], {"t": T}, {"o": 1}),
    ],
)
def test_a_candle_that_cannot_be_true_is_dropped_and_counted(row: object) -> None:
    answer = read(the_history([list(BAR), row]))

    assert (answer.bars, answer.dropped) == ([BAR], 1)


def test_a_volume_that_cannot_be_true_costs_no_candle() -> None:
    answer = read(the_history([[*BAR[:5], "many"], [*TINY[:5], -1]]))

    assert answer.bars == [BAR._replace(v=None), TINY]


def test_an_answer_of_which_nothing_can_be_true_is_no_empty_one() -> None:
    refusal = refused(the_history([[1000 * T, *BAR[1:]]] * 300))

    assert refusal.kind is RefusalKind.MALFORMED and refusal.may_cost
    assert str(refusal) == "vendor.example sent 300 candles, none of which can be true"


def test_of_too_many_candles_the_newest_are_read() -> None:
    rows = [[T - 60 * age, *BAR[1:]] for age in range(ROWS_MAX + 5)]
    answer = read(the_history(rows))

    assert (len(answer.bars), answer.dropped) == (ROWS_MAX, 5)
    assert {bar.t for bar in answer.bars} == {row[0] for row in rows[:ROWS_MAX]}


_ROWS = st.lists(
    st.one_of(
        st.just(list(BAR)),
        st.lists(st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=5)), max_size=8),
        st.dictionaries(st.sampled_from("tohlcv"), st.one_of(st.floats(), st.integers())),
        st.recursive(st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=3),
    ),
    max_size=8,
)


@given(_ROWS)
def test_every_candle_is_read_or_dropped(rows: list[Any]) -> None:
    try:
        answer = read(the_history([list(BAR), *rows]))
    except Refused as refusal:  # To JSON, NaN and infinity are malformed.
        assert refusal.kind is RefusalKind.MALFORMED
        return

    assert len(answer.bars) + answer.dropped == len(rows) + 1
    assert all(bar.l <= bar.o <= bar.h and math.isfinite(bar.c) for bar in answer.bars)


# -- credits and the clock of the vendor

NO_CLOCKS: list[object] = [
    *(0, 1000 * T, True, "yesterday", "", None, [], 1e300, 10**400, "9" * 5000, "2019-01-01"),
    "0000-00-00 00:00:00",
]


@pytest.mark.parametrize(
    ("said", "credits"),
    [
        *[(3, 3), ("3", 3), (0, 0), (10_000, 10_000)],
        *[(said, None) for said in (-1, 10_001, 1.5, True, "x", None, [3], 10**30, "9" * 5000)],
    ],
)
def test_credits_are_read_within_bounds(said: object, credits: int | None) -> None:
    assert read(the_history([], credit_count=said)).credits == credits


@pytest.mark.parametrize(
    ("said", "at"),
    [
        *[(T, T), (str(T), T), (T + 0.5, T + 0.5)],
        *[("2025-12-01 08:00:00 UTC", T), ("2025-12-01 08:00:00", T)],
        *[(said, None) for said in NO_CLOCKS],
    ],
)
def test_the_clock_of_the_vendor_is_read_in_both_forms(said: object, at: float | None) -> None:
    assert read(the_history([], server_time=said)).server_time == at


def test_what_is_no_object_says_nothing_of_them() -> None:
    assert read({"status": True, "response": [], "info": "none"}) == Answer([], 0, None, None)


# -- refusals


def no(msg: object = None, code: object = None) -> dict[str, object]:
    return {"status": False, "code": code, "msg": msg, "response": None}


@pytest.mark.parametrize(
    ("said", "status", "kind", "text"),
    [
        (no("Invalid access_key", 101), 200, "key", "refused FCS_REST_KEY with code 101: Invalid"),
        (no("Invalid access_key", 401), 401, "key", "refused FCS_REST_KEY with code 401"),
        (b"<html>", 401, "key", "refused FCS_REST_KEY with HTTP 401"),
        (no("No such account", 102), 200, "plan", "refused history to this account or its plan"),
        (no("No permission", 403), 403, "plan", "with code 403: No permission"),
        (no("Slow down", 429), 429, "rate", "refused more requests for history with code 429"),
        (no("Slow down", 429), 200, "rate", "with code 429: Slow down"),
        (b"", 429, "rate", "refused more requests for history with HTTP 429"),
        (no("Your monthly limit is reached", 211), 200, "rate", "with code 211"),
        (no("Unknown symbol"), 200, "symbol", "no history of this symbol with HTTP 200: Unknown"),
        (no("No record found", 113), 200, "symbol", "with code 113"),
        (no("Invalid period", "7"), 400, "timeframe", "in this timeframe with code 7"),
        (no("Out of luck", 7), 200, "room", "of this symbol with code 7: Out of luck"),
        (no("Invalid ticker", 113), 200, "room", "of this symbol with code 113: Invalid ticker"),
        (no(["x"], True), 200, "room", "of this symbol with HTTP 200"),
        (no("Our database is down", 500), 500, "unavailable", "answered with code 500: Our"),
        (b"<html>", 502, "unavailable", "vendor.example answered with HTTP 502"),
        (b"<html>", 403, "unavailable", "answered with HTTP 403: the plan, or a proxy"),
        (b"<html>", 404, "unavailable", "answered with HTTP 404: correct FCS_REST_URL"),
        (b"", 308, "unavailable", "answered with HTTP 308: a redirect"),
        (b"", 204, "unavailable", "answered with HTTP 204"),
        (the_history([]), 500, "unavailable", "answered with code 200: Successfully"),
    ],
)
def test_each_refusal_is_told_apart(said: object, status: int, kind: str, text: str) -> None:
    refusal = refused(said, status=status)

    assert refusal.kind == kind and not refusal.may_cost
    assert str(refusal).startswith("vendor.example ") and text in str(refusal)
    assert refusal.public and "vendor" not in refusal.public
    assert refusal.retry_after is None


@pytest.mark.parametrize(
    ("said", "status", "is_certain"),
    [
        (no("Slow down", 429), 200, True),
        (no("No permission"), 403, True),
        (b"<html>", 401, True),
        (no("No data for CREDIT"), 200, False),
        (no("Unknown instrument"), 200, False),
    ],
)
def test_a_text_may_contain_an_invented_symbol_and_a_code_may_not(
    said: object, status: int, is_certain: bool
) -> None:
    assert refused(said, status=status).is_certain is is_certain


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (
            json.dumps(the_history([list(BAR)])).encode()[:-20],
            "JSON that is cut off, malformed or too long",
        ),
        (b"<html><body>Sign in</body></html>", "sent no JSON"),
        (b"", "sent no JSON"),
        (b"\xff\xfe", "sent no JSON"),
        (b"[" * 100_000, "cut off"),
        (b'{"status":true,"response":[[%s]]}' % (b"9" * 5000), "cut off, malformed"),
        (b'{"response":[]}', "cut off, malformed"),
        (b"[]", "cut off, malformed"),
        (b'{"status":true,"response":[%s]}' % b",".join([b"[]"] * 120_000), "or too long"),
        (b'{"status":true,"response":7}', "sent something other than candles"),
        (b'{"status":true,"response":"none"}', "sent something other than candles"),
    ],
)
def test_what_cannot_be_read_may_have_cost_credits(said: bytes, text: str) -> None:
    refusal = refused(said)

    assert refusal.kind is RefusalKind.MALFORMED and refusal.may_cost
    assert text in str(refusal)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "60"}, 60),
        ({"Retry-After": "9999999"}, 86_400),
        ({"Retry-After": formatdate(NOW + 90, usegmt=True)}, 90),
        ({"Retry-After": formatdate(90, usegmt=True), "Date": formatdate(0, usegmt=True)}, 90),
        *[({"Retry-After": said}, None) for said in ("0", "soon", "-5", "")],
    ],
)
@pytest.mark.parametrize("said", [no("Slow down", 429), b"<html>"])
def test_the_pause_that_is_asked_for_is_kept_for_a_day_at_most(
    said: object, headers: dict[str, str], seconds: float | None
) -> None:
    refusal = refused(said, status=429, headers=headers)

    assert refusal.retry_after == seconds
    assert (f"asked to wait for {seconds} s" in str(refusal)) is (seconds is not None)


def test_what_the_vendor_says_is_one_short_line_without_the_key() -> None:
    said = "Invalid access_key a-secret-key\n\x1b[2J at https://me:pw@h " + "x" * 999
    refusal = refused(no(said))

    assert "\n" not in str(refusal) and "\x1b" not in str(refusal) and len(str(refusal)) < 300
    assert "a-secret-key" not in str(refusal) and "pw@" not in str(refusal)
    assert "Invalid access_key [key]" in str(refusal)


@given(st.binary(max_size=200), st.integers(100, 599))
def test_any_bytes_are_an_answer_or_a_refusal(body: bytes, status: int) -> None:
    try:
        read(body, status=status)
    except Refused as refusal:
        assert len(str(refusal)) < 400 and str(refusal).isprintable()
