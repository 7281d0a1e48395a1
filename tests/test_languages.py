"""The words of the widgets in every language of the package."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.template import Context, Template
from django.test import override_settings
from django.utils import translation

from lab import messages
from tests.widgets.test_page import data_block

LANGUAGES = {"ar", "de", "es", "fr", "ja", "zh_Hans"}

#: Words that a language shares with English. Traders say pips everywhere, and an element that has
#: another language than the scripts of its page shows the same word before and after they run.
PIPS = "{n} pips"
SHARED = {
    "de": {"live", "offline", "Spread", "Filter", "Instrument", "Name", PIPS},
    "fr": {"Volume", "Instrument", "Pause", PIPS},
}


def words(catalog: Catalog) -> dict[tuple[str, str], str]:
    """Return the translations by context and text."""
    return {(str(one.context), str(one.id)): str(one.string) for one in catalog if one.id}


def test_the_template_has_the_words_of_the_code() -> None:
    with messages.TEMPLATE.open("rb") as file:
        template = read_po(file)

    assert words(template).keys() == words(messages.collected()).keys(), "make messages"


def test_the_languages_are_those_of_the_documents() -> None:
    assert {folder.parent.name for folder in messages.languages()} == LANGUAGES


@pytest.mark.parametrize("folder", messages.languages(), ids=lambda folder: folder.parent.name)
def test_every_word_is_translated_and_compiled(folder: Path) -> None:
    catalog = messages.translated(folder)
    found = words(catalog)
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    assert found.keys() == words(messages.collected()).keys(), "make messages"
    for (context, text), translated in found.items():
        assert translated and not catalog.get(text, context).fuzzy
        assert compiled.pgettext(context, text) == translated, "make messages"
        assert re.findall(r"{\w+}", translated) == re.findall(r"{\w+}", text)
    same = {text for (of, text), told in found.items() if of == "price" and text == told}
    assert same <= SHARED.get(folder.parent.name, {PIPS})


@pytest.mark.parametrize(
    ("language", "word"),
    [("de", "geschlossen"), ("es", "cerrado"), ("fr", "fermé"), ("ja", "取引時間外")]
    + [("zh-hans", "休市"), ("ar", "مغلق"), ("de-at", "geschlossen")],
)
def test_a_page_passes_its_own_words_to_the_script(language: str, word: str) -> None:
    with translation.override(language):
        page = Template("{% load fcs %}{% fcs_scripts %}").render(Context())

    assert data_block(page)["texts"]["closed"] == word


def test_a_sites_own_words_have_precedence(tmp_path: Path) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    own = Catalog(locale="de")
    own.add("closed", "Feierabend", context="price")
    (folder / "django.mo").write_bytes(messages.as_mo(own))
    with override_settings(LOCALE_PATHS=[tmp_path]), translation.override("de"):
        page = Template("{% load fcs %}{% fcs_scripts %}").render(Context())

    texts = data_block(page)["texts"]
    assert (texts["closed"], texts["High"]) == ("Feierabend", "Hoch")
