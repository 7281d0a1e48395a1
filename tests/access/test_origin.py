"""Which pages may open the socket, and under which name of the site."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.test import RequestFactory, override_settings

from django_fcs.access.origin import objection

pytestmark = pytest.mark.versions

NAMES = {"x_host": "x-forwarded-host", "proto": "x-forwarded-proto"}
FORWARDED = override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))


def refused(scheme: str = "ws", **headers: str) -> tuple[str, str] | None:
    """Return the header that is refused and the reason."""
    pairs = [
        (NAMES.get(name, name).encode(), value.encode("latin-1")) for name, value in headers.items()
    ]
    scope = {"headers": pairs, "scheme": scheme, "server": ("127.0.0.1", 8000)}
    found = objection(scope)
    return None if found is None else (found.header, found.reason)


def allowed(origin: str, *, host: str = "testserver", scheme: str = "ws", **headers: str) -> bool:
    return refused(scheme, host=host, origin=origin, **headers) is None


# -- the host

HOSTS = [
    *("testserver", "TestServer", "testserver:8000", "testserver.", "www.sub.example", "[::1]:80"),
    *("evil.com", "evil.com:80", "testserver.evil.com", "evilsub.example", "", "a b", "[::2]"),
    *("testserver:x", "testserver,evil.com", "user@testserver", "testserver/x", "t\xe9st", "[::1"),
]


@pytest.mark.parametrize("hosts", [["testserver", ".SUB.example", "[::1]"], ["*"], []])
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("origin", ["", "own"])
def test_a_host_passes_if_djangos_own_views_would_answer_it(
    hosts: list[str], debug: bool, origin: str
) -> None:
    objected = ("Host", "the Host header is no host in ALLOWED_HOSTS")
    with override_settings(ALLOWED_HOSTS=hosts, DEBUG=debug):
        for host in HOSTS:
            headers = {"origin": f"http://{host}" if origin else ""}
            try:
                RequestFactory().get("/", headers={"host": host}).get_host()
            except DisallowedHost:
                assert refused(host=host, **headers) == objected, host
            else:
                assert refused(host=host, origin="") is None, host


def test_two_hosts_in_one_handshake_are_none() -> None:
    headers = [(b"host", b"evil.com"), (b"host", b"testserver")]

    assert objection({"headers": headers}) is not None


@pytest.mark.parametrize(("hosts", "is_right"), [(["127.0.0.1"], True), (["testserver"], False)])
def test_without_a_host_header_the_address_of_the_server_counts(
    hosts: list[str], is_right: bool
) -> None:
    with override_settings(ALLOWED_HOSTS=hosts):
        assert (refused() is None) is is_right


@pytest.mark.parametrize("headers", [[], None])
def test_where_nothing_names_a_host_there_is_none_to_refuse(headers: Any) -> None:
    assert objection({"headers": headers, "server": None}) is None
    assert objection({}) is None


def test_the_forwarded_host_counts_where_the_site_says_so() -> None:
    inner = {"host": "evil.com", "x_host": "testserver"}
    assert refused(**inner) == ("Host", "the Host header is no host in ALLOWED_HOSTS")
    with override_settings(USE_X_FORWARDED_HOST=True, FCS_ALLOWED_ORIGINS=[]):
        assert refused(**inner) is None
        assert refused(**inner, origin="https://testserver") is None
        assert refused(**inner, origin="https://evil.com") is not None
        (header, reason) = refused(host="testserver", x_host="evil.com") or ("", "")
        assert header == "X-Forwarded-Host" and header in reason


# -- the origin


@pytest.mark.parametrize("origin", ["https://example.com", "http://example.com:8000", "null"])
def test_a_page_of_a_host_that_the_site_does_not_have_is_refused(origin: str) -> None:
    host = origin.rpartition("/")[2]
    with override_settings(ALLOWED_HOSTS=["elsewhere"], FCS_ALLOWED_ORIGINS=[origin]):
        assert refused(host=host, origin=origin) is not None


OWN = [
    ("https://example.com", "example.com"),
    ("https://Example.com:443", "example.com"),
    ("https://example.com", "EXAMPLE.com:443"),
    ("http://example.com:80", "example.com"),
    ("http://example.com", "example.com:80"),
    ("http://example.com:8000", "example.com:8000"),
    ("HTTP://example.com:08000", "example.com:8000"),
    ("https://example.com.", "example.com"),
    ("https://example.com", "example.com."),
    ("http://[::1]:8000", "[::1]:8000"),
    ("http://[0:0:0:0:0:0:0:1]", "[::1]:80"),
]
NOT_OWN = [
    ("https://example.com:8443", "example.com"),
    ("https://example.com", "example.com:8443"),
    ("https://example.com:80", "example.com"),
    ("http://example.com:443", "example.com"),
    ("https://example.com.evil.com", "example.com"),
    ("https://user@example.com", "example.com"),
    ("https://example.com/prices", "example.com"),
    ("https://example.com:99999", "example.com:99999"),
    ("https://example.com,https://example.com", "example.com"),
    ("ftp://example.com", "example.com"),
    ("//example.com", "example.com"),
    ("example.com", "example.com"),
    ("http://[::1:8000", "[::1]:8000"),
    ("http://[:::]", "[::1]"),
    ("http://.", "example.com"),
    ("file://", "example.com"),
    ("null", "example.com"),
    ("\xff", "example.com"),
]


@pytest.mark.parametrize("origins", [None, [], ["https://elsewhere.example"]])
def test_a_page_of_the_host_itself_is_always_allowed(origins: list[str] | None) -> None:
    with override_settings(FCS_ALLOWED_ORIGINS=origins, ALLOWED_HOSTS=["example.com", "[::1]"]):
        assert [(origin, host) for origin, host in OWN if not allowed(origin, host=host)] == []


@pytest.mark.parametrize("origins", [[], ["https://elsewhere.example"]])
def test_a_page_of_another_port_or_host_is_not_of_the_host_itself(origins: list[str]) -> None:
    objected = ("Origin", "this origin may not open the socket")
    with override_settings(FCS_ALLOWED_ORIGINS=origins, ALLOWED_HOSTS=["example.com", "[::1]"]):
        for origin, host in NOT_OWN:
            assert refused(host=host, origin=origin) == objected, (origin, host)


@pytest.mark.parametrize(
    ("origin", "hosts", "answer"),
    [
        ("https://example.com", ["example.com"], True),
        ("https://example.com:8443", ["example.com"], True),
        ("https://EXAMPLE.com", ["example.com"], True),
        ("https://www.example.com", [".example.com"], True),
        ("https://example.com", ["*"], True),
        ("https://evil.example", ["example.com"], False),
        ("https://example.com.evil.example", ["example.com"], False),
        ("https://evilexample.com", [".example.com"], False),
        ("capacitor://example.com", ["*"], False),
        ("file://", ["*"], False),
        ("null", ["*"], False),
        ("http://[", ["*"], False),
        ("\xff", ["*"], False),
    ],
)
def test_a_page_of_another_host_is_judged_by_allowed_hosts(
    origin: str, hosts: list[str], answer: bool
) -> None:
    with override_settings(ALLOWED_HOSTS=["testserver", *hosts]):
        assert allowed(origin) is answer


@pytest.mark.parametrize(
    ("listed", "origin", "answer"),
    [
        ("https://app.example.com", "https://app.example.com", True),
        ("https://App.example.com:443/", "https://app.example.com", True),
        ("https://app.example.com", "http://app.example.com", False),
        ("https://app.example.com", "https://app.example.com:8443", False),
        ("https://app.example.com:8443", "https://app.example.com:8443", True),
        ("https://app.example.com", "https://testserver.example", False),
        ("https://app.example.com", "null", False),
        ("http://[0::1]:3000", "http://[::1]:3000", True),
        ("capacitor://localhost", "capacitor://localhost", True),
        ("file://", "file://", True),
        ("null", "null", True),
        ("*", "null", True),
        ("*", "https://anything.example", True),
    ],
)
def test_origins_that_the_site_lists_take_the_place_of_allowed_hosts(
    listed: str, origin: str, answer: bool
) -> None:
    with override_settings(FCS_ALLOWED_ORIGINS=[listed], ALLOWED_HOSTS=["*"]):
        assert allowed(origin) is answer


@pytest.mark.parametrize(
    ("origin", "debug", "answer"),
    [
        ("http://localhost:3000", True, True),
        ("http://app.localhost", True, True),
        ("http://127.0.0.1:3000", True, True),
        ("http://example.com", True, False),
        ("http://localhost:3000", False, False),
    ],
)
def test_a_site_in_development_lets_its_own_machine_in(
    origin: str, debug: bool, answer: bool
) -> None:
    with override_settings(DEBUG=debug, ALLOWED_HOSTS=[]):
        assert allowed(origin, host="127.0.0.1:8000") is answer


def test_an_ipv6_address_among_the_allowed_hosts_is_an_origin_too() -> None:
    with override_settings(FCS_ALLOWED_ORIGINS=None, ALLOWED_HOSTS=["[::1]"]):
        assert allowed("http://[::1]:3000", host="[::1]:8000")
        assert not allowed("http://[::2]:3000", host="[::1]:8000")


# -- its scheme


@pytest.mark.parametrize("origins", [None, []])
def test_a_page_without_tls_opens_no_secure_socket(origins: list[str] | None) -> None:
    with override_settings(FCS_ALLOWED_ORIGINS=origins):
        assert allowed("http://testserver")
        assert allowed("https://testserver", scheme="wss")
        assert refused("wss", host="testserver", origin="http://testserver") == (
            "Origin",
            "an http page may not open a secure socket: load the page over https",
        )


def test_a_page_without_tls_that_is_listed_opens_a_secure_socket() -> None:
    with override_settings(FCS_ALLOWED_ORIGINS=["http://localhost"]):
        assert allowed("http://localhost", scheme="wss")


@pytest.mark.parametrize(
    ("proto", "is_secure"),
    [("https", True), ("https, http", True), (" https ", True), ("http", False), ("", False)],
)
def test_the_proxy_that_ends_tls_tells_whether_the_socket_is_secure(
    proto: str, is_secure: bool
) -> None:
    page = "http://testserver"
    assert allowed(page, proto=proto)
    with FORWARDED:
        assert allowed(page, proto=proto) is not is_secure
        assert allowed(page)
        assert not allowed(page, scheme="wss")


@pytest.mark.parametrize("proto", [None, "http", "https"])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_page_with_tls_is_never_refused_for_its_scheme(proto: str | None, scheme: str) -> None:
    headers = {} if proto is None else {"proto": proto}
    with FORWARDED, override_settings(FCS_ALLOWED_ORIGINS=[]):
        assert allowed("https://testserver", scheme=scheme, **headers)


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_PROTO", ("A",), 5, (["x"], "https"), ()])
def test_a_wrong_setting_of_the_proxys_header_ends_no_socket(
    header: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SECURE_PROXY_SSL_HEADER", header)

    assert allowed("http://testserver")
    assert not allowed("http://testserver", scheme="wss")


def test_headers_that_django_cannot_read_end_no_socket() -> None:
    headers = [(b"host", b"testserver"), (b"content-type", b"a; charset=\x00"), (b"\xff", b"\xff")]

    assert objection({"headers": headers}) is None
