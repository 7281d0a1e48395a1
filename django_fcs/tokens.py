"""Signed symbols, which prove that this site rendered a symbol for its visitors."""

from __future__ import annotations

import functools
from enum import Enum
from typing import NamedTuple

from django.conf import settings
from django.core import signing

from .conf import conf
from .rooms import check_symbol

__all__ = ["Standing", "TokenState", "make_token", "standing_of", "token_is_valid"]

_SALT = "django_fcs.tokens"

# A separate salt: without it, an undated token for "FX:EURUSD" would read as one for the
# symbol "FX", with "EURUSD" as a date in base 62.
_SALT_OF_DATED = "django_fcs.tokens.dated"


class TokenState(Enum):
    """How a token stands; the value is what a refusal says of the symbol.

    ``fcs-elements.js`` looks for the words "load the page again".
    """

    MISSING = "needs a token from this site, because no pattern of FCS_ALLOWED_SYMBOLS matches it"
    WRONG = "has a token that is not from this site: load the page again"
    EXPIRED = "has a token that has expired: load the page again"
    VALID = "has a valid token"


class Standing(NamedTuple):
    """How a token stands, and when this site signed it."""

    state: TokenState
    signed_at: int | None = None
    """Unix seconds; ``None`` if tokens have no age, or if this site did not sign it."""


def make_token(symbol: str) -> str:
    """Sign a symbol, for all its timeframes; dated if ``FCS_TOKEN_MAX_AGE_SECONDS`` is set.

    Never call it with an unchecked symbol from a request: anybody who has the token may
    join the room. Raises ``BadSymbol``.
    """
    check_symbol(symbol)
    if conf.FCS_TOKEN_MAX_AGE_SECONDS is None:
        return _undated(symbol, settings.SECRET_KEY)
    return _signature(_signer(), symbol)


# Pages show the same symbols, and their tokens differ only with the key.
@functools.lru_cache(maxsize=4096)
def _undated(symbol: str, key: str) -> str:
    return _signature(signing.Signer(key=key, salt=_SALT), symbol)


def _signature(signer: signing.Signer, symbol: str) -> str:
    return signer.sign(symbol)[len(symbol) + 1 :]


def standing_of(token: str | None, symbol: str) -> Standing:
    """Return how a token for a symbol stands now."""
    if not token:
        return Standing(TokenState.MISSING)
    signer = _signer()
    try:
        return _examine(signer, token, symbol)
    except (signing.BadSignature, ValueError):
        return Standing(TokenState.WRONG)


def _examine(signer: signing.Signer, token: str, symbol: str) -> Standing:
    signed = f"{symbol}{signer.sep}{token}"
    if not isinstance(signer, signing.TimestampSigner):
        is_ours = signer.unsign(signed) == symbol
        return Standing(TokenState.VALID if is_ours else TokenState.WRONG)
    if signer.unsign(signed) != symbol:
        return Standing(TokenState.WRONG)
    signed_at = signing.b62_decode(token.partition(signer.sep)[0])
    try:
        signer.unsign(signed, max_age=conf.FCS_TOKEN_MAX_AGE_SECONDS)
    except signing.SignatureExpired:
        return Standing(TokenState.EXPIRED, signed_at)
    return Standing(TokenState.VALID, signed_at)


def token_is_valid(token: str, symbol: str) -> bool:
    """Return whether this site signed the symbol, not longer ago than allowed."""
    return standing_of(token, symbol).state is TokenState.VALID


def _signer() -> signing.Signer:
    if conf.FCS_TOKEN_MAX_AGE_SECONDS is None:
        return signing.Signer(salt=_SALT)
    return signing.TimestampSigner(salt=_SALT_OF_DATED)
