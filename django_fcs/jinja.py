"""Live prices in Jinja2 templates: the same names, as functions and as tags.

Add ``django_fcs.jinja.FCSExtension`` to the environment's extensions to get both.
This is the only module that imports Jinja2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.safestring import SafeString
from jinja2 import Environment, TemplateSyntaxError, nodes, pass_context
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context

from . import widgets
from .exceptions import RoomError

__all__ = ["FCSExtension", "fcs_price", "fcs_scripts", "fcs_ticker", "fcs_token"]


@pass_context
def fcs_scripts(context: Context) -> SafeString:
    """Print the stylesheet and the scripts, with the page's CSP nonce."""
    return widgets.scripts(nonce=widgets.nonce_from(context.get))


def fcs_ticker(symbol: str, timeframe: str | None = None) -> str:
    """Print a card with the last price. Raises ``RoomError`` if ``DEBUG`` is on."""
    return widgets.printed(lambda: widgets.ticker(symbol, timeframe))


def fcs_price(symbol: str, timeframe: str | None = None, *, field: str = "close") -> str:
    """Print one value, for use in a sentence. Raises ``RoomError`` if ``DEBUG`` is on."""
    return widgets.printed(lambda: widgets.price(symbol, timeframe, field=field))


def fcs_token(symbol: str) -> str:
    """Print the token with which the page's own script may join the symbol.

    Raises ``BadSymbol`` if ``DEBUG`` is on.
    """
    return widgets.printed(lambda: widgets.token(symbol), otherwise="")


_FUNCTIONS: dict[str, Callable[..., str]] = {
    "fcs_scripts": fcs_scripts,
    "fcs_ticker": fcs_ticker,
    "fcs_price": fcs_price,
    "fcs_token": fcs_token,
}
_PARAMETERS = {
    "fcs_scripts": (),
    "fcs_ticker": ("symbol", "timeframe"),
    "fcs_price": ("symbol", "timeframe", "field"),
    "fcs_token": ("symbol",),
}


class FCSExtension(Extension):
    """Add the functions, and the tags with the environment's own delimiters.

    A tag raises ``TemplateSyntaxError``: for wrong literals when the template is
    compiled and, with ``DEBUG``, for other wrong values when it is rendered.
    """

    tags = set(_FUNCTIONS)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for name, function in _FUNCTIONS.items():
            environment.globals.setdefault(name, function)

    def parse(self, parser: Parser) -> nodes.Node:
        """Read ``fcs_ticker "FX:EURUSD" timeframe="60"``; commas are optional."""
        tag = next(parser.stream)
        arguments = _arguments(parser, tag.value)
        _check_literals(parser, arguments, tag.lineno)
        place = [nodes.Const(tag.value), nodes.Const(parser.name), nodes.Const(parser.filename)]
        call = self.call_method(
            "_print",
            [nodes.ContextReference(), *place, nodes.Const(tag.lineno)],
            [nodes.Keyword(name, value) for name, value in arguments.items()],
        )
        return nodes.Output([call]).set_lineno(tag.lineno)

    def _print(
        self,
        context: Context,
        tag: str,
        name: str | None,
        filename: str | None,
        lineno: int,
        **values: Any,
    ) -> str:
        function = _FUNCTIONS[tag]
        try:
            return function(context) if tag == "fcs_scripts" else function(**values)
        except RoomError as error:
            raise TemplateSyntaxError(str(error), lineno, name, filename) from error


def _arguments(parser: Parser, tag: str) -> dict[str, nodes.Expr]:
    found: dict[str, nodes.Expr] = {}
    unnamed = list(_PARAMETERS[tag])
    while parser.stream.current.type != "block_end":
        if found:
            parser.stream.skip_if("comma")
        name = _argument_name(parser) or (unnamed[0] if unnamed else "")
        if name not in _PARAMETERS[tag] or name in found:
            known = ", ".join(_PARAMETERS[tag]) or "nothing"
            parser.fail(f"{tag} takes {known}, each once")
        unnamed = unnamed[unnamed.index(name) + 1 :] if name in unnamed else unnamed
        found[name] = _value(parser)
    if "symbol" in _PARAMETERS[tag] and "symbol" not in found:
        parser.fail(f'{tag} needs a symbol, as in {tag} "FX:EURUSD"')
    return found


def _argument_name(parser: Parser) -> str:
    stream = parser.stream
    if stream.current.type != "name" or stream.look().type != "assign":
        return ""
    name = str(next(stream).value)
    next(stream)
    return name


def _value(parser: Parser) -> nodes.Expr:
    stream = parser.stream
    # Jinja would join two adjacent strings into one.
    if stream.current.type == "string" and stream.look().type == "string":
        text = next(stream)
        return nodes.Const(text.value, lineno=text.lineno)
    return parser.parse_expression()


def _check_literals(parser: Parser, arguments: dict[str, nodes.Expr], lineno: int) -> None:
    literals = {
        name: value.value for name, value in arguments.items() if isinstance(value, nodes.Const)
    }
    try:
        widgets.check(**literals)
    except RoomError as error:
        parser.fail(str(error), lineno)
