"""Signed symbols, which prove that this site rendered a symbol for its visitors."""

from __future__ import annotations

from django.core import signing

from .conf import conf
from .rooms import check_symbol

__all__ = ["make_token", "token_is_valid"]

_SALT = "django_fcs.tokens"

# A separate salt: without it, an undated token for "FX:EURUSD" would read as one for the
# symbol "FX", with "EURUSD" as a date in base 62.
_SALT_OF_DATED = "django_fcs.tokens.dated"


def make_token(symbol: str) -> str:
    """Sign a symbol, for all its timeframes; dated if ``FCS_TOKEN_MAX_AGE_SECONDS`` is set.

    Never call it with an unchecked symbol from a request: anybody who has the token may
    join the room. Raises ``BadSymbol``.
    """
    signed = _signer().sign(check_symbol(symbol))
    return signed[len(symbol) + 1 :]


def token_is_valid(token: str, symbol: str) -> bool:
    """Return whether this site signed the symbol, not longer ago than allowed."""
    signer = _signer()
    signed = f"{symbol}{signer.sep}{token}"
    try:
        if isinstance(signer, signing.TimestampSigner):
            signer.unsign(signed, max_age=conf.FCS_TOKEN_MAX_AGE_SECONDS)
        else:
            signer.unsign(signed)
    except signing.BadSignature:
        return False
    return True


def _signer() -> signing.Signer:
    if conf.FCS_TOKEN_MAX_AGE_SECONDS is None:
        return signing.Signer(salt=_SALT)
    return signing.TimestampSigner(salt=_SALT_OF_DATED)
