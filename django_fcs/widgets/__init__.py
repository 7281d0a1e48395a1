"""The HTML of the widgets: what template tags, Jinja2 and Python code call."""

from __future__ import annotations

from .html import FIELDS, check, nonce_from, price, scripts, ticker, token

__all__ = ["FIELDS", "check", "nonce_from", "price", "scripts", "ticker", "token"]
