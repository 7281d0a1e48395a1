"""The HTML of the widgets, for template tags, Jinja2 and Python code."""

from __future__ import annotations

from .arguments import FIELDS
from .chart import chart
from .converter import converter
from .html import price, scripts, status, tag, ticker, token
from .images import chart_url
from .line import sparkline
from .nonces import nonce_from
from .plain import number, quote
from .ranking import movers
from .spread import spread
from .table import table
from .tape import tape
from .tiles import heatmap

__all__ = [
    "FIELDS",
    "chart",
    "chart_url",
    "converter",
    "heatmap",
    "movers",
    "nonce_from",
    "number",
    "price",
    "quote",
    "scripts",
    "sparkline",
    "spread",
    "status",
    "table",
    "tag",
    "tape",
    "ticker",
    "token",
]
