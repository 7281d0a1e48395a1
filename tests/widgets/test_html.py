"""The HTML of the widgets, as visitors without JavaScript get it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory, override_settings
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString, mark_safe

from django_fcs import widgets
from django_fcs.exceptions import BadField, BadSymbol, BadTimeframe, RoomError
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from django_fcs.tokens import token_is_valid
from tests.support.checked import found

pytestmark = pytest.mark.versions

DJANGO = "django.template.backends.django.DjangoTemplates"
JINJA = "django.template.backends.jinja2.Jinja2"
EN_DASH = "–"
README = Path(__file__).parents[2] / "README.md"


def a_quote(symbol: str = "FX:EURUSD", timeframe: str | None = None, **changes: Any) -> Quote:
    """A price of the euro, or what the test makes of it."""
    moment = datetime(2025, 12, 22, 13, 50, 26, tzinfo=timezone.utc)
    values: dict[str, Any] = {
        **{"open": 1.08181, "high": 1.08455, "low": 1.08102, "close": 1.08412},
        **{"volume": 8192.7, "ask": 1.08416, "bid": 1.08408, "previous_close": 1.08181},
        **{"change": 0.00231, "change_percent": 0.2135, "spread": 0.00008, "digits": 5},
        **{"t": 1766361600, "updated": moment, "at": moment.timestamp(), "age": 1.0},
        **{"state": State.LIVE, "delay": None},
    }
    return Quote(room=Room.parse(symbol, timeframe), **{**values, **changes})


class Odd(float):
    """A number that nobody can write."""

    def __repr__(self) -> str:
        raise RuntimeError("no text for it")


class Parts(HTMLParser):
    """The elements of some HTML: attributes and text of each, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "link":
            self._open.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        field = self._open[-1].get("data-field") if self._open else None
        if field:
            self.texts[field] = self.texts.get(field, "") + data

    @property
    def host(self) -> dict[str, str | None]:
        return self.elements[0][1]


Known = Callable[..., None]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    """Make the site know a price, ``known(close=1.09)``, or none, ``known(None)``."""

    def know(*nothing: None, **changes: Any) -> None:
        def quote_to_show(room: Room) -> Quote | None:
            return None if nothing else a_quote(room.symbol, room.timeframe, **changes)

        monkeypatch.setattr("django_fcs.quotes.quote_to_show", quote_to_show)

    know()
    return know


def test_a_ticker_holds_the_last_price(known: Known) -> None:
    parts = Parts(widgets.ticker("FX:EURUSD"))
    assert parts.texts == {
        **{"symbol": "EUR/USD", "name": "Euro / US dollar", "close": "1.08412"},
        **{"change": "+0.00231", "change_percent": "+0.21\N{THIN SPACE}%"},
        **{"low": "1.08102", "high": "1.08455"},
        "updated": parts.texts["updated"],
    }


def test_a_ticker_tells_its_room_and_state_in_attributes(known: Known) -> None:
    host = Parts(widgets.ticker("FX:EURUSD", "1h")).host
    assert token_is_valid(host.pop("token") or "", "FX:EURUSD")
    assert host == {
        **{"symbol": "FX:EURUSD", "timeframe": "60", "role": "group"},
        "aria-label": "Euro / US dollar",
        **{"data-state": "live", "data-direction": "up", "data-digits": "5"},
        **{"data-decimal": ".", "data-thousand": ",", "data-grouping": "3"},
    }


def test_a_name_can_stand_in_a_sentence_with_or_without_a_price(known: Known) -> None:
    for _ in range(2):
        name = Parts(widgets.price("FX:XAUUSD", field="name"))
        assert name.texts == {"name": "Gold / US dollar"}
        assert Parts(widgets.ticker("SP:SPX")).host["aria-label"] == "S&P 500"
        known(None)


@override_settings(FCS_NAMES={"FX:EURUSD": mark_safe('<b>"Euro"')})
def test_a_name_of_the_site_is_text_even_if_it_is_marked_as_safe(known: Known) -> None:
    for html in (widgets.price("FX:EURUSD", field="name"), widgets.ticker("FX:EURUSD")):
        assert "<b>" not in html and "&lt;b&gt;&quot;Euro&quot;" in html


@override_settings(TIME_ZONE="UTC")
def test_the_price_bears_its_time_and_never_the_word_live(known: Known) -> None:
    for html in (widgets.ticker("FX:EURUSD"), widgets.price("FX:EURUSD", field="updated")):
        assert 'data-field="updated" datetime="2025-12-22T13:50:26Z">' in html
        assert "13:50:26 UTC</time>" in html
        assert "live" not in html.replace('data-state="live"', "")


def test_no_translator_touches_a_number(known: Known) -> None:
    html = widgets.ticker("FX:EURUSD") + widgets.tag("FX:EURUSD") + widgets.price("FX:EURUSD")
    for _, attrs in Parts(html).elements:
        is_fixed = "data-field" in attrs or attrs.get("data-part") == "unit"
        assert attrs.get("translate") == ("no" if is_fixed else None)


@pytest.mark.parametrize("state", list(State))
def test_the_state_is_the_quotes(known: Known, state: State) -> None:
    known(state=state)
    assert Parts(widgets.ticker("FX:EURUSD")).host["data-state"] == state.value


@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.CLOSED, "until": 10**300},
        {"state": State.CLOSED, "until": 9e12},
        {"delay": "soon"},
        {"state": None},
    ],
)
def test_a_price_that_cannot_be_written_takes_no_page_down(
    known: Known, caplog: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    with override_settings(TIME_ZONE="Asia/Tokyo"):
        known(**changes)
        for _ in range(3):
            parts = Parts(widgets.ticker("FX:EURUSD"))
            assert (parts.host["data-state"], parts.texts["close"]) == ("waiting", EN_DASH)
            assert parts.host["symbol"] == "FX:EURUSD"
            for field in widgets.FIELDS:
                assert 'data-state="waiting"' in widgets.price("FX:EURUSD", field=field)

    (line,) = caplog.messages
    assert line == "cannot write a price, widget shown without it room=FX:EURUSD_1D"


def test_errors_that_no_price_causes_are_raised_as_ever(known: Known) -> None:
    known(close=float("nan"))
    with pytest.raises(BadSymbol):
        widgets.ticker("eurusd")
    with pytest.raises(BadField):
        widgets.price("FX:EURUSD", field="price")


def test_a_price_that_did_not_move_has_no_direction(known: Known) -> None:
    known(change=0.0)
    assert "data-direction" not in Parts(widgets.ticker("FX:EURUSD")).host


def test_a_delayed_feed_says_by_how_much(known: Known) -> None:
    known(delay=890)
    ticker, price = widgets.ticker("FX:EURUSD"), widgets.price("FX:EURUSD")
    assert Parts(ticker).host["data-delay"] == "890"
    assert ">15 min delayed<" in ticker
    assert 'title="EUR/USD, 15 min delayed, ' in price


@override_settings(TIME_ZONE="America/New_York")
def test_a_closed_market_says_so_and_when_it_opens_in_the_time_of_the_page(known: Known) -> None:
    opens = int(datetime(2037, 1, 5, 14, 30, tzinfo=timezone.utc).timestamp())
    for until, words in [(None, "closed"), (opens, "opens 5 Jan 09:30 EST")]:
        known(state=State.CLOSED, until=until, delay=900)
        ticker, price = widgets.ticker("FX:EURUSD"), widgets.price("FX:EURUSD")
        assert f'<span data-part="status">{words}</span>' in ticker
        assert f'title="EUR/USD, {words}, ' in price
        assert Parts(ticker).host["data-delay"] == "900"


def test_without_a_price_the_same_box_waits(known: Known) -> None:
    full = Parts(widgets.ticker("FX:EURUSD"))
    known(None)
    empty = Parts(widgets.ticker("FX:EURUSD"))
    assert empty.host["data-state"] == "waiting"
    assert set(empty.texts.values()) == {"EUR/USD", "Euro / US dollar", EN_DASH}
    parts = [attrs.get("data-part") for _, attrs in full.elements]
    parts.remove("last")  # the last point of a line that has none
    assert [attrs.get("data-part") for _, attrs in empty.elements] == parts


def test_an_unknown_value_is_a_dash(known: Known) -> None:
    known(bid=None, spread=None, low=None)
    assert Parts(widgets.price("FX:EURUSD", field="bid")).texts == {"bid": EN_DASH}
    assert Parts(widgets.price("FX:EURUSD", field="spread")).texts == {"spread": EN_DASH}
    assert Parts(widgets.ticker("FX:EURUSD")).texts["low"] == EN_DASH


def test_a_price_is_one_number_without_blanks_around_it(known: Known) -> None:
    html = widgets.price("FX:EURUSD", field="bid")
    assert html.startswith("<fcs-price ") and html.endswith("</fcs-price>")
    assert "\n" not in html
    parts = Parts(html)
    assert parts.host["field"] == "bid"
    assert parts.texts == {"bid": "1.08408"}


@pytest.mark.parametrize("field", widgets.FIELDS)
def test_every_field_can_stand_alone(known: Known, field: str) -> None:
    assert Parts(widgets.price("FX:EURUSD", field=field)).texts[field] != EN_DASH


def test_nothing_of_a_widget_wants_an_inline_style_or_script(known: Known) -> None:
    html = widgets.ticker("FX:EURUSD") + widgets.price("FX:EURUSD") + widgets.scripts()
    assert " style=" not in html and " on" not in html and "<style" not in html
    for tag, attrs in Parts(widgets.scripts()).elements:
        assert tag != "script" or attrs.get("src") or attrs["type"] == "application/json"


def test_a_widget_is_phrasing_content_and_may_stand_in_a_paragraph(known: Known) -> None:
    html = widgets.ticker("FX:EURUSD") + widgets.price("FX:EURUSD") + widgets.tag("FX:EURUSD")
    assert {tag for tag, _ in Parts(html).elements} == {
        *("fcs-ticker", "fcs-price", "fcs-tag", "span", "time"),
        *("a", "svg", "path", "circle"),  # SVG is phrasing content
    }


def test_what_a_template_marked_as_safe_is_escaped_all_the_same(known: Known) -> None:
    html = widgets.ticker(mark_safe('X:A"><B'))
    assert Parts(html).host["symbol"] == 'X:A"><B'
    assert 'A"><B' not in html
    assert isinstance(html, SafeString)


@override_settings(USE_THOUSAND_SEPARATOR=True, FCS_OFFLINE_AFTER_SECONDS=7.5)
def test_attributes_are_for_machines_whatever_the_language(known: Known) -> None:
    known(delay=1800)
    with translation.override("de"):
        assert Parts(widgets.ticker("FX:EURUSD")).host["data-delay"] == "1800"
        assert Parts(widgets.ticker("FX:EURUSD")).texts["close"] == "1,08412"
        assert 'data-fcs-offline-after="7.5"' in widgets.scripts()


@pytest.mark.parametrize(
    ("symbol", "timeframe", "field", "error"),
    [
        ("EURUSD", None, "close", BadSymbol),
        ("fx:eurusd", None, "close", BadSymbol),
        (None, None, "close", BadSymbol),
        ("FX:EURUSD", "2h", "close", BadTimeframe),
        ("FX:EURUSD", 61, "close", BadTimeframe),
        ("FX:EURUSD", None, "last", BadField),
    ],
)
def test_a_wrong_value_is_named(
    known: Known, symbol: Any, timeframe: Any, field: str, error: type[RoomError]
) -> None:
    with pytest.raises(error, match="EURUSD|eurusd|None|2h|61|last"):
        widgets.price(symbol, timeframe, field=field)


@override_settings(FCS_SOCKET_URL="/prices/", FCS_TIMEFRAME="60")
def test_the_scripts_come_in_order_and_know_the_site() -> None:
    elements = Parts(widgets.scripts()).elements
    assert [tag for tag, _ in elements] == ["link", "link", "script", "script"]
    (_, css), (_, of_charts), (_, block), (_, script) = elements
    assert css == {"rel": "stylesheet", "href": "/static/django_fcs/fcs.min.css"}
    assert of_charts == {**css, "href": "/static/django_fcs/fcs-chart.min.css"}
    assert script == {
        **{"defer": None, "src": "/static/django_fcs/fcs.min.js"},
        **{"data-fcs-socket": "/prices/", "data-fcs-offline-after": "10"},
    }
    assert block == {"id": "fcs-page", "type": "application/json"}
    with override_settings(DEBUG=True):
        *_, (_, client), (_, own) = Parts(widgets.scripts()).elements
    assert client == {**script, "src": "/static/django_fcs/fcs-client.js"}
    assert own == {"defer": None, "src": "/static/django_fcs/fcs-elements.js"}


@pytest.mark.parametrize(("debug", "expected"), [(False, ["n<1"]), (True, ["n<1", "n<1"])])
def test_all_files_take_the_nonce_and_none_is_empty(debug: bool, expected: list[str]) -> None:
    with override_settings(DEBUG=debug):
        nonces = [a.get("nonce") for _, a in Parts(widgets.scripts(nonce="n<1")).elements]
    assert nonces == ["n<1", "n<1", None, *expected]
    assert "nonce" not in widgets.scripts()


def test_the_nonce_is_djangos_or_else_django_csps() -> None:
    request = RequestFactory().get("/")
    nothing: dict[str, object] = {}
    assert widgets.nonce_from(nothing.get) == ""
    assert widgets.nonce_from({"request": request}.get) == ""
    assert widgets.nonce_from({"csp_nonce": None}.get, request) == ""
    request.csp_nonce = "theirs"  # type: ignore[attr-defined]
    assert widgets.nonce_from({"request": request}.get) == "theirs"
    assert widgets.nonce_from(nothing.get, request) == "theirs"
    assert widgets.nonce_from({"csp_nonce": ""}.get, request) == "theirs"
    request._csp_nonce = "djangos"  # type: ignore[attr-defined]
    assert widgets.nonce_from(nothing.get, request) == "djangos"
    assert widgets.nonce_from({"csp_nonce": "of the page"}.get, request) == "of the page"


def test_a_lazy_nonce_is_read_though_it_is_false_until_then() -> None:
    class Lazy(SimpleLazyObject):  # type: ignore[type-arg]  # no generic when it runs
        def __bool__(self) -> bool:
            return False

    assert widgets.nonce_from({"csp_nonce": Lazy(lambda: "abc")}.get) == "abc"


@pytest.mark.parametrize("engines", [[], [{"BACKEND": JINJA, "DIRS": [], "APP_DIRS": True}]])
def test_a_site_without_django_templates_gets_the_same_html(
    known: Known, engines: list[dict[str, Any]]
) -> None:
    expected = widgets.ticker("FX:EURUSD"), widgets.scripts(nonce="n")
    with override_settings(TEMPLATES=engines):
        assert (widgets.ticker("FX:EURUSD"), widgets.scripts(nonce="n")) == expected


def test_a_site_may_put_its_own_template_in_place(known: Known, tmp_path: Path) -> None:
    own = tmp_path / "django_fcs" / "price.html"
    own.parent.mkdir()
    own.write_text("<b>{{ name }} {{ fields.close }}</b>\n")
    engine = {"BACKEND": DJANGO, "DIRS": [tmp_path], "APP_DIRS": True}
    with override_settings(TEMPLATES=[engine]):
        assert widgets.price("FX:EURUSD") == "<b>EUR/USD 1.08412</b>"
        assert widgets.ticker("FX:EURUSD").startswith("<fcs-ticker ")


def test_an_app_in_the_documented_order_replaces_a_template(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "shop" / "templates" / "django_fcs" / "price.html"
    own.parent.mkdir(parents=True)
    own.write_text("<b>{{ fields.close }}</b>")
    (tmp_path / "shop" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    [line] = re.findall(r"INSTALLED_APPS = (\[.*\])", README.read_text())
    apps = eval(line, {"your_own_apps": ["shop", "django.contrib.staticfiles"]})
    with override_settings(INSTALLED_APPS=apps):
        assert widgets.price("FX:EURUSD") == "<b>1.08412</b>"
        assert widgets.ticker("FX:EURUSD").startswith("<fcs-ticker ")
        assert found() == []


def test_escaping_does_not_depend_on_the_sites_engine(known: Known) -> None:
    engine = {"BACKEND": DJANGO, "APP_DIRS": True, "OPTIONS": {"autoescape": False}}
    with override_settings(TEMPLATES=[engine]):
        assert "<B" not in widgets.ticker('X:A"><B')
        assert "<B" not in widgets.price('X:A"><B')
        assert "<B" not in widgets.scripts(nonce="<B")


def test_a_token_opens_the_symbol_it_was_made_for() -> None:
    assert token_is_valid(widgets.token("FX:EURUSD"), "FX:EURUSD")
    with pytest.raises(BadSymbol):
        widgets.token("EURUSD")


@pytest.mark.parametrize("announce", [True, False, 1, "", None])
def test_a_tag_may_ask_that_screen_readers_announce_its_price(known: Known, announce: Any) -> None:
    for tag in (widgets.ticker, widgets.price, widgets.tag):
        host = Parts(tag("FX:EURUSD", announce=announce)).host
        assert ("announce" in host) == bool(announce)
        assert "announce" not in Parts(tag("FX:EURUSD")).host
