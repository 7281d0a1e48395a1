"""The signed address of a chart: what it says, and what nobody can make of it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jinja2
import pytest
from django.conf import settings
from django.template import Context, Engine
from django.test import RequestFactory, override_settings
from django.utils import timezone, translation
from hypothesis import given, strategies as st

from django_fcs import widgets
from django_fcs.charts.addresses import FORMATS, THEMES, TYPES, is_signed, read
from django_fcs.exceptions import BadOption, RoomError
from tests.widgets.test_tags import EXTENSION, django_template, jinja

pytestmark = [pytest.mark.urls("tests.charts.urls"), pytest.mark.versions]

APPLE = "NASDAQ:AAPL"


def parameters(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def test_an_address_says_all_that_decides_how_the_image_looks() -> None:
    with translation.override("de"), timezone.override("Europe/Berlin"):
        url = widgets.chart_url(APPLE, "1h", type="line", theme="dark", format="png")

    assert urlsplit(url).path == "/fcs/chart.png"
    given = parameters(url)
    assert re.fullmatch(r"[\w-]{43}", given.pop("signature"))
    assert given == {
        **{"symbol": APPLE, "timeframe": "60", "type": "line", "range": "75", "theme": "dark"},
        **{"width": "600", "zone": "Europe/Berlin", "language": "de"},
    }
    assert read(given)[1:] == ("line", 75, "dark", 600, "Europe/Berlin", "de")


def test_an_address_has_no_token_and_stays_the_same() -> None:
    assert "token" not in widgets.chart_url(APPLE)
    assert widgets.chart_url(APPLE) == widgets.chart_url(APPLE)
    assert widgets.token(APPLE) != parameters(widgets.chart_url(APPLE))["signature"]


def test_an_address_is_absolute_if_it_is_known_where_the_site_is() -> None:
    request = RequestFactory().get("/news/", secure=True)
    plain = widgets.chart_url(APPLE)

    assert plain.startswith("/fcs/chart.svg?symbol=NASDAQ:AAPL&timeframe=1D&")
    assert widgets.chart_url(APPLE, request=request) == f"https://testserver{plain}"
    base = "https://example.com/news/"
    assert widgets.chart_url(APPLE, base=base, request=request) == f"https://example.com{plain}"


def test_a_tag_prints_the_same_and_is_absolute_on_a_page() -> None:
    request = RequestFactory().get("/")
    tag = f'{{% fcs_chart_url "{APPLE}" timeframe="60" format="png" %}}'
    call = f"{{{{ fcs_chart_url('{APPLE}', timeframe='60', format='png') }}}}"
    path = widgets.chart_url(APPLE, "60", format="png")
    page = f"http://testserver{path}"

    assert django_template(tag) == jinja(tag) == jinja(call) == path
    environment = jinja2.Environment(extensions=[EXTENSION])
    for source in (tag, call):
        assert environment.from_string(source).render(request=request) == page
    engine = Engine(libraries={"fcs": "django_fcs.templatetags.fcs"})
    context = Context({"request": request})
    html = engine.from_string("{% load fcs %}" + tag).render(context)
    assert html == page.replace("&", "&amp;")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"type": "heikin"}, "candles bars line area"),
        ({"theme": "sepia"}, "light dark"),
        ({"format": "webp"}, "svg png"),
        *(({"range": value}, "from 10 to 1000") for value in (9, 1001, True, 1.5, "٣٠", "x" * 99)),
        *(({"width": value}, "from 160 to 1200") for value in (0, "100%", -600, 10**5000)),
        *(({"zone": zone}, "UTC or a zone") for zone in ("Mars", "../x", "America", "\0", "", 7)),
        *(({"base": base}, "https://example.com") for base in ("example.com", "//x.de", 5)),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else None,
)
def test_a_wrong_option_is_refused_with_what_it_may_be(option: Any, words: str) -> None:
    with pytest.raises(BadOption, match=re.escape(words)) as refused:
        widgets.chart_url(APPLE, **option)
    assert len(str(refused.value)) < 250


@pytest.mark.urls("tests.urls")
@pytest.mark.parametrize("debug", [False, True])
def test_a_site_without_the_urls_is_told_to_include_them(debug: bool) -> None:
    template = f'{{% fcs_chart_url "{APPLE}" %}}'
    with override_settings(DEBUG=debug):
        if debug:
            with pytest.raises(Exception, match=r"include django_fcs\.urls"):
                django_template(template)
        else:
            assert django_template(template) == ""


# -- the signature


@pytest.mark.parametrize(
    "change",
    [
        *({name: value} for name, value in {"symbol": "FX:EURUSD", "timeframe": "1h"}.items()),
        *({name: value} for name, value in {"type": "area", "range": "1000"}.items()),
        *({name: value} for name, value in {"theme": "dark", "width": "1200"}.items()),
        *({name: value} for name, value in {"zone": "Asia/Tokyo", "language": "ja"}.items()),
        *({name: value} for name, value in {"range": "075", "signature": ""}.items()),
    ],
    ids=str,
)
def test_no_parameter_can_be_changed(change: dict[str, str]) -> None:
    given = parameters(widgets.chart_url(APPLE, "60"))
    read({**given, **change})

    assert is_signed(given, "svg")
    assert not is_signed({**given, **change}, "svg")
    assert not is_signed(given, "png")


def test_an_address_survives_a_new_key_while_the_old_one_is_a_fallback() -> None:
    given = parameters(widgets.chart_url(APPLE))
    with override_settings(SECRET_KEY="new"):
        assert not is_signed(given, "svg")
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert is_signed(given, "svg")


@given(
    st.dictionaries(
        st.sampled_from(
            ["symbol", "timeframe", "type", "range", "width", "zone", "x", "signature"]
        ),
        st.text(max_size=50),
    )
)
def test_whatever_a_stranger_writes_is_refused(made_up: dict[str, str]) -> None:
    assert not is_signed(made_up, "svg")
    with pytest.raises(RoomError):
        read(made_up)


@given(
    type=st.sampled_from(TYPES),
    theme=st.sampled_from(THEMES),
    range=st.integers(10, 1000),
    width=st.integers(160, 1200),
    format=st.sampled_from(FORMATS),
    zone=st.sampled_from(["exchange", "UTC", "America/Argentina/Ushuaia"]),
)
def test_whatever_this_site_makes_is_read_as_it_was_meant(format: str, **options: Any) -> None:
    given = parameters(widgets.chart_url("NSE:M&M", format=format, **options))

    assert is_signed(given, format)
    picture = read(given)
    assert picture.room.symbol == "NSE:M&M"
    assert {name: getattr(picture, name) for name in options} == options
