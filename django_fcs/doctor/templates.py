"""Which templates of a site print widgets, and whether their pages have the scripts.

Templates are read as text, so that this works for each engine. A template that names
another one by a variable is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.template import engines
from django.template.autoreload import get_template_directories

from django_fcs.widgets.tags import ELEMENTS

__all__ = ["TemplateText", "project_templates", "without_scripts"]

#: Bounds of what is read: files, and bytes of each.
FILES_MAX = 20_000
FILE_MAX = 1024 * 1024

_ELEMENT = "|".join(ELEMENTS)
_TAG = _ELEMENT.replace("-", "_")
_WIDGET = re.compile(rf"[{{<]%[-+]?\s*(?:{_TAG})\b|\b(?:{_TAG})\s*\(|<(?:{_ELEMENT})(?![\w-])")
_SCRIPTS = re.compile(r"\bfcs_scripts\b|\bfcs-elements\b|\bfcs\.min\.js\b")
_PAGE = re.compile(r"<(?:!doctype|html|head|body)\b", re.I)
_OTHER = re.compile(r"""%[-+]?\s*(?:extends|include|import|from)\s+(?:["']([^"']+)["']|)""")


@dataclass(frozen=True)
class TemplateText:
    """What the text of a template says."""

    has_widgets: bool
    has_scripts: bool
    is_page: bool
    others: frozenset[str]
    """The templates that it extends, includes or imports; "" stands for a variable."""

    @classmethod
    def read(cls, text: str) -> TemplateText:
        """Read the text of a template."""
        return cls(
            bool(_WIDGET.search(text)),
            bool(_SCRIPTS.search(text)),
            bool(_PAGE.search(text)),
            frozenset(_OTHER.findall(text)),
        )


def project_templates() -> dict[str, TemplateText]:
    """Read all templates of the site, by name, without those of this package."""
    found: dict[str, TemplateText] = {}
    for folder, path in _files():
        name = path.relative_to(folder).as_posix()
        if name.startswith("django_fcs/") or name in found:
            continue
        if len(found) >= FILES_MAX:
            break
        try:
            with path.open("rb") as file:
                found[name] = TemplateText.read(file.read(FILE_MAX).decode(errors="replace"))
        except OSError:
            continue
    return found


def without_scripts(templates: Mapping[str, TemplateText]) -> list[str]:
    """Return the names of the templates whose pages have widgets, but no scripts."""
    if not any(template.has_scripts for template in templates.values()):
        return sorted(name for name, template in templates.items() if template.has_widgets)
    used = {other for template in templates.values() for other in template.others}
    return sorted(name for name in templates.keys() - used if _lacks(name, templates))


def _lacks(name: str, templates: Mapping[str, TemplateText]) -> bool:
    names, parts = {name}, [templates[name]]
    for part in parts:  # It grows: what a part extends or includes is a part, too.
        if "" in part.others or part.others - templates.keys():
            return False
        parts += [templates[other] for other in part.others - names]
        names |= part.others
    return (
        any(part.has_widgets for part in parts)
        and any(part.is_page for part in parts)
        and not any(part.has_scripts for part in parts)
    )


def _files() -> Iterator[tuple[Path, Path]]:
    folders = {Path(folder) for folder in get_template_directories()}
    for engine in engines.all():
        folders |= {Path(folder) for folder in getattr(engine, "template_dirs", ())}
    for folder in sorted(folders):
        yield from ((folder, path) for path in sorted(folder.rglob("*")) if path.is_file())
