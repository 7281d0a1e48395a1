"""The HTML of the widgets, for template tags, Jinja2 and Python code."""

from __future__ import annotations

from .arguments import FIELDS
from .html import price, scripts, status, tag, ticker, token
from .nonces import nonce_from
from .plain import number, quote
from .table import table

__all__ = [
    "FIELDS",
    "nonce_from",
    "number",
    "price",
    "quote",
    "scripts",
    "status",
    "table",
    "tag",
    "ticker",
    "token",
]
