from __future__ import annotations

import ast
import html
import re
import runpy
import textwrap
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings

import django_fcs
from django_fcs.conf import Settings
from django_fcs.widgets.tags import TAGS
from example_project.environment import cache_beside, fcs_settings
from example_project.exhibits import EXHIBITS, HERO
from example_project.look import LANGUAGE, SWITCHES
from example_project.markets import MARKETS
from example_project.middleware import POLICY
from tests.support.checked import found

pytestmark = pytest.mark.versions

README = Path(__file__).parents[1] / "README.md"
SETTINGS = Path(__file__).parents[1] / "example_project" / "settings.py"
PAGES = [
    "/",
    "/dashboard/",
    "/article/",
    *(f"/{slug}/" for slug in MARKETS),
    *(f"/{slug}/plain/" for slug in MARKETS),
]


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that reads the settings in a given environment."""

    def read(**environ: str) -> dict[str, Any]:
        for name in (*Settings.declared(), "DJANGO_DEBUG", "FCS_REDIS_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, text in environ.items():
            monkeypatch.setenv(name, text)
        module = runpy.run_path(str(SETTINGS))
        return {name: value for name, value in module.items() if name.isupper()}

    return read


@pytest.fixture
def client(settings_of: Any) -> Iterator[Client]:
    with override_settings(**settings_of(FCS_API_KEY="a-key-to-hide")):
        yield Client(headers={"host": "127.0.0.1"})


# The environment


def test_every_setting_can_be_set_by_the_environment() -> None:
    texts = {name: str(setting.default) for name, setting in Settings.declared().items()}
    texts |= {
        "FCS_API_KEY": "a-key",
        "FCS_REST_KEY": "b-key",
        "FCS_DIGITS": "FX:*=5",
        "FCS_NAMES": "FX:EURUSD=Euro",
    }
    assert fcs_settings(texts).keys() == texts.keys()


def test_each_variable_is_read_in_its_own_type() -> None:
    assert fcs_settings(
        {
            "FCS_ROOMS": "FX:EURUSD, FX:USDJPY_60,",
            "FCS_MAX_ROOMS": "7",
            "FCS_STALE_AFTER_SECONDS": "0.5",
            "FCS_ALLOWED_ORIGINS": "None",
            "FCS_TOKEN_MAX_AGE_SECONDS": "60",
            "FCS_DIGITS": "FX:USDJPY=3,BINANCE:*=2",
            "FCS_NAMES": "NASDAQ:AAPL=Apple,FX:EURUSD=Euro",
            "HOME": "/nowhere",
        }
    ) == {
        "FCS_ROOMS": ["FX:EURUSD", "FX:USDJPY_60"],
        "FCS_MAX_ROOMS": 7,
        "FCS_STALE_AFTER_SECONDS": 0.5,
        "FCS_ALLOWED_ORIGINS": None,
        "FCS_TOKEN_MAX_AGE_SECONDS": 60,
        "FCS_DIGITS": {"FX:USDJPY": 3, "BINANCE:*": 2},
        "FCS_NAMES": {"NASDAQ:AAPL": "Apple", "FX:EURUSD": "Euro"},
    }


def test_an_empty_variable_empties_a_list_and_leaves_the_rest() -> None:
    assert fcs_settings({"FCS_ALLOWED_SYMBOLS": "", "FCS_API_KEY": "", "FCS_MAX_ROOMS": ""}) == {
        "FCS_ALLOWED_SYMBOLS": []
    }


def test_a_variable_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="FCS_MAX_ROOMS must be .* not 'many'"):
        fcs_settings({"FCS_MAX_ROOMS": "many"})


def test_without_any_variable_the_example_uses_the_demo_key_and_three_markets(
    settings_of: Any,
) -> None:
    settings = settings_of()
    assert settings["DEBUG"] is True
    assert settings["FCS_API_KEY"] == "fcs_socket_demo"
    assert settings["FCS_ALLOWED_SYMBOLS"] == ["FX:*", "BINANCE:*", "NASDAQ:*"]
    assert settings["CHANNEL_LAYERS"]["default"]["BACKEND"].endswith("InMemoryChannelLayer")


def test_debug_is_off_with_django_debug_0(settings_of: Any) -> None:
    assert settings_of(DJANGO_DEBUG="0")["DEBUG"] is False


def test_redis_takes_channel_layer_and_cache(settings_of: Any) -> None:
    settings = settings_of(FCS_REDIS_URL="redis://127.0.0.1:1/0")
    layer = settings["CHANNEL_LAYERS"]["default"]
    assert layer["BACKEND"] == "channels_redis.pubsub.RedisPubSubChannelLayer"
    assert layer["CONFIG"]["hosts"] == ["redis://127.0.0.1:1/0"]
    assert settings["CACHES"]["default"]["LOCATION"] == "redis://127.0.0.1:1/8"


@pytest.mark.parametrize(
    ("layer", "cache"),
    [
        ("redis://r", "redis://r/8"),
        ("rediss://me:secret@r:6380/1", "rediss://me:secret@r:6380/9"),
        ("redis://r/2?db=3&health_check_interval=5", "redis://r/11?health_check_interval=5"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock?db=8"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=9"),
    ],
)
def test_the_cache_is_eight_databases_above_the_layer(layer: str, cache: str) -> None:
    assert cache_beside(layer) == cache


# The pages


HOST = "http://127.0.0.1/"
DATA = '<script id="fcs-page" type="application/json">'


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_its_own_strict_policy(client: Client, path: str) -> None:
    response = client.get(path)
    text = response.content.decode()
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == POLICY
    assert not re.search(r"<style|\bstyle=|\bon[a-z]+=|<script>", text)
    # Browsers do not run data.
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text) in ([], [DATA])


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_the_key(client: Client, path: str) -> None:
    assert "a-key-to-hide" not in client.get(path).content.decode()


#: The newspaper has a head of its own.
@pytest.mark.parametrize("path", [path for path in PAGES if path != "/article/"])
def test_every_page_links_to_every_market(client: Client, path: str) -> None:
    text = client.get(path).content.decode()
    assert all(f'href="/{slug}/"' in text for slug in MARKETS)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_anything_of_another_host(client: Client, path: str) -> None:
    text = client.get(path).content.decode()
    places = re.findall(r'\b(?:href|src|action|content|data-fcs-socket)="([^"]*)"', text)
    assert len(places) > 5
    assert [one for one in places if "//" in one.removeprefix(HOST)] == []


# The gallery


def test_the_gallery_shows_every_widget_beside_the_lines_that_make_it(client: Client) -> None:
    page = client.get("/").content.decode()
    parts = dict(re.findall(r'<section class="widget" id="(\w+)"(.*?)</section>', page, re.DOTALL))
    made = {"fcs_chart_static": "<svg", "fcs_chart_url": f'<img src="{HOST}fcs/chart.svg?'}
    assert list(parts) == [one.anchor for one in EXHIBITS if one.tag in TAGS]
    for one in EXHIBITS:
        if one.tag not in TAGS:
            continue
        preview, side = parts[one.anchor].split('<div class="side">')
        assert made.get(one.anchor, f"<{one.tag.replace('_', '-')}") in preview
        assert "{%" not in preview
        lines = re.findall(r"<pre[^>]*>(.*?)</pre>", side, re.DOTALL)
        assert [html.unescape(text) for text in lines] == [one.source]


def test_every_widget_has_its_place_in_the_gallery() -> None:
    widgets = {name for name, tag in TAGS.items() if tag.is_widget}
    assert widgets <= {one.tag for one in EXHIBITS}


def test_the_image_of_the_gallery_has_an_address_that_the_site_has_signed(client: Client) -> None:
    (address,) = re.findall(r'<img src="([^"]*)"', client.get("/").content.decode())
    assert client.get(html.unescape(address)).headers["Content-Type"] == "image/svg+xml"


def test_the_first_lines_of_the_gallery_make_what_stands_beside_them(client: Client) -> None:
    page = client.get("/").content.decode()
    assert html.escape(HERO.source) in page
    assert len(HERO.source.splitlines()) == 4
    stage = page.split('<div class="stage">')[1].split("</section>")[0]
    assert re.findall(r'<fcs-(\w+) symbol="([^"]+)"', stage) == [
        ("chart", "NASDAQ:AAPL"),
        ("ticker", "FX:EURUSD"),
        ("ticker", "BINANCE:ETHUSDT"),
    ]
    # The scripts of the whole page are those of these lines.
    assert page.count('id="fcs-page"') == stage.count('id="fcs-page"') == 1


def test_the_cards_of_fixed_states_have_no_room_and_say_their_states(client: Client) -> None:
    page = client.get("/?language=de").content.decode()
    part = page.split('<section class="states">')[1].split("</section>")[0]
    tags = re.findall(r"<fcs-ticker[^>]*>", part)
    assert [re.findall(r'data-state="(\w+)"', tag) for tag in tags] == [
        [state] for state in ("live", "stale", "closed", "offline")
    ]
    # Without a symbol, the script leaves a card as it is.
    assert not any(re.search(r"\b(?:data-)?(?:symbol|token)=", tag) for tag in tags)
    statuses = re.findall(r'data-part="status">([^<]*)<', part)
    assert statuses == ["live", "3 min alt", "geschlossen", "offline"]
    assert "1,08412" in part


def test_the_settings_of_the_three_steps_are_complete_and_are_those_of_the_readme(
    client: Client,
) -> None:
    page = client.get("/").content.decode()
    (lines,) = re.findall(r"<h4[^>]*>settings\.py</h4><pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    (readme, *_) = re.findall(r" {3}```python\n(.*?)```", README.read_text(), re.DOTALL)
    code = html.unescape(lines)
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(textwrap.dedent(readme)))
    space: dict[str, Any] = {"your_own_apps": ["django.contrib.staticfiles"]}
    exec(code, space)
    missing: dict[str, Any] = {"ASGI_APPLICATION": None, "CHANNEL_LAYERS": {}, "FCS_API_KEY": ""}
    assert found(**missing) != []
    settings = {name: value for name, value in space.items() if name.isupper()}
    assert found(**{**missing, **settings}) == []


# The look


@pytest.mark.parametrize("code", [choice.value for choice in LANGUAGE.choices])
def test_a_link_chooses_the_language_of_all_widgets(client: Client, code: str) -> None:
    page = client.get(f"/?language={code}").content.decode()
    direction = "rtl" if code == "ar" else "ltr"
    assert f'<html lang="{code}" dir="{direction}"' in page
    assert f'"language": "{code}"' in page


def test_the_example_has_the_languages_of_the_package() -> None:
    folders = Path(django_fcs.__file__).parent.glob("locale/*/LC_MESSAGES")
    known = {folder.parent.name.lower().replace("_", "-") for folder in folders}
    assert {choice.value for choice in LANGUAGE.choices} == {"en", *known}


def test_a_choice_stays_on_the_next_page(client: Client) -> None:
    client.get("/?theme=dark")
    client.get("/?palette=red-up&language=ar")
    start = '<html lang="ar" dir="rtl" data-palette="red-up" data-theme="dark">'
    assert start in client.get("/article/").content.decode()
    client.get("/?palette=green-up&language=en&theme=auto")
    assert '<html lang="en" dir="ltr">' in client.get("/article/").content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_every_choice(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    choices = [f"?{one.name}={choice.value}" for one in SWITCHES for choice in one.choices]
    assert [choice for choice in choices if f'href="{choice}"' not in page] == []


@pytest.mark.parametrize("value", ["", "x" * 10_000, "<b>", "../de", "DARK"])
def test_a_wrong_choice_is_the_default_and_is_not_kept(client: Client, value: str) -> None:
    values = {switch.name: value for switch in SWITCHES}
    response = client.get("/dashboard/", values)
    assert '<html lang="en" dir="ltr">' in response.content.decode()
    assert not response.cookies


class Foreign(HTMLParser):
    """The Latin texts of a page that do not say which language they are.

    Widgets have the page's language, and the sentences around those of the gallery too.
    """

    VOID = ("meta", "link", "input", "br")
    WIDGETS = ("fcs-", "script", "pre")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._said = [False]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag not in self.VOID:
            says = bool({"lang", "translate"} & names.keys()) and tag != "html"
            is_widget = tag.startswith(self.WIDGETS) or names.get("class") == "preview"
            self._said.append(says or is_widget or self._said[-1])

    def handle_endtag(self, tag: str) -> None:
        self._said.pop()

    def handle_data(self, data: str) -> None:
        if not self._said[-1] and re.search("[A-Za-z]", data):
            self.texts.append(data.strip())


@pytest.mark.parametrize("path", PAGES)
def test_english_says_that_it_is_english_on_an_arabic_page(client: Client, path: str) -> None:
    assert Foreign(client.get(path, {"language": "ar"}).content.decode()).texts == []


def test_the_figures_of_an_english_text_are_english_ones(client: Client) -> None:
    page = client.get("/article/?language=de").content.decode()
    story, aside = page.split('<article class="story" lang="en" dir="ltr">')[1].split("</article>")
    separators = [set(re.findall(r'data-decimal="(.)"', part)) for part in (story, aside)]
    assert separators == [{"."}, {","}]
