"""Probes of the site's pages: widgets need the scripts, and the scripts must be served."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from base64 import b64encode
from functools import partial
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from django_fcs.widgets.tags import ELEMENTS

from .examine import Finding, Probe, broken, ok, skipped, warning
from .templates import project_templates, without_scripts

__all__ = ["after"]

PAGE_SECONDS = 10.0

#: How much of a page is read, in bytes.
PAGE_MAX = 4 * 1024 * 1024

#: Templates that are named, at most.
NAMED = 5

_WIDGET = re.compile(rf"<(?:{'|'.join(ELEMENTS)})(?![\w-])")
_SCRIPT = re.compile(
    r"""<script\b[^>]*\bsrc=["']?([^"'\s>]*\bfcs(?:-client|-elements)?\.[^"'\s>]*)"""
)

_ADD = (
    "Put {% load fcs %}{% fcs_scripts %} into the head of the page, or of the template that it "
    "extends. If you load or bundle the scripts in another way, ignore this."
)
_SERVE = (
    "Run manage.py collectstatic and serve STATIC_URL. With DEBUG, django.contrib.staticfiles in "
    "INSTALLED_APPS serves it."
)


def probe_templates() -> list[Finding]:
    """Look for templates with widgets that neither print the scripts nor inherit them."""
    found = project_templates()
    names = without_scripts(found)
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        shown = ", ".join(names[:NAMED])
        return warning(f"widgets are on the page, but the scripts are not: {shown}{more}", _ADD)
    number = sum(template.has_widgets for template in found.values())
    return ok(f"{number} templates have widgets; their pages have the scripts")


def probe_page(url: str) -> list[Finding]:
    """Read a page of the running site: do its widgets have scripts, and are these served?"""
    if not url:
        return skipped("because it needs a page with widgets: --url http://127.0.0.1:8000/prices/")
    try:
        html = _read(url)
    except (OSError, ValueError) as error:
        return skipped(f"because {url} cannot be read: {_reason(error)}")
    scripts = [urljoin(url, source) for source in _SCRIPT.findall(html)]
    if not _WIDGET.search(html):
        return skipped(f"because {url} has no widgets: give --url a page that has one")
    if not scripts:
        return warning(f"{url}: widgets are on the page, but the scripts are not", _ADD)
    for script in scripts:
        try:
            _read(script)
        except (OSError, ValueError) as error:
            return broken(f"{script} is not served: {_reason(error)}", _SERVE)
    return ok(f"{url} has widgets and the scripts")


def after(url: str) -> tuple[Probe, ...]:
    """Return the probes; ``url`` is that of a page of the running site, or empty."""
    return (
        Probe("templates", probe_templates, _ADD),
        Probe("page", partial(probe_page, url), _ADD),
    )


def _read(url: str) -> str:
    with urllib.request.urlopen(_request(url), timeout=PAGE_SECONDS) as answer:
        return str(answer.read(PAGE_MAX).decode(errors="replace"))


def _request(url: str) -> urllib.request.Request:
    """Send user and password of the address in a header: urllib would take them for a port."""
    parts = urlsplit(url)
    credentials, _, place = parts.netloc.rpartition("@")
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=place)))
    if credentials:
        encoded = b64encode(unquote(credentials).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {encoded}")
    return request


def _reason(error: Exception) -> str:
    return f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else str(error)
