"""``manage.py fcs_doctor`` and pages whose widgets have no scripts."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from django_fcs.doctor.templates import TemplateText, without_scripts
from tests.doctor.doctors import Report, examined, web_server

pytestmark = pytest.mark.usefixtures("no_vendor")

DJANGO = "django.template.backends.django.DjangoTemplates"
JINJA = "django.template.backends.jinja2.Jinja2"

SCRIPTS = "{% load fcs %}<head>{% fcs_scripts %}</head>"
TICKER = '{% load fcs %}{% fcs_ticker "FX:EURUSD" %}'
PAGE = f"<html><body>{TICKER}</body></html>"
BASE = "<html>{% block body %}{% endblock %}</html>"
CHILD = '{% extends "base.html" %}{% block body %}{% include "card.html" %}{% endblock %}'


@pytest.mark.parametrize(
    ("templates", "lacking"),
    [
        ({}, []),
        ({"page.html": "<html></html>"}, []),
        ({"page.html": PAGE}, ["page.html"]),
        ({"page.html": SCRIPTS + PAGE}, []),
        # Nobody prints them at all.
        ({"card.html": TICKER}, ["card.html"]),
        # Inherited, included, or printed by the page that includes the card.
        ({"base.html": BASE, "card.html": TICKER, "child.html": CHILD}, ["card.html"]),
        ({"base.html": SCRIPTS + BASE, "card.html": TICKER, "child.html": CHILD}, []),
        ({"base.html": BASE, "card.html": TICKER + SCRIPTS, "child.html": CHILD}, []),
        # One page has them, and the other does not.
        (
            {"base.html": BASE, "card.html": TICKER, "child.html": CHILD, "other.html": SCRIPTS},
            ["child.html"],
        ),
        (
            {"one.html": SCRIPTS + PAGE, "two.html": PAGE, "three.html": PAGE},
            ["three.html", "two.html"],
        ),
        # Not judged: parts of pages that a view puts together, and names in variables.
        ({"one.html": SCRIPTS, "part.html": TICKER}, []),
        ({"one.html": SCRIPTS, "page.html": "{% extends layout %}" + PAGE}, []),
        ({"one.html": SCRIPTS, "page.html": '{% extends "of_a_package.html" %}' + PAGE}, []),
        ({"one.html": SCRIPTS, "a.html": '{% include "a.html" %}' + TICKER}, []),
        # Other spellings.
        ({"one.html": SCRIPTS, "page.html": "<body>{{ fcs_price('FX:EURUSD') }}"}, ["page.html"]),
        ({"one.html": SCRIPTS, "page.html": '<body><% fcs_price "FX:EURUSD" %>'}, ["page.html"]),
        ({"one.html": SCRIPTS, "page.html": '<BODY><fcs-price symbol="A:B">'}, ["page.html"]),
        ({"page.html": '<script src="fcs-elements.js"></script>' + PAGE}, []),
    ],
)
def test_pages_with_widgets_and_without_scripts_are_found(
    templates: dict[str, str], lacking: list[str]
) -> None:
    found = {name: TemplateText.read(text) for name, text in templates.items()}

    assert without_scripts(found) == lacking


@pytest.mark.parametrize("backend", [DJANGO, JINJA])
def test_a_template_without_scripts_is_a_warning(backend: str, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "page.html").write_text(PAGE)
    (tmp_path / "binary.html").write_bytes(b"\xff\xfe\x00")
    site: dict[str, Any] = {"TEMPLATES": [{"BACKEND": backend, "DIRS": [tmp_path]}]}
    line = examined(**site)["templates"]

    assert line.outcome == "warning"
    assert line.text == "widgets are on the page, but the scripts are not: shop/page.html"
    assert "{% fcs_scripts %}" in line.fix

    (tmp_path / "shop" / "page.html").write_text(SCRIPTS + PAGE)
    assert examined(**site)["templates"].text == (
        "1 templates have widgets; their pages have the scripts"
    )


def page(html: str, *, scripts: HTTPStatus = HTTPStatus.OK) -> Report:
    """Examine a site whose page has this HTML."""

    def answer(socket: ServerConnection, request: Request) -> Response | None:
        if "websocket" in request.headers.get("Upgrade", ""):
            return None
        if request.path.startswith("/static/"):
            return socket.respond(scripts, "a script")
        headers = Headers({"Content-Type": "text/html", "Content-Length": str(len(html))})
        return Response(200, "OK", headers, html.encode())

    with web_server(lambda socket: None, answer) as port:
        return examined(f"http://127.0.0.1:{port}/prices/")


def test_user_and_password_of_the_address_are_sent_and_not_shown() -> None:
    asked: list[str | None] = []

    def answer(socket: ServerConnection, request: Request) -> Response | None:
        if "websocket" in request.headers.get("Upgrade", ""):
            return None
        asked.append(request.headers.get("Authorization"))
        return socket.respond(HTTPStatus.OK, SCRIPT + WIDGET)

    with web_server(lambda socket: None, answer) as port:
        report = examined(f"http://me:pa55%2Fword@127.0.0.1:{port}/prices/")

    assert report["page"].outcome == "ok"
    assert asked == ["Basic bWU6cGE1NS93b3Jk"] * 2
    assert "pa55" not in report.out


@pytest.mark.parametrize(
    "url",
    [
        *("http://me:pa55word@site.invalid:x/", "http://me:pa55word@site.invalid:99999/"),
        *("http://me:pa55/word@site.invalid/", "me:pa55word@site.invalid"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(CommandError, match="is not an address such as") as caught:
        call_command("fcs_doctor", "--url", url)

    assert "pa55" not in str(caught.value)


SCRIPT = "<script defer src='/static/django_fcs/fcs-elements.0a1b.js'></script>"
WIDGET = '<fcs-ticker symbol="FX:EURUSD"></fcs-ticker>'


def test_a_page_with_widgets_and_without_scripts_is_a_warning() -> None:
    line = page(WIDGET)["page"]

    assert line.outcome == "warning"
    assert line.text.endswith("/prices/: widgets are on the page, but the scripts are not")


def test_scripts_that_are_not_served_are_told() -> None:
    line = page(SCRIPT + WIDGET, scripts=HTTPStatus.NOT_FOUND)["page"]

    assert line.outcome == "broken"
    assert line.text.endswith("/static/django_fcs/fcs-elements.0a1b.js is not served: HTTP 404")
    assert "collectstatic" in line.fix


def test_a_page_that_has_all_it_needs_is_well() -> None:
    assert page(SCRIPT + WIDGET)["page"].outcome == "ok"


def test_a_page_without_widgets_says_nothing() -> None:
    line = page("<p>Hello")["page"]

    assert line.outcome == "skipped"
    assert "has no widgets: give --url a page that has one" in line.text
