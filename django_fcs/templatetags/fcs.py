"""``{% load fcs %}``: live prices in Django templates, as ``widgets.tags`` lists them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import Parameter
from typing import Any

from django.template import Library, TemplateSyntaxError
from django.template.base import FilterExpression, Node, Parser, Token, Variable
from django.template.context import Context
from django.template.library import SimpleNode

from django_fcs.exceptions import RoomError
from django_fcs.widgets import nonce_from
from django_fcs.widgets.tags import FILTERS, TAGS, Tag

register = Library()

#: The names that every context of Django has.
_CONSTANTS = {"None": None, "True": True, "False": False}

#: In place of a value that only rendering can tell. ``None`` is a value.
_UNKNOWN = object()


def _function(tag: Tag) -> Callable[..., Any]:
    def print_tag(context: Context, *args: Any, **values: Any) -> Any:
        request = getattr(context, "request", None)
        page: dict[str, Callable[[], object]] = {
            "nonce": partial(nonce_from, context.get, request),
            "request": lambda: request or context.get("request"),
        }
        try:
            return tag.call(page, *args, **values)
        except RoomError as error:
            raise TemplateSyntaxError(str(error)) from error

    context = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD)
    given = [context, *tag.signature.parameters.values()]
    print_tag.__signature__ = tag.signature.replace(parameters=given)  # type: ignore[attr-defined]
    print_tag.__name__, print_tag.__doc__ = tag.name, tag.function.__doc__
    return print_tag


def _checking(
    tag: Tag, compile_tag: Callable[[Parser, Token], Node]
) -> Callable[[Parser, Token], Node]:
    """Refuse wrong literals when the template is compiled, not when a visitor comes."""

    def compile_and_check(parser: Parser, token: Token) -> Node:
        node = compile_tag(parser, token)
        if isinstance(node, SimpleNode):
            if tag.is_value and node.target_var is None:
                raise TemplateSyntaxError(f"{tag.name} prints nothing: write {tag.usage}")
            given = {**dict(zip(tag.parameters, node.args, strict=False)), **node.kwargs}
            literals = {name: _literal(value) for name, value in given.items()}
            try:
                tag.check({name: one for name, one in literals.items() if one is not _UNKNOWN})
            except RoomError as error:
                raise TemplateSyntaxError(str(error)) from error
        return node

    compile_and_check.__doc__ = tag.function.__doc__
    return compile_and_check


def _literal(expression: FilterExpression) -> object:
    """Return the value of a plain literal, else ``_UNKNOWN``."""
    if expression.filters:
        return _UNKNOWN
    if not isinstance(expression.var, Variable):
        return expression.var
    if expression.var.lookups is None:
        return expression.var.literal
    return _CONSTANTS.get(expression.token, _UNKNOWN)


for _tag in TAGS.values():
    register.simple_tag(_function(_tag), takes_context=True, name=_tag.name)
    register.tag(_tag.name, _checking(_tag, register.tags[_tag.name]))
for _name, _filter in FILTERS.items():
    register.filter(_name, _filter)
