"""A validator, a model field and a form field keep wrong symbols out of a site."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.apps.registry import Apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.migrations.writer import MigrationWriter
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from django_fcs.fields import SymbolField, SymbolFormField, validate_symbol
from django_fcs.rooms import SYMBOL_MAX
from tests.test_templatetags import BAD_SYMBOLS, Odd, kind

pytestmark = pytest.mark.versions

LONGEST = f"{'X' * 20}:{'Y' * 40}"


class Instrument(models.Model):
    symbol = SymbolField()
    second = SymbolField(blank=True, max_length=20)

    class Meta:
        app_label = "markets"
        apps = Apps()  # Of its own, so that no other test sees the model.


class InstrumentForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Instrument
        fields = ["symbol", "second"]


@pytest.mark.parametrize("value", ["FX:EURUSD", "NYSE:BRK.B", "NSE:M&M", LONGEST])
def test_a_symbol_is_valid(value: str) -> None:
    validate_symbol(value)
    validate_symbol(mark_safe(value))
    validate_symbol(gettext_lazy(value))

    assert SymbolFormField().clean(f" {value} ") == value
    Instrument(symbol=value).full_clean()


@pytest.mark.parametrize("value", [*BAD_SYMBOLS, Odd()], ids=kind)
def test_whatever_is_no_symbol_raises_a_validation_error(value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_symbol(value)

    [message] = caught.value.messages
    assert message.startswith("Symbol ")
    assert len(message) < 200
    assert caught.value.code == "invalid"


@pytest.mark.parametrize("value", [None, "", "eurusd", "FX:" + "X" * 41, "FX:\x00", 123, b"FX:A"])
def test_forms_and_models_refuse_it_too(value: Any) -> None:
    form = InstrumentForm({"symbol": value})

    assert list(form.errors) == ["symbol"]
    with pytest.raises(ValidationError):
        SymbolFormField().clean(value)
    with pytest.raises(ValidationError):
        Instrument(symbol=value).full_clean()


def test_the_message_says_what_to_write() -> None:
    form = InstrumentForm({"symbol": "fx:eurusd", "second": ""})

    assert form.errors == {
        "symbol": ["Symbol 'fx:eurusd' is not in upper case: write 'FX:EURUSD'."]
    }


def test_an_input_of_a_form_is_as_long_as_a_symbol() -> None:
    form = InstrumentForm()

    assert form.fields["symbol"].widget.attrs["maxlength"] == str(SYMBOL_MAX) == str(len(LONGEST))
    assert form.fields["second"].widget.attrs["maxlength"] == "20"
    assert not form.fields["second"].required


def test_a_site_may_choose_another_input() -> None:
    field = SymbolField().formfield(widget=forms.Textarea)

    assert isinstance(field, SymbolFormField)
    assert isinstance(field.widget, forms.Textarea)
    assert isinstance(SymbolField(choices=[("FX:EURUSD", "€")]).formfield(), forms.TypedChoiceField)


@pytest.mark.parametrize("options", [{}, {"max_length": 20, "null": True, "unique": True}])
def test_a_migration_makes_the_same_field(options: dict[str, Any]) -> None:
    field = SymbolField(**options)
    _, path, args, kwargs = field.deconstruct()
    text, imports = MigrationWriter.serialize(field)

    assert (path, args, kwargs) == ("django_fcs.fields.SymbolField", [], options)
    assert SymbolField(*args, **kwargs).max_length == field.max_length
    assert imports == {"import django_fcs.fields"}
    assert text.startswith("django_fcs.fields.SymbolField(")


def test_the_column_is_one_of_text() -> None:
    assert SymbolField().get_internal_type() == "CharField"
    assert SymbolField(max_length=5).check() == []
