"""The HTML of the widgets, for template tags, Jinja2 and Python code."""

from __future__ import annotations

from .html import FIELDS, NOT_GIVEN, check, price, scripts, ticker, token
from .nonces import nonce_from
from .refusals import printed

__all__ = [
    "FIELDS",
    "NOT_GIVEN",
    "check",
    "nonce_from",
    "price",
    "printed",
    "scripts",
    "ticker",
    "token",
]
