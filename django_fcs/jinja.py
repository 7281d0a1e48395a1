"""Live prices in Jinja2 templates: the tags that ``widgets.tags`` lists, and as functions.

Add ``django_fcs.jinja.FCSExtension`` to the environment's extensions to get both.
This is the only module that imports Jinja2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes, pass_context
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context

from .exceptions import RoomError
from .widgets import nonce_from
from .widgets.tags import FILTERS, TAGS, Tag

__all__ = ["FCSExtension"]


class FCSExtension(Extension):
    """Add the functions and filters, and the tags with the environment's own delimiters.

    A tag raises ``TemplateSyntaxError``: for wrong literals when the template is
    compiled and, with ``DEBUG``, for other wrong values when it is rendered. A function
    raises ``RoomError`` if ``DEBUG`` is on.
    """

    tags = set(TAGS)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for name, tag in TAGS.items():
            environment.globals.setdefault(name, _function(tag))
        for name, function in FILTERS.items():
            environment.filters.setdefault(name, function)

    def parse(self, parser: Parser) -> nodes.Node:
        """Read ``fcs_ticker "FX:EURUSD" timeframe="60"``; commas are optional.

        With ``as name`` at the end, the result goes into a variable.
        """
        token = next(parser.stream)
        tag, lineno = TAGS[token.value], token.lineno
        arguments = _arguments(parser, tag)
        _check_literals(parser, tag, arguments, lineno)
        place = [nodes.Const(one) for one in (tag.name, parser.name, parser.filename, lineno)]
        call = self.call_method(
            "_print",
            [nodes.ContextReference(), *place],
            [nodes.Keyword(name, value) for name, value in arguments.items()],
        )
        if parser.stream.skip_if("name:as"):
            target = parser.parse_assign_target(name_only=True)
            return nodes.Assign(target, call).set_lineno(lineno)
        if tag.is_value:
            parser.fail(f"{tag.name} prints nothing: write {tag.usage}", lineno)
        return nodes.Output([call]).set_lineno(lineno)

    def _print(
        self,
        context: Context,
        tag: str,
        name: str | None,
        filename: str | None,
        lineno: int,
        **values: Any,
    ) -> Any:
        try:
            return TAGS[tag].call(_page(context), **values)
        except RoomError as error:
            raise TemplateSyntaxError(str(error), lineno, name, filename) from error


def _function(tag: Tag) -> Callable[..., Any]:
    @wraps(tag.function)
    def call(*args: Any, **values: Any) -> Any:
        return tag.call({}, *args, **values)

    @wraps(tag.function)
    def call_on_page(context: Context, *args: Any, **values: Any) -> Any:
        return tag.call(_page(context), *args, **values)

    return pass_context(call_on_page) if tag.from_page else call


def _page(context: Context) -> dict[str, Callable[[], object]]:
    return {"nonce": partial(nonce_from, context.get), "request": partial(context.get, "request")}


def _arguments(parser: Parser, tag: Tag) -> dict[str, nodes.Expr]:
    found: dict[str, nodes.Expr] = {}
    unnamed = list(tag.parameters)
    stream = parser.stream
    while stream.current.type != "block_end" and not stream.current.test("name:as"):
        if found:
            stream.skip_if("comma")
        name = _argument_name(parser) or (unnamed[0] if unnamed else "")
        if name not in tag.parameters or name in found:
            known = ", ".join(tag.parameters) or "nothing"
            parser.fail(f"{tag.name} takes {known}, each once")
        unnamed = unnamed[unnamed.index(name) + 1 :] if name in unnamed else unnamed
        found[name] = _value(parser)
    for name in tag.required:
        if name not in found:
            parser.fail(f"{tag.name} needs a value for {name}, as in {tag.usage}")
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


def _check_literals(
    parser: Parser, tag: Tag, arguments: dict[str, nodes.Expr], lineno: int
) -> None:
    literals = {
        name: value.value for name, value in arguments.items() if isinstance(value, nodes.Const)
    }
    try:
        tag.check(literals)
    except RoomError as error:
        parser.fail(str(error), lineno)
