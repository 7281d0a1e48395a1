"""``{% load fcs %}``: live prices in Django templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.template import Library, TemplateSyntaxError
from django.template.base import FilterExpression, Node, Parser, Token, Variable
from django.template.context import Context
from django.template.library import SimpleNode
from django.utils.safestring import SafeString

from django_fcs import widgets
from django_fcs.exceptions import RoomError

register = Library()

#: The names that every context of Django has.
_CONSTANTS = {"None": None, "True": True, "False": False}


@register.simple_tag(takes_context=True)
def fcs_scripts(context: Context) -> SafeString:
    """Print the stylesheet and the scripts, with the page's CSP nonce."""
    nonce = widgets.nonce_from(context.get, getattr(context, "request", None))
    return widgets.scripts(nonce=nonce)


@register.simple_tag
def fcs_ticker(symbol: str, timeframe: str | None = None) -> str:
    """Print a card with the last price."""
    with _syntax_errors():
        return widgets.printed(lambda: widgets.ticker(symbol, timeframe))


@register.simple_tag
def fcs_price(symbol: str, timeframe: str | None = None, *, field: str = "close") -> str:
    """Print one value, for use in a sentence."""
    with _syntax_errors():
        return widgets.printed(lambda: widgets.price(symbol, timeframe, field=field))


@register.simple_tag
def fcs_token(symbol: str) -> str:
    """Print the token with which the page's own script may join the symbol."""
    with _syntax_errors():
        return widgets.printed(lambda: widgets.token(symbol), otherwise="")


@contextmanager
def _syntax_errors() -> Iterator[None]:
    try:
        yield
    except RoomError as error:
        raise TemplateSyntaxError(str(error)) from error


def _checking(compile_tag: Callable[[Parser, Token], Node]) -> Callable[[Parser, Token], Node]:
    """Refuse wrong literals when the template is compiled, not when a visitor comes."""

    def compile_and_check(parser: Parser, token: Token) -> Node:
        node = compile_tag(parser, token)
        if isinstance(node, SimpleNode):
            with _syntax_errors():
                widgets.check(
                    *map(_literal, node.args),
                    **{name: _literal(value) for name, value in node.kwargs.items()},
                )
        return node

    return compile_and_check


def _literal(expression: FilterExpression) -> object:
    """Return the value of a plain literal; ``NOT_GIVEN`` if only rendering can tell the value."""
    if expression.filters:
        return widgets.NOT_GIVEN
    if not isinstance(expression.var, Variable):
        return expression.var
    if expression.var.lookups is None:
        return expression.var.literal
    return _CONSTANTS.get(expression.token, widgets.NOT_GIVEN)


for _name in ("fcs_ticker", "fcs_price", "fcs_token"):
    register.tag(_name, _checking(register.tags[_name]))
