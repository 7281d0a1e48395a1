"""Symbols in forms and models: a wrong one is refused where it is entered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import Promise

from .exceptions import BadSymbol
from .rooms import SYMBOL_MAX, check_symbol

__all__ = ["SymbolField", "SymbolFormField", "validate_symbol"]


def validate_symbol(value: object) -> None:
    """Raise ``ValidationError`` if this is not ``EXCHANGE:TICKER`` in upper case."""
    try:
        check_symbol(str(value) if isinstance(value, Promise) else value)
    except BadSymbol as error:
        text = str(error)
        raise ValidationError(f"{text[:1].upper()}{text[1:]}.", code="invalid") from None


class SymbolFormField(forms.CharField):
    """A text input for one symbol, such as ``FX:EURUSD``; blanks around it are removed."""

    default_validators = [validate_symbol]


class SymbolField(models.CharField):  # type: ignore[type-arg]  # not generic when it runs
    """A column for one symbol, such as ``FX:EURUSD``.

    As for every field of a model, ``full_clean()`` and forms validate the value, and
    ``save()`` alone does not. ``max_length`` is ``SYMBOL_MAX`` if it is not given.
    """

    default_validators = [validate_symbol]
    description = "A symbol, such as FX:EURUSD"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", SYMBOL_MAX)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Return what a migration needs to make the same field."""
        name, path, args, kwargs = super().deconstruct()
        if kwargs.get("max_length") == SYMBOL_MAX:
            del kwargs["max_length"]
        return name, path, list(args), kwargs

    def formfield(self, **kwargs: Any) -> Any:
        """Return the field of a form for this column."""
        return super().formfield(**{"form_class": SymbolFormField, **kwargs})
