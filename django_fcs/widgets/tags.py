"""All template tags, in one table: each engine makes its tags and functions from it.

``templatetags.fcs`` reads it for Django, ``jinja`` for Jinja2, and ``doctor`` to find widgets
in templates. A new tag is one more row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from inspect import Parameter, Signature, signature
from typing import Any

from django_fcs.exceptions import RoomError

from .amounts import as_base, as_currencies, as_prefix
from .arguments import (
    as_attribute,
    as_count,
    as_direction,
    as_field,
    as_href,
    as_item_size,
    as_label,
    as_symbol,
    as_timeframe,
    as_unit,
)
from .chart import chart
from .charted import as_height, as_lines, as_range, as_timeframes, as_zone_of_chart
from .columns import as_columns, as_sort
from .converter import converter
from .html import price, scripts, status, tag, ticker, token
from .images import (
    as_format,
    as_picture_range,
    as_picture_width,
    as_picture_zone,
    as_site,
    as_theme,
    as_type,
    chart_url,
)
from .line import sparkline
from .plain import number, quote
from .ranking import movers
from .refusals import in_words, unless_refused
from .rows import as_rows
from .spread import spread
from .table import table
from .tape import tape
from .tiles import heatmap

__all__ = ["ELEMENTS", "FILTERS", "TAGS", "Tag"]


#: The parameters of functions that templates do not pass: they come from the page.
_FROM_PAGE = ("nonce", "request")


@dataclass(frozen=True)
class Tag:
    """A tag, and the function of the same name where the engine has functions.

    Args:
        name: As templates write it.
        function: Returns what the tag prints. Its signature is that of the tag, without
            ``nonce`` and ``request``, which come from the page.
        checks: By parameter, what raises ``RoomError`` for a value that cannot be shown.
        example: Arguments in their places, for messages.
        otherwise: Makes what takes the place of the result if a variable has a wrong value.
        is_widget: It prints a custom element, which needs the scripts.
        is_value: It prints nothing: its result is for a variable.
    """

    name: str
    function: Callable[..., object]
    checks: Mapping[str, Callable[[object], object]] = field(default_factory=dict)
    example: tuple[str, ...] = ()
    otherwise: Callable[[RoomError], object] = in_words
    is_widget: bool = False
    is_value: bool = False

    @cached_property
    def from_page(self) -> tuple[str, ...]:
        """What the result needs of the page: ``nonce``, ``request``."""
        return tuple(name for name in _FROM_PAGE if name in signature(self.function).parameters)

    @cached_property
    def signature(self) -> Signature:
        """What templates may pass."""
        whole = signature(self.function)
        given = [one for one in whole.parameters.values() if one.name not in _FROM_PAGE]
        return whole.replace(parameters=given)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters, in order."""
        return tuple(self.signature.parameters)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the parameters without a default."""
        parameters = self.signature.parameters.values()
        return tuple(one.name for one in parameters if one.default is Parameter.empty)

    @property
    def usage(self) -> str:
        """The tag as it may stand in a template, without delimiters."""
        words = (self.name, *(f'"{argument}"' for argument in self.example))
        return " ".join(words) + (" as q" if self.is_value else "")

    def check(self, literals: Mapping[str, object]) -> None:
        """Raise ``RoomError`` for the first literal that cannot be shown."""
        for name, check in self.checks.items():
            if name in literals:
                check(literals[name])

    def call(self, page: Mapping[str, Callable[[], object]], *args: Any, **values: Any) -> Any:
        """Return what the tag prints on a page.

        Of ``page``, which has ``nonce`` and ``request``, only what the result needs is called.
        Raises ``RoomError`` if ``DEBUG`` is on.
        """
        values.update((name, page[name]()) for name in self.from_page)
        return unless_refused(partial(self.function, *args, **values), self.otherwise)


_ROOM = {"symbol": as_symbol, "timeframe": as_timeframe}
_CARD = {**_ROOM, "item_size": as_item_size, "unit": as_unit, "href": as_href}
_TAPE = {
    **{"symbols": as_rows, "timeframe": as_timeframe, "direction": as_direction},
    **{"item_size": as_item_size, "href": as_href, "label": as_label},
}
_ROWS = {"rows": as_rows, "timeframe": as_timeframe, "href": as_href}
_TABLE = {
    **{"rows": as_rows, "timeframe": as_timeframe, "columns": as_columns, "sort": as_sort},
    **{"href": as_href, "item_size": as_item_size},
}
_EXAMPLE = ("FX:EURUSD",)
_CONVERTER = {"currencies": as_currencies, "base": as_base, "prefix": as_prefix}
_IMAGE = {
    **{"type": as_type, "range": as_picture_range, "theme": as_theme, "width": as_picture_width},
    **{"zone": as_picture_zone, "format": as_format, "base": as_site},
}
_CHART = {
    **{"timeframes": as_timeframes, "type": as_type, "lines": as_lines, "range": as_range},
    **{"zone": as_zone_of_chart, "height": as_height, "href": as_href, "theme": as_theme},
    **{"width": as_picture_width},
}
_EXAMPLES = ("FX:EURUSD,FX:USDJPY",)

_ALL = (
    Tag("fcs_scripts", scripts),
    Tag("fcs_ticker", ticker, _CARD, _EXAMPLE, is_widget=True),
    Tag("fcs_tag", tag, {**_ROOM, "href": as_href}, _EXAMPLE, is_widget=True),
    Tag("fcs_price", price, {**_ROOM, "field": as_field}, _EXAMPLE, is_widget=True),
    Tag("fcs_tape", tape, _TAPE, _EXAMPLES, is_widget=True),
    Tag("fcs_sparkline", sparkline, _ROOM, _EXAMPLE, is_widget=True),
    Tag("fcs_spread", spread, {**_ROOM, "href": as_href}, _EXAMPLE, is_widget=True),
    Tag("fcs_converter", converter, _CONVERTER, ("USD GBP JPY",), is_widget=True),
    Tag("fcs_heatmap", heatmap, {**_ROWS, "size": as_attribute}, _EXAMPLE, is_widget=True),
    Tag("fcs_movers", movers, {**_ROWS, "count": as_count}, _EXAMPLE, is_widget=True),
    Tag("fcs_table", table, _TABLE, _EXAMPLE, is_widget=True),
    Tag("fcs_chart", chart, {**_ROOM, **_CHART}, _EXAMPLE, is_widget=True),
    Tag("fcs_status", status, is_widget=True),
    Tag("fcs_token", token, {"symbol": as_symbol}, _EXAMPLE, otherwise=lambda error: ""),
    Tag("fcs_chart_url", chart_url, {**_ROOM, **_IMAGE}, _EXAMPLE, otherwise=lambda error: ""),
    Tag("fcs_quote", quote, _ROOM, _EXAMPLE, otherwise=lambda error: None, is_value=True),
)

TAGS = {tag.name: tag for tag in _ALL}

#: The custom elements that the tags print.
ELEMENTS = tuple(tag.name.replace("_", "-") for tag in _ALL if tag.is_widget)

FILTERS: dict[str, Callable[[object, object], str]] = {"fcs_number": number}
