"""Why a browser may not join a room: a token, a pattern, or ``FCS_AUTHORIZE``."""

from __future__ import annotations

from fnmatch import fnmatchcase

from django_fcs.conf import conf
from django_fcs.rooms import Room
from django_fcs.tokens import TokenState, standing_of

from .authorizer import Answer

__all__ = ["matches_pattern", "refusal_after", "refusal_before"]


def matches_pattern(symbol: str) -> bool:
    """Tell whether anybody may join a symbol without a token, by ``FCS_ALLOWED_SYMBOLS``."""
    return any(fnmatchcase(symbol, pattern) for pattern in conf.FCS_ALLOWED_SYMBOLS)


def refusal_before(room: Room, token: str | None) -> str:
    """Return why a room may not be joined whatever the site's function says; "" if it may be.

    The client needs a valid token for the symbol, or the symbol matches a pattern of
    ``FCS_ALLOWED_SYMBOLS``.
    """
    if matches_pattern(room.symbol):
        return ""
    state = standing_of(token, room.symbol).state
    return "" if state is TokenState.VALID else f"{room.symbol} {state.value}"


def refusal_after(answer: Answer, room: Room, spelling: str) -> str:
    """Return why a room may not be joined, or no longer, after the site's function was asked.

    It names the timeframe as the browser wrote it: another one of the symbol may be allowed.
    """
    name = f"{room.symbol}_{spelling}"
    if answer is Answer.NONE:
        return f"{name}: FCS_AUTHORIZE did not answer, try again later"
    return f"{name}: FCS_AUTHORIZE refused it"
