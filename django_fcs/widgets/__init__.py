"""The HTML of the widgets, for template tags, Jinja2 and Python code."""

from __future__ import annotations

from .html import FIELDS, check, price, scripts, ticker, token
from .nonces import nonce_from
from .refusals import printed

__all__ = ["FIELDS", "check", "nonce_from", "price", "printed", "scripts", "ticker", "token"]
