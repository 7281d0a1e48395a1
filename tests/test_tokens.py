"""Tokens: what proves that the site rendered a symbol."""

from __future__ import annotations

import pytest
from django.core.signing import TimestampSigner
from django.test import override_settings
from hypothesis import given, strategies as st

from django_fcs.exceptions import BadSymbol
from django_fcs.tokens import TokenState, make_token, standing_of, token_is_valid

pytestmark = pytest.mark.versions

SYMBOLS = ["FX:EURUSD", "NYSE:BRK.B", "NSE:M&M", "BINANCE:币安人生USDT"]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [1_700_000_000.0]
    monkeypatch.setattr("django.core.signing.time.time", lambda: clock[0])
    return clock


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_token_opens_the_symbol_it_was_made_for_and_no_other(symbol: str) -> None:
    token = make_token(symbol)

    assert token_is_valid(token, symbol)
    assert not any(token_is_valid(token, other) for other in SYMBOLS if other != symbol)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_token_says_nothing_of_the_secret_or_the_symbol(symbol: str) -> None:
    token = make_token(symbol)

    assert symbol not in token
    assert token.replace("-", "").replace("_", "").isalnum()


def test_a_token_is_the_same_at_each_rendering_so_that_pages_can_be_cached() -> None:
    assert make_token("FX:EURUSD") == make_token("FX:EURUSD")


def test_no_token_is_made_for_what_is_no_symbol() -> None:
    with pytest.raises(BadSymbol):
        make_token("eurusd")


@given(token=st.text(), symbol=st.text())
def test_no_made_up_token_is_valid_and_none_raises(token: str, symbol: str) -> None:
    assert not token_is_valid(token, symbol)


def test_a_token_of_another_secret_is_not_valid() -> None:
    with override_settings(SECRET_KEY="another"):
        token = make_token("FX:EURUSD")

    assert not token_is_valid(token, "FX:EURUSD")


def test_a_new_token_has_the_secret_of_the_moment() -> None:
    before = make_token("FX:EURUSD")
    with override_settings(SECRET_KEY="another"):
        assert make_token("FX:EURUSD") != before
        assert token_is_valid(make_token("FX:EURUSD"), "FX:EURUSD")
    assert make_token("FX:EURUSD") == before


def test_a_token_outlives_the_change_of_the_secret_while_the_old_one_is_a_fallback() -> None:
    token = make_token("FX:EURUSD")

    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["tests"]):
        assert token_is_valid(token, "FX:EURUSD")


def test_what_the_site_signs_for_other_ends_is_no_token() -> None:
    signed = TimestampSigner().sign("FX:EURUSD")

    assert not token_is_valid(signed[len("FX:EURUSD:") :], "FX:EURUSD")


@override_settings(FCS_TOKEN_MAX_AGE_SECONDS=60)
def test_a_dated_token_is_valid_until_its_age(now: list[float]) -> None:
    token = make_token("FX:EURUSD")

    assert token_is_valid(token, "FX:EURUSD")
    now[0] += 60
    assert token_is_valid(token, "FX:EURUSD")
    now[0] += 1
    assert not token_is_valid(token, "FX:EURUSD")


@override_settings(FCS_TOKEN_MAX_AGE_SECONDS=60)
def test_how_a_dated_token_stands_and_when_it_was_signed(now: list[float]) -> None:
    token = make_token("FX:EURUSD")
    now[0] += 30
    assert standing_of(token, "FX:EURUSD") == (TokenState.VALID, 1_700_000_000)
    now[0] += 31
    assert standing_of(token, "FX:EURUSD") == (TokenState.EXPIRED, 1_700_000_000)
    for wrong in (token[:-1], f"z{token}", "made up", "::", token.partition(":")[2]):
        assert standing_of(wrong, "FX:EURUSD") == (TokenState.WRONG, None)
    with override_settings(SECRET_KEY="another"):
        assert standing_of(token, "FX:EURUSD") == (TokenState.WRONG, None)


@pytest.mark.parametrize("age", [None, 60])
def test_how_a_token_stands_that_is_missing_or_of_another_symbol(age: int | None) -> None:
    with override_settings(FCS_TOKEN_MAX_AGE_SECONDS=age):
        token = make_token("FX:EURUSD")
        assert standing_of(token, "FX:EURUSD").state is TokenState.VALID
        assert standing_of(None, "FX:EURUSD") == standing_of("", "FX:EURUSD")
        assert standing_of(None, "FX:EURUSD") == (TokenState.MISSING, None)
        assert standing_of(token, "FX:USDJPY") == (TokenState.WRONG, None)
        assert standing_of(f"EURUSD:{token}", "FX") == (TokenState.WRONG, None)


# "EURUSD" reads as a date in base 62 that lies ahead, "BRK.B" as none at all.
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_an_undated_token_is_not_valid_once_tokens_have_an_age(symbol: str) -> None:
    token = make_token(symbol)

    with override_settings(FCS_TOKEN_MAX_AGE_SECONDS=60):
        assert not token_is_valid(token, symbol)


def test_a_dated_token_does_not_become_an_undated_one() -> None:
    with override_settings(FCS_TOKEN_MAX_AGE_SECONDS=60):
        token = make_token("FX:EURUSD")

    assert not token_is_valid(token, "FX:EURUSD")
