"""The HTML of the widgets, for template tags, Jinja2 and Python code."""

from __future__ import annotations

from .html import FIELDS, check, nonce_from, price, scripts, ticker, token

__all__ = ["FIELDS", "check", "nonce_from", "price", "scripts", "ticker", "token"]
