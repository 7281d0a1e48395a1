"""The converter: amounts that people type, legs against the dollar, and what it prints."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import jinja2
import pytest
from django.http import HttpRequest, QueryDict
from django.template import Context, RequestContext, Template
from django.test import RequestFactory, override_settings
from django.utils import translation
from django.utils.translation import gettext_lazy

from django_fcs import widgets
from django_fcs.exceptions import BadOption
from django_fcs.prices.crosses import CODES, decimals_of, from_dollars, leg_of, to_dollars
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from tests.widgets.test_html import a_quote

pytestmark = pytest.mark.versions

PRICES = {
    **{"FX:EURUSD": 1.08412, "FX:GBPUSD": 1.2669, "FX:USDJPY": 154.207},
    **{"FX:USDCHF": 0.88143, "FX:XAUUSD": 4071.35, "FX:USDKWD": 0.30712},
}


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make the site know some prices, and change what it knows of others."""
    changed: dict[str, dict[str, Any]] = {}

    def quote_to_show(room: Room) -> Quote | None:
        if room.symbol not in PRICES and room.symbol not in changed:
            return None
        values = {"close": PRICES.get(room.symbol), **changed.get(room.symbol, {})}
        return a_quote(room.symbol, room.timeframe, **values)

    def change(symbol: str, **values: Any) -> None:
        changed[symbol] = values

    monkeypatch.setattr("django_fcs.quotes.quote_to_show", quote_to_show)
    return change


Market = Callable[..., None]


def rows(html: str) -> dict[str, dict[str, str]]:
    """Return what each visible result says, by currency."""
    found = {}
    for attributes, inside in re.findall(r"<li ([^>]*)>(.*?)</li>", html, re.S):
        code = re.search('data-code="([A-Z]+)"', attributes)
        state = re.search('data-state="([a-z]+)"', attributes)
        status = re.search('data-part="status">([^<]*)<', inside)
        time = re.search('<time [^>]*datetime="([^"]*)"', inside)
        amount = re.search("<output [^>]*>([^<]*)</output>", inside)
        assert code and state and status and amount
        if not attributes.endswith(" hidden"):
            found[code[1]] = {
                **{"amount": amount[1], "state": state[1], "status": status[1]},
                "time": time[1] if time else "",
            }
    return found


def amounts(html: str) -> dict[str, str]:
    return {code: row["amount"] for code, row in rows(html).items()}


def request_for(query: str) -> HttpRequest:
    return RequestFactory().get(f"/?{query}")


# Amounts


@pytest.mark.parametrize(
    ("amount", "english", "german"),
    [
        ("100", "100", "100"),
        ("1.234", "1.234", "1,234"),
        (1234.567, "1234.567", "1234,567"),
        (Decimal("0.10"), "0.1", "0,1"),
        (gettext_lazy("12.5"), "12.5", "12,5"),
        (10**6, "1000000", "1000000"),
    ],
)
def test_an_argument_is_a_number_as_python_writes_it(
    market: Market, amount: object, english: str, german: str
) -> None:
    for language, text in (("en", english), ("de", german)):
        with translation.override(language):
            html = widgets.converter("USD", amount=amount)
        assert f' value="{text}"' in html and "aria-invalid" not in html


@pytest.mark.parametrize(
    "amount",
    [
        *("1e999", "-5", "nan", "", "9" * 400, "<script>alert(1)</script>", '"><b>'),
        *(None, True, math.nan, math.inf, -1, 10**400, Decimal("sNaN"), Decimal("1e999999"), 1j),
        *([], object(), b"5", Decimal("-1e-999999")),
    ],
)
@pytest.mark.parametrize("debug", [True, False])
def test_what_is_no_amount_gives_dashes_and_a_message_by_the_field(
    market: Market, amount: object, debug: bool
) -> None:
    with override_settings(DEBUG=debug):
        html = widgets.converter("USD GBP", amount=amount)

    assert amounts(html) == {"USD": "–", "GBP": "–"}
    assert ' aria-describedby="fcs-amount-message" aria-invalid="true">' in html
    assert '<p data-part="message" id="fcs-amount-message" role="status">Enter an amount' in html
    assert "such as 1,234.50</p>" in html
    assert "<script" not in html and "<b>" not in html and len(html) < 5000


# Legs


def test_the_dollar_is_second_for_some_currencies_and_metals_and_first_for_all_others() -> None:
    legs = {code: leg_of(code) for code in CODES}

    assert legs.pop("USD") is None
    pairs = {code: leg.pair for code, leg in legs.items() if leg}
    assert len(pairs) == len(CODES) - 1
    second = {code for code, pair in pairs.items() if pair == f"{code}/USD"}
    assert second == {"EUR", "GBP", "AUD", "NZD", "XAU", "XAG", "XPT", "XPD"}
    assert {code for code, pair in pairs.items() if pair == f"USD/{code}"} == pairs.keys() - second


def test_an_amount_crosses_the_dollar_once() -> None:
    dollars = to_dollars(100.0, leg_of("GBP"), 1.25)

    assert (dollars, from_dollars(dollars, leg_of("JPY"), 150.0)) == (125.0, 18750.0)
    assert to_dollars(150.0, leg_of("JPY"), 150.0) == 1.0
    assert from_dollars(125.0, leg_of("GBP"), 1.25) == 100.0
    assert to_dollars(5.0, None, 1.0) == from_dollars(5.0, None, 1.0) == 5.0


def test_results_have_the_decimals_of_their_currency(market: Market) -> None:
    html = widgets.converter("USD GBP JPY CHF KWD XAU")

    assert amounts(html) == {
        **{"USD": "108.41", "GBP": "85.57", "JPY": "16,718", "CHF": "95.56"},
        **{"KWD": "33.295", "XAU": "0.02663"},
    }
    assert {decimals_of(code) for code in CODES} == {0, 2, 3, 5}
    with translation.override("de"):
        assert amounts(widgets.converter("JPY XAU", amount="12.5")) == {
            **{"JPY": "2.090", "XAU": "0,00333"}
        }


def test_each_leg_is_there_once_with_its_token_and_the_dollar_has_none(market: Market) -> None:
    html = widgets.converter("USD GBP,EUR GBP", base="EUR")

    assert re.findall(r'data-symbol="([^"]+)"', html) == ["FX:EURUSD", "FX:GBPUSD"]
    assert len(re.findall(r'data-token="[^"]+"', html)) == 2
    assert re.findall(r"<option[^>]*>(\w+)</option>", html) == ["EUR", "USD", "GBP"]
    assert "<option selected>EUR<" in html


def test_every_currency_converts_to_every_other(market: Market) -> None:
    for base, others in (("USD", {"EUR", "JPY"}), ("JPY", {"USD", "EUR"}), ("XAU", {"USD", "JPY"})):
        html = widgets.converter(list(others), base=base)
        assert amounts(html).keys() == others
        assert "–" not in amounts(html).values()


def test_a_result_has_the_state_and_the_time_of_its_worse_leg(market: Market) -> None:
    older = datetime(2025, 12, 22, 13, 40, 0, tzinfo=timezone.utc)
    market("FX:GBPUSD", close=1.25, state=State.STALE, updated=older)
    market("FX:USDJPY", close=150.0, updated=older)
    market("FX:USDCHF", close=0.9, state=State.CLOSED, delay=900)
    found = rows(widgets.converter("USD GBP JPY CHF"))

    assert [row["state"] for row in found.values()] == ["live", "stale", "live", "closed"]
    assert found["USD"]["time"] == "2025-12-22T13:50:26Z"
    assert found["GBP"]["time"] == found["JPY"]["time"] == "2025-12-22T13:40:00Z"
    assert found["CHF"]["status"] == "closed"
    base_is_worse = rows(widgets.converter("USD JPY", base="GBP"))
    assert {row["state"] for row in base_is_worse.values()} == {"stale"}


@pytest.mark.parametrize("close", [None, 0.0, -1.0, math.nan, math.inf, 1e300])
def test_a_leg_without_data_gives_a_dash_and_says_so(market: Market, close: float | None) -> None:
    market("FX:GBPUSD", close=close)
    found = rows(widgets.converter("USD GBP TRY"))

    assert found["USD"] == {**found["USD"], "amount": "108.41", "status": ""}
    for code, pair in (("GBP", "GBP/USD"), ("TRY", "USD/TRY")):
        words = {"amount": "–", "state": "waiting", "status": f"No data for {pair}", "time": ""}
        assert found[code] == words
    without_base = rows(widgets.converter("USD EUR", base="TRY"))
    assert {row["status"] for row in without_base.values()} == {"No data for USD/TRY"}


# Arguments


@pytest.mark.parametrize(
    "currencies",
    [
        "USD XYZ",
        "usd",
        "BTC",
        ["USD", None],
        ["USD", 5],
        [["USD"]],
        "",
        [],
        iter(()),
        None,
        5,
        b"USD",
    ],
)
def test_a_currency_that_is_not_known_is_named_with_the_choices(
    market: Market, currencies: object
) -> None:
    with override_settings(DEBUG=True), pytest.raises(BadOption, match="currencies") as refused:
        widgets.converter(currencies)
    if currencies in ("USD XYZ", "usd", "BTC"):
        assert "is not one of AED ARS AUD" in str(refused.value)


def test_without_debug_a_wrong_currency_is_left_out_and_a_wrong_option_has_its_default(
    market: Market,
) -> None:
    html = widgets.converter(["USD", "XYZ", None], base="euro", prefix="<b>")

    assert amounts(html) == {"USD": "108.41"}
    assert "XYZ" not in html and "<b>" not in html and ' name="amount"' in html
    with pytest.raises(BadOption, match="currencies"):
        widgets.converter("XYZ")


@pytest.mark.parametrize("base", ["XYZ", "usd", "", None, 5, ["EUR"]])
def test_a_wrong_base_is_named_with_the_choices(market: Market, base: Any) -> None:
    with override_settings(DEBUG=True), pytest.raises(BadOption, match="base .* one of AED ARS"):
        widgets.converter("USD", base=base)


@pytest.mark.parametrize("prefix", ["A", "a b", "1a", "a" * 33, "a_b", None, 5, '"'])
def test_a_wrong_prefix_is_an_error(market: Market, prefix: Any) -> None:
    with override_settings(DEBUG=True), pytest.raises(BadOption, match="prefix"):
        widgets.converter("USD", prefix=prefix)


@override_settings(DEBUG=True)
def test_a_text_of_many_currencies_has_each_once_and_no_more_than_there_are(market: Market) -> None:
    html = widgets.converter(" ".join(CODES * 20))

    assert html.count("<li ") == len(CODES)


# The form and the request


def test_the_query_of_the_request_comes_before_the_arguments(market: Market) -> None:
    html = widgets.converter("USD GBP", request=request_for("amount=12,5&base=GBP"))

    assert ' value="12,5"' in html and "<option selected>GBP" in html
    assert amounts(html) == {"EUR": "14.61", "USD": "15.84"}
    prefixed = widgets.converter("USD", prefix="b", request=request_for("amount=12&b-amount=7"))
    assert ' value="7"' in prefixed
    assert ' name="b-amount"' in prefixed and ' name="b-base"' in prefixed
    assert prefixed.count('"fcs-b-amount-message"') == 2


@pytest.mark.parametrize("base", ["XYZ", "JPY", "usd", "", "%00", "<b>", "9" * 400])
def test_a_base_of_the_query_that_is_no_choice_is_ignored(market: Market, base: str) -> None:
    with override_settings(DEBUG=True):
        html = widgets.converter("USD GBP", request=request_for(f"base={base}"))

    assert "<option selected>EUR" in html and "<b>" not in html
    assert "USDJPY" not in html  # no token for what the page does not show


@pytest.mark.parametrize("amount", ["", "%3Cb%3E", "%00", "%ED%A0%80", "9" * 400, "1e999"])
@override_settings(DEBUG=True)
def test_a_wrong_amount_of_the_query_is_shown_again_and_escaped(
    market: Market, amount: str
) -> None:
    html = widgets.converter("USD", request=request_for(f"amount={amount}"))

    assert amounts(html) == {"USD": "–"} and "<b>" not in html
    shown = re.search(' value="([^"]*)"', html)
    assert shown and len(shown[1]) <= 40


class Flooded:
    """A request with more fields than Django reads."""

    @property
    def GET(self) -> QueryDict:
        return QueryDict("&".join(f"a{n}=1" for n in range(2000)))


class Other:
    """What a page may call a request."""

    GET = "amount=1"


@pytest.mark.parametrize("request_", [None, "text", 5, Flooded(), Other()])
def test_what_is_no_request_has_no_query(market: Market, request_: object) -> None:
    assert amounts(widgets.converter("USD", request=request_)) == {"USD": "108.41"}


TAG = '{% fcs_converter "USD" %}'


def test_the_tags_find_the_request_where_the_page_has_it(market: Market) -> None:
    request = request_for("amount=12.5")
    django = Template("{% load fcs %}" + TAG)
    environment = jinja2.Environment(extensions=["django_fcs.jinja.FCSExtension"])
    pages = [
        django.render(RequestContext(request)),
        django.render(Context({"request": request})),
        environment.from_string(TAG).render(request=request),
        environment.from_string('{{ fcs_converter("USD") }}').render(request=request),
    ]

    assert [amounts(page) for page in pages] == [{"USD": "13.55"}] * 4
    assert amounts(django.render(Context())) == {"USD": "108.41"}
    assert amounts(environment.from_string(TAG).render()) == {"USD": "108.41"}


def test_one_wrong_tag_leaves_the_rest_of_the_page(market: Market) -> None:
    page = Template('{% load fcs %}{% fcs_converter wrong %}{% fcs_price "FX:EURUSD" %}')
    html = page.render(Context({"wrong": "XYZ"}))

    assert "data-fcs-error" in html and "1.08412" in html


def test_the_html_has_no_style_and_its_fields_have_labels(market: Market) -> None:
    html = widgets.converter("USD JPY")

    assert " style=" not in html and "<script" not in html and " method=" not in html
    assert html.count("<label>") == 2 and "<form " in html and "<button>" in html
    assert ' inputmode="decimal"' in html
    assert html.count("<output ") == 3 and html.count(" hidden>") >= 1
