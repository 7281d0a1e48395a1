"""Write the catalogues of the visitors' words: ``make messages``.

It collects the words of ``django_fcs`` into ``locale/django.pot``, adds new ones to each language's
``django.po``, where a translator fills them in, and compiles each into ``django.mo``.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1] / "django_fcs"
LOCALES = ROOT / "locale"
TEMPLATE = LOCALES / "django.pot"

_KEYWORDS = {"pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2)}
_HEADER = (
    '# The words that visitors read in the widgets of django_fcs. "make messages" writes this file.'
)


def collected() -> Catalog:
    """Return the words that stand in the code."""
    catalog = Catalog(header_comment=_HEADER, fuzzy=False)
    found = extract_from_dir(ROOT, [("**.py", "python")], keywords=_KEYWORDS)
    for path, _, message, comments, context in found:
        catalog.add(
            message, None, [(f"django_fcs/{path}", 0)], auto_comments=comments, context=context
        )
    return catalog


def languages() -> list[Path]:
    """Return the folder of each language."""
    return sorted(path.parent for path in LOCALES.glob("*/LC_MESSAGES/django.po"))


def translated(folder: Path) -> Catalog:
    """Return the words of a language."""
    with (folder / "django.po").open("rb") as file:
        return read_po(file, locale=folder.parent.name)


def as_po(catalog: Catalog) -> bytes:
    """Return a catalogue as text for translators; the same words always give the same text."""
    file = BytesIO()
    write_po(file, catalog, width=100, include_lineno=False, sort_output=True, omit_header=False)
    kept = [line for line in file.getvalue().splitlines(True) if not line.startswith(_CHANGES)]
    return b"".join(kept)


#: Lines of a header that would differ each time.
_CHANGES = (
    *(b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By', b'"Report-Msgid-Bugs-To'),
    *(b'"Last-Translator', b'"Language-Team', b'"Project-Id-Version'),
)


def as_mo(catalog: Catalog) -> bytes:
    """Return a catalogue as Django reads it."""
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main() -> None:
    """Write all files."""
    words = collected()
    TEMPLATE.write_bytes(as_po(words))
    for folder in languages():
        catalog = translated(folder)
        catalog.update(words, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        (folder / "django.po").write_bytes(as_po(catalog))
        (folder / "django.mo").write_bytes(as_mo(catalog))


if __name__ == "__main__":
    main()
