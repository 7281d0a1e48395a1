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

from .arguments import as_field, as_href, as_item_size, as_symbol, as_timeframe, as_unit
from .columns import as_columns, as_sort
from .html import price, scripts, status, tag, ticker, token
from .plain import number, quote
from .refusals import in_words, unless_refused
from .rows import as_rows
from .table import table

__all__ = ["ELEMENTS", "FILTERS", "TAGS", "Tag"]


@dataclass(frozen=True)
class Tag:
    """A tag, and the function of the same name where the engine has functions.

    Args:
        name: As templates write it.
        function: Returns what the tag prints. Its signature is that of the tag, without
            ``nonce``, which comes from the page.
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
    def takes_nonce(self) -> bool:
        """Whether the result contains the nonce of the page."""
        return "nonce" in signature(self.function).parameters

    @cached_property
    def signature(self) -> Signature:
        """What templates may pass."""
        whole = signature(self.function)
        given = [one for one in whole.parameters.values() if one.name != "nonce"]
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

    def call(self, nonce: Callable[[], str], *args: Any, **values: Any) -> Any:
        """Return what the tag prints on a page; ``nonce`` is called only if it is printed.

        Raises ``RoomError`` if ``DEBUG`` is on.
        """
        if self.takes_nonce:
            values["nonce"] = nonce()
        return unless_refused(partial(self.function, *args, **values), self.otherwise)


_ROOM = {"symbol": as_symbol, "timeframe": as_timeframe}
_CARD = {**_ROOM, "item_size": as_item_size, "unit": as_unit, "href": as_href}
_TABLE = {
    **{"rows": as_rows, "timeframe": as_timeframe, "columns": as_columns, "sort": as_sort},
    **{"href": as_href, "item_size": as_item_size},
}
_EXAMPLE = ("FX:EURUSD",)

_ALL = (
    Tag("fcs_scripts", scripts),
    Tag("fcs_ticker", ticker, _CARD, _EXAMPLE, is_widget=True),
    Tag("fcs_tag", tag, {**_ROOM, "href": as_href}, _EXAMPLE, is_widget=True),
    Tag("fcs_price", price, {**_ROOM, "field": as_field}, _EXAMPLE, is_widget=True),
    Tag("fcs_table", table, _TABLE, _EXAMPLE, is_widget=True),
    Tag("fcs_status", status, is_widget=True),
    Tag("fcs_token", token, {"symbol": as_symbol}, _EXAMPLE, otherwise=lambda error: ""),
    Tag("fcs_quote", quote, _ROOM, _EXAMPLE, otherwise=lambda error: None, is_value=True),
)

TAGS = {tag.name: tag for tag in _ALL}

#: The custom elements that the tags print.
ELEMENTS = tuple(tag.name.replace("_", "-") for tag in _ALL if tag.is_widget)

FILTERS: dict[str, Callable[[object, object], str]] = {"fcs_number": number}
