"""The data block that a page passes to the scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import setting_changed
from django.test import override_settings
from django.utils import translation
from django.utils.autoreload import file_changed
from django.utils.functional import lazy

import django_fcs
from django_fcs import widgets
from django_fcs.widgets.page import _MODULES
from django_fcs.widgets.texts import _TEXTS, _word, texts, translations

STATIC = Path(django_fcs.__file__).parent / "static" / "django_fcs"
BLOCK = re.compile(r'<script id="fcs-page" type="application/json">(.*?)</script>', re.DOTALL)


def data_block(html: str) -> dict[str, Any]:
    """Return the data of the one data block of a page."""
    (text,) = BLOCK.findall(html)
    found: dict[str, Any] = json.loads(text)
    return found


@override_settings(FCS_TIMEFRAME="60")
def test_the_page_passes_its_language_and_settings_as_one_data_block() -> None:
    with translation.override("de"):
        html = widgets.scripts()

    block = data_block(html)
    assert (block["language"], block["timeframe"]) == ("de", "60")
    assert block["numbers"] == {"decimal": ",", "thousand": ".", "grouping": "3"}
    assert block["texts"]["{n} min old"] == "{n} min alt"
    assert "data-fcs-text" not in html


@pytest.mark.parametrize(("code", "numbers"), [("ar", ",.0"), ("zh-hans", ".4"), ("de", ",.3")])
def test_the_scripts_know_how_the_active_language_writes_numbers(code: str, numbers: str) -> None:
    with translation.override(code):
        block = data_block(widgets.scripts())

    assert "".join(block["numbers"].values()) == numbers


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--<script>", '"&\u2028'])
def test_no_text_of_a_translator_ends_the_data_block(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def translate() -> str:
        return text if translation.get_language() else "live"

    monkeypatch.setattr("django_fcs.widgets.texts._word", _word.__wrapped__)  # without a memory
    monkeypatch.setitem(_TEXTS, "live", lazy(translate, str)())
    html = widgets.scripts()

    assert html.count("<script") == html.count("</script>") == 2 and "<!--" not in html
    assert data_block(html)["texts"]["live"] == text


def test_the_script_names_each_text_as_the_server_does() -> None:
    source = "".join(path.read_text() for path in STATIC.glob("*.js") if ".min." not in path.name)
    with translation.override(None):
        missing = {words for words in texts().values() if f'"{words}"' not in source}

    assert not missing


def test_each_text_is_in_the_language_that_is_active_when_it_is_asked_for() -> None:
    with translation.override("de"):
        german = texts()
        with translation.override("en"):
            assert german["low"] == "Low"
        assert german["low"] == texts()["low"] == "Tief"


def test_a_new_catalog_or_setting_makes_the_texts_new(monkeypatch: pytest.MonkeyPatch) -> None:
    assert texts()["low"] == "Low"
    monkeypatch.setitem(_TEXTS, "low", "Lowest")
    assert texts()["low"] == "Low"
    setting_changed.send(sender=None, setting="LOCALE_PATHS", value=None, enter=True)
    assert texts()["low"] == "Lowest"
    monkeypatch.undo()
    file_changed.send(sender=None, file_path=STATIC)
    assert texts()["low"] == "Low"


def test_the_page_names_only_the_texts_that_its_language_says_otherwise() -> None:
    with translation.override("en"):
        assert translations() == {}
    with translation.override("de"):
        assert translations()["High"] == "Hoch"


@pytest.mark.parametrize(("debug", "mark"), [(False, ".min"), (True, "")])
def test_the_page_names_the_modules_that_the_script_may_import(debug: bool, mark: str) -> None:
    with override_settings(DEBUG=debug):
        modules = data_block(widgets.scripts())["modules"]

    named = {selector: name.replace(".js", f"{mark}.js") for selector, name in _MODULES.items()}
    assert modules == {selector: f"/static/django_fcs/{name}" for selector, name in named.items()}
    assert all((STATIC / name).is_file() for name in named.values())
