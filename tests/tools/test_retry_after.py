"""How long a server asks to wait: seconds, a date, or anything else."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given, strategies as st

from django_fcs.tools.retry_after import retry_after

pytestmark = pytest.mark.versions

NOW = 1_700_000_000.0
HOUR = 3600.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 60),
        (" 60 ", 60),
        ("0", 0),
        ("86400", HOUR),
        ("9" * 5000, HOUR),
        (formatdate(NOW + 90, usegmt=True), 90),
        (formatdate(NOW - 90, usegmt=True), 0),
        (formatdate(NOW + 1e6, usegmt=True), HOUR),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
    ],
)
def test_both_forms_are_read_and_an_hour_is_the_most(text: str, seconds: float) -> None:
    assert retry_after([text], [], NOW, most=HOUR) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "soon", "-5", "1.5", "nan", "inf", "1e3", "٦٠", "60 s", "Fri, 31 Dec 99999 23:59:59 GMT"],
)
def test_anything_else_is_ignored(text: str) -> None:
    assert retry_after([text], [], NOW, most=HOUR) == 0


def test_a_date_counts_from_the_clock_of_the_server_not_from_ours() -> None:
    asked, date = formatdate(NOW - 440, usegmt=True), formatdate(NOW - 500, usegmt=True)

    assert retry_after([asked], ["yesterday", date], NOW, most=HOUR) == 60


def test_of_several_headers_the_first_that_can_be_read_counts() -> None:
    assert retry_after(["soon", "30", "40"], [], NOW, most=HOUR) == 30


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_header_raises_or_exceeds_the_bound(text: str, date: str) -> None:
    assert 0 <= retry_after([text], [date], NOW, most=HOUR) <= HOUR
