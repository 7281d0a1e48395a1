"""What visitors type as an amount, and what it means on a page in their language."""

from __future__ import annotations

import pytest
from django.utils import translation

from django_fcs.widgets import formats
from django_fcs.widgets.amounts import parse
from django_fcs.widgets.formats import Notation

pytestmark = pytest.mark.versions

EN = Notation(".", ",", "3", (3,))
DE = Notation(",", ".", "3", (3,))
FR = Notation(",", "\xa0", "3", (3,))
NOTATIONS = {"en": EN, "de": DE, "fr": FR}

#: What is typed, and what it means in English, German and French; the browser reads the same.
AMOUNTS: list[tuple[str, float | None, float | None, float | None]] = [
    ("100", 100.0, 100.0, 100.0),
    ("12,5", 12.5, 12.5, 12.5),
    ("12.5", 12.5, 12.5, 12.5),
    ("1.234,5", 1234.5, 1234.5, 1234.5),
    ("1,234.5", 1234.5, 1234.5, 1234.5),
    ("1,234", 1234.0, 1.234, 1.234),
    ("1.234", 1.234, 1234.0, 1.234),
    ("1234,567", 1234.567, 1234.567, 1234.567),
    ("0,125", 0.125, 0.125, 0.125),
    ("0.125", 0.125, 0.125, 0.125),
    ("1.234.567", 1234567.0, 1234567.0, 1234567.0),
    ("12,34,567.8", 1234567.8, 1234567.8, 1234567.8),
    ("1 234,5", 1234.5, 1234.5, 1234.5),
    ("1\xa0234\u202f567,5", 1234567.5, 1234567.5, 1234567.5),
    ("1'234.50", 1234.5, 1234.5, 1234.5),
    ("1’234.50", 1234.5, 1234.5, 1234.5),
    (" 12. ", 12.0, 12.0, 12.0),
    (",5", 0.5, 0.5, 0.5),
    ("0", 0.0, 0.0, 0.0),
    ("000", 0.0, 0.0, 0.0),
    ("١٢٫٥", 12.5, 12.5, 12.5),
    ("۱٬۲۳۴", 1234.0, 1234.0, 1234.0),
    ("１２．５", 12.5, 12.5, 12.5),
    ("\u200e12.5\u200f", 12.5, 12.5, 12.5),
    ("0.1", 0.1, 0.1, 0.1),
    ("999999999999999", 999999999999999.0, 999999999999999.0, 999999999999999.0),
    *(
        (text, None, None, None)
        for text in (
            *("", " ", ".", ",", "1e999", "1e3", "-5", "−5", "+5", "nan", "NaN", "inf", "Infinity"),
            *("9" * 400, "1" + "0" * 15, "0" * 33, "<b>1</b>", "12x", "€5", "5 EUR", "1 2", "5²"),
            *("1,,5", "1.2.3", "1,23,45", "1.234,5,6", "1.234.5,6", "12345,678.9", "1234,567,890"),
            *("0x10", "1_000", "1,234,", "½", "\x001", "१२", "𝟏𝟐", "1\n2", "0,123.4", "None"),
        )
    ),
]


def test_an_amount_is_read_as_the_page_writes_numbers() -> None:
    for typed, *meant in AMOUNTS:
        assert [parse(typed, one) for one in (EN, DE, FR)] == meant, typed


def test_every_language_reads_the_numbers_that_it_writes() -> None:
    for language in ("en", "de", "fr", "es", "ar", "ja", "zh-hans", "hi", "de-ch", "pl", "fa"):
        with translation.override(language):
            notation = formats.notation_of_page()
            text = formats.number(1234567.5, 2)
        assert parse(text, notation) == 1234567.5, language
