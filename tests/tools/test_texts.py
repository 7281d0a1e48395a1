"""Texts from outside: one line of bounded length, in which nothing is hidden."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from django_fcs.tools.texts import REASON_MAX, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no such symbol", "no such symbol"),
        ("Börse geschlossen – 市場 🙂", "Börse geschlossen – 市場 🙂"),
        ("1\N{THIN SPACE}%", "1\N{THIN SPACE}%"),
        ("x\nCRITICAL root FORGED", "x\\nCRITICAL root FORGED"),
        ("a\rb\tc\x00", "a\\rb\\tc\\x00"),
        ("\x1b[31mred\x9b0m", "\\x1b[31mred\\x9b0m"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}evil\N{ZERO WIDTH SPACE}", "\\u202eevil\\u200b"),
        ("\u2028\u2029\x85\x0b\x1c", "\\u2028\\u2029\\x85\\x0b\\x1c"),
        ("\ud800", "\\ud800"),
        ("\U000e0041\ue000", "\\U000e0041\\ue000"),
        ("", ""),
    ],
)
def test_a_character_that_could_hide_something_is_written_out(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_a_long_text_is_cut_and_says_so() -> None:
    assert one_line("x" * REASON_MAX) == "x" * REASON_MAX
    assert one_line("x" * 200_000) == "x" * (REASON_MAX - 3) + "..."
    assert len(one_line("\x1b" * 200_000)) == REASON_MAX
    assert one_line("abcdef", 5) == "ab..."


@given(st.text(st.characters(), max_size=300), st.integers(3, 300))
def test_any_text_becomes_one_short_line_that_can_be_encoded(text: str, limit: int) -> None:
    shown = one_line(text, limit)

    assert len(shown) <= limit
    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown
    assert one_line(shown, limit) == shown
