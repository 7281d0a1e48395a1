"""The values of a widget as text: written when they are printed, and one by one."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from django.utils import translation
from django.utils.html import escape

from django_fcs import widgets
from django_fcs.widgets import formats
from tests.widgets.test_html import DJANGO, EN_DASH, JINJA, Known, Odd, Parts, known

__all__ = ["known"]

pytestmark = pytest.mark.versions

#: Templates of a site that print all values, by engine.
ALL_VALUES = {
    DJANGO: "{% for name, text in fields.items %}{{ name }}={{ text }};{% endfor %}",
    JINJA: "{% for name, text in fields.items() %}{{ name }}={{ text }};{% endfor %}",
}


def own_template(engine: str, folder: Path, text: str) -> list[dict[str, Any]]:
    """Put a template in the place of ``price.html``, and return the setting TEMPLATES."""
    own = folder / "django_fcs" / "price.html"
    own.parent.mkdir()
    own.write_text(text)
    return [{"BACKEND": engine, "DIRS": [folder], "APP_DIRS": True}]


@pytest.mark.parametrize(
    ("fault", "dashes"),
    [
        ({"close": Odd(1)}, {"close"}),
        ({"digits": "five"}, {"close", "change", "low", "high"}),
        ({"updated": datetime.max.replace(tzinfo=timezone.utc)}, {"updated"}),
    ],
)
def test_a_value_that_cannot_be_written_is_a_dash_beside_the_others(
    known: Known, caplog: pytest.LogCaptureFixture, fault: dict[str, Any], dashes: set[str]
) -> None:
    with override_settings(TIME_ZONE="Asia/Tokyo"):
        known(**fault)
        for _ in range(3):
            parts = Parts(widgets.ticker("FX:GBPUSD"))
            assert {name for name, text in parts.texts.items() if text == EN_DASH} == dashes
            assert parts.host["data-state"] == "live"
            for field in widgets.FIELDS:
                assert 'data-state="live"' in widgets.price("FX:GBPUSD", field=field)

    (line,) = {message.partition(" field=")[0] for message in caplog.messages}
    assert line == "cannot write a value, dash shown"
    assert len(caplog.messages) == 1 and caplog.messages[0].endswith(" room=FX:GBPUSD_1D")


@pytest.mark.parametrize("engine", [DJANGO, JINJA])
def test_a_value_that_cannot_be_written_takes_no_template_of_the_site_down(
    known: Known, tmp_path: Path, engine: str
) -> None:
    known(close=Odd(1), high=None)
    with override_settings(TEMPLATES=own_template(engine, tmp_path, ALL_VALUES[engine])):
        texts = dict(pair.split("=") for pair in widgets.price("FX:EURUSD").split(";")[:-1])
    assert tuple(texts) == widgets.FIELDS
    assert {name for name, text in texts.items() if text == EN_DASH} == {"close", "high"}
    assert texts["bid"] == "1.08408"


@pytest.mark.parametrize("engine", [DJANGO, JINJA])
def test_a_field_that_does_not_exist_is_empty_in_a_template_of_the_site(
    known: Known, tmp_path: Path, engine: str
) -> None:
    own = own_template(engine, tmp_path, "<{{ fields.price }}{{ fields.bid }}>")
    with override_settings(TEMPLATES=own):
        assert widgets.price("FX:EURUSD") == "<1.08408>"


def test_only_the_values_that_a_template_prints_are_written(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[float | None] = []

    def number(value: float | None, digits: int, notation: formats.Notation | None = None) -> str:
        written.append(value)
        return "1"

    monkeypatch.setattr(formats, "number", number)
    widgets.price("FX:EURUSD", field="bid")
    assert written == [1.08408]
    written.clear()
    widgets.tag("FX:EURUSD")
    assert written == [1.08412, 0.2135]


@pytest.mark.parametrize("special", "&<>\"'")
def test_a_text_is_escaped_whatever_separators_a_language_has(known: Known, special: str) -> None:
    known(close=89962.61, digits=2)
    with (
        translation.override(None),
        override_settings(THOUSAND_SEPARATOR=special, NUMBER_GROUPING=3),
    ):
        assert f">89{escape(special)}962.61<" in widgets.price("FX:EURUSD")
