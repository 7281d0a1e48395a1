"""Redaction: an API key in a careless page's address reaches no server's log."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import override_settings
from uvicorn.logging import AccessFormatter

from django_fcs.tools import redaction
from django_fcs.tools.texts import REASON_MAX

pytestmark = pytest.mark.versions

KEY = "a-secret-key"
LOGGERS = ["uvicorn.error", "uvicorn.access", "daphne.ws_protocol", "django.channels.server"]

#: The site's own, as people see it in their settings, and in their addresses.
OWN = "the site's/own+key"
QUOTED = "the%20site%27s%2Fown%2Bkey"


class Written:
    """What one logger writes, by whatever formatter."""

    def __init__(self, name: str) -> None:
        self.logger = logging.getLogger(name)
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(logging.Formatter("%(message)s"))

    def info(self, message: str, *args: object) -> str:
        self.logger.info(message, *args)
        return self.stream.getvalue()


@pytest.fixture
def log_of() -> Iterator[Callable[[str], Written]]:
    opened: list[tuple[Written, int]] = []

    def open_log(name: str) -> Written:
        written = Written(name)
        opened.append((written, written.logger.level))
        written.logger.addHandler(written.handler)
        written.logger.setLevel(logging.INFO)
        return written

    yield open_log
    for written, level in opened:
        written.logger.removeHandler(written.handler)
        written.logger.setLevel(level)


@pytest.mark.parametrize("name", LOGGERS)
@pytest.mark.parametrize(
    ("message", "args", "line"),
    [
        (
            '%s - "WebSocket %s" [accepted]',
            ("127.0.0.1", f"/ws/fcs/?access_key={KEY}"),
            '127.0.0.1 - "WebSocket /ws/fcs/?access_key=[key]" [accepted]\n',
        ),
        (
            f"/ws/fcs/?access_key={KEY}&v=4 from '/?access_key={KEY}'",
            (),
            "/ws/fcs/?access_key=[key]&v=4 from '/?access_key=[key]'\n",
        ),
        (
            "WebSocket CONNECT %(path)s [%(client)s]",
            ({"path": f"/ws/fcs/?access_key={KEY}", "client": 5},),
            "WebSocket CONNECT /ws/fcs/?access_key=[key] [5]\n",
        ),
        (
            "headers %s",
            (b"GET /?access_key=" + KEY.encode(),),
            "headers b'GET /?access_key=[key]'\n",
        ),
        ("access_key=%s after %d tries", (KEY, 3), "access_key=[key] after 3 tries\n"),
        ("%s joined in %.1f s", ("FX:EURUSD", 0.25), "FX:EURUSD joined in 0.2 s\n"),
        (f"/?api_key={KEY}&apiKey={KEY}", (), "/?api_key=[key]&apiKey=[key]\n"),
        ("/?sort_key=name&page=2", (), "/?sort_key=name&page=2\n"),
        (f"/?v={QUOTED}&x=1", (), "/?v=[key]&x=1\n"),
        ("GET %s", (f"/{OWN}/",), "GET /[key]/\n"),
        ("%s", ({"query_string": QUOTED.encode()},), "{'query_string': b'[key]'}\n"),
    ],
)
@override_settings(FCS_API_KEY=OWN)
def test_a_servers_log_shows_that_there_was_a_key_but_not_which(
    log_of: Callable[[str], Written], name: str, message: str, args: Any, line: str
) -> None:
    assert log_of(name).info(message, *args) == line


def test_the_key_for_history_is_struck_out_like_that_of_the_socket(
    log_of: Callable[[str], Written],
) -> None:
    longer = f"{KEY}-and-more"
    with override_settings(FCS_API_KEY=KEY, FCS_REST_KEY=longer):
        assert redaction.site_keys() == (longer, KEY)
        assert log_of("uvicorn.error").info("/%s/%s/", longer, KEY) == "/[key]/[key]/\n"
        assert redaction.reason_of(ValueError(f"{longer} {KEY}")) == "ValueError('[key] [key]')"
    with override_settings(FCS_API_KEY=None, FCS_REST_KEY=KEY):
        assert redaction.site_keys() == (KEY,)


@pytest.mark.parametrize("key", ["", "a", None])
def test_a_key_that_is_none_strikes_out_nothing(
    log_of: Callable[[str], Written], key: str | None
) -> None:
    with override_settings(FCS_API_KEY=key, FCS_REST_KEY=key):
        assert log_of("uvicorn.error").info("a line of %s", "a log") == "a line of a log\n"


def test_uvicorns_access_line_keeps_its_shape(log_of: Callable[[str], Written]) -> None:
    log = log_of("uvicorn.access")
    log.handler.setFormatter(
        AccessFormatter("%(client_addr)s %(request_line)s %(status_code)s", use_colors=False)
    )

    written = log.info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", f"/ws/fcs/?access_key={KEY}", "1.1", 404
    )

    assert written == "127.0.0.1:5 GET /ws/fcs/?access_key=[key] HTTP/1.1 404 Not Found\n"


def test_installing_it_twice_filters_once() -> None:
    redaction.install()
    before = {name: list(logging.getLogger(name).filters) for name in LOGGERS}
    redaction.install()

    assert {name: logging.getLogger(name).filters for name in LOGGERS} == before


@pytest.mark.parametrize("name", LOGGERS)
def test_the_app_installs_it_by_itself(name: str) -> None:
    filters = [type(known).__module__ for known in logging.getLogger(name).filters]

    assert "django_fcs.tools.redaction" in filters


def test_it_installs_itself_where_nobody_did(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("uvicorn.error")
    monkeypatch.setattr(logger, "filters", [])
    redaction.install()

    assert len(logger.filters) == 1


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("at redis://me:pw@h:6379/0 now", "at redis://[hidden]@h:6379/0 now"),
        ("at me:pw@h:6379 now", "at [hidden]@h:6379 now"),
        ("redis:/me:pw@h", "[hidden]@h"),
        ("ValueError('rediss//:pw@h is none')", "ValueError('rediss//[hidden]@h is none')"),
        ("hosts=:p@w@h", "[hidden]@h"),
        (
            "Port could not be cast to integer value as 'pw'",
            "Port could not be cast to integer value as [hidden]",
        ),
        ("Error 111 connecting to h:6379", "Error 111 connecting to h:6379"),
    ],
)
def test_no_reason_has_the_password_of_an_address(text: str, clean: str) -> None:
    assert redaction.without_secrets(text, KEY) == clean


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", ["//", ":", "a:", "':", "@", "a:b@", " :", "//a:"])
def test_the_time_for_a_text_from_outside_does_not_grow_with_its_square(part: str) -> None:
    """The square of this length takes an hour."""
    text = part * 500_000

    assert len(redaction.without_secrets(text, KEY)) <= REASON_MAX
    assert len(redaction.without_secrets(f"{text}@", KEY)) <= REASON_MAX
