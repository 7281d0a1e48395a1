"""The HTML of the widgets, for template tags, Jinja2 and Python code."""

from __future__ import annotations

from .html import FIELDS, check, price, scripts, ticker, token
from .nonces import nonce_from

__all__ = ["FIELDS", "check", "nonce_from", "price", "scripts", "ticker", "token"]
