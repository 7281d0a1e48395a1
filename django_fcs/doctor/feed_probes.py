"""Probes of the path to the vendor: key, name, connection, welcome, one symbol."""

from __future__ import annotations

import asyncio
import socket
import ssl
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from urllib.parse import SplitResult, urlsplit

from django_fcs.checking.settings import DEMO_KEY
from django_fcs.checks import lacking
from django_fcs.conf import Settings, conf
from django_fcs.exceptions import FailureKind, KeyRefused, ProtocolError, UpstreamError
from django_fcs.protocol import Price, Refusal, parse
from django_fcs.rooms import Room
from django_fcs.tools.tasks import limited
from django_fcs.upstream import Arrival, Status, Timing, UpstreamClient
from django_fcs.upstream.connection import missing_names

from .examine import Finding, Probe, broken, ok, warning
from .waits import Waits

__all__ = ["probes"]

#: Crypto also trades at weekends.
ALWAYS_OPEN = "BINANCE:BTCUSDT"

_PORTS = {"ws": 80, "wss": 443}

_SET_KEY = f'Set FCS_API_KEY = "{DEMO_KEY}" to try things out, then to your own socket key.'
_OWN_KEY = "Set FCS_API_KEY to the socket key of your account, in full"
_SPELL_URL = f"Correct FCS_URL (the default is {Settings.FCS_URL.default})"
_ONE_A_KEY = (
    "A key may be limited to one connection: stop fcs_stream and everything else that uses the key"
)


def probe_key() -> list[Finding]:
    """Check that a key is set."""
    if conf.FCS_API_KEY:
        return ok("FCS_API_KEY is set")
    return broken("FCS_API_KEY is empty", _SET_KEY)


def probe_dns() -> list[Finding]:
    """Look up the host name of the vendor."""
    place = _place()
    if proxy := _proxy(place):
        return ok(f"not tested: the environment sets a proxy for {proxy}")
    try:
        found = socket.getaddrinfo(place.hostname, _port(place), type=socket.SOCK_STREAM)
    except OSError as error:
        fix = f"{_SPELL_URL} if it is wrong. Otherwise check the network and DNS of this machine."
        return broken(f"{place.hostname} has no address: {error.strerror or error}", fix)
    return ok(f"{place.hostname} is {found[0][4][0]}")


def probe_connection(waits: Waits) -> list[Finding]:
    """Open TCP to the vendor, and TLS if FCS_URL says so."""
    place = _place()
    if proxy := _proxy(place):
        return ok(f"not tested: the environment sets a proxy for {proxy}")
    where = f"{place.hostname}:{_port(place)}"
    try:
        with socket.create_connection((place.hostname, _port(place)), waits.connect) as line:
            if place.scheme == "ws":
                return ok(f"{where} listens") + _silent_address(place, waits.first)
            context = ssl.create_default_context()
            with context.wrap_socket(line, server_hostname=place.hostname) as secure:
                speaks = ok(f"{where} listens and speaks {secure.version()}")
                return speaks + _silent_address(place, waits.first)
    except ssl.SSLCertVerificationError as error:
        return broken(f"{where}: certificate not trusted: {error.verify_message}", _TRUST)
    except ssl.SSLError as error:
        fix = 'Perhaps this port has no TLS: begin FCS_URL with "ws://", or name the TLS port.'
        return broken(f"{where}: TLS fails: {error.reason or error}", fix)
    except ConnectionRefusedError:
        fix = f"Start the server there (manage.py fcs_simulator?). {_SPELL_URL} if it is wrong."
        return broken(f"{where} refuses connections", fix)
    except OSError as error:
        fix = f"Allow TCP to {where} in the firewall. {_SPELL_URL} if it is wrong."
        return broken(f"{where} cannot be reached: {error.strerror or error}", fix)


def _silent_address(place: SplitResult, seconds: float) -> list[Finding]:
    """Return a warning if the first of several addresses of a host does not answer."""
    found = socket.getaddrinfo(place.hostname, _port(place), type=socket.SOCK_STREAM)
    if len({one[4] for one in found}) < 2:
        return []
    host, port = str(found[0][4][0]), found[0][4][1]
    try:
        with socket.create_connection((host, port), seconds):
            return []
    except OSError as error:
        text = f"the first address of {place.hostname}, {host}, does not answer: {error}"
        return warning(text, _FIRST_ADDRESS)


def probe_welcome(waits: Waits) -> list[Finding]:
    """Log in with the key."""
    return asyncio.run(_welcome(waits))


def probe_symbol(waits: Waits) -> list[Finding]:
    """Join one room: the first of FCS_ROOMS, or one that trades at all hours."""
    return asyncio.run(_symbol(Room.from_text([*conf.FCS_ROOMS, ALWAYS_OPEN][0]), waits))


_ANOTHER_SYMBOL = (
    "Check that your plan includes this symbol. Try others with manage.py fcs_watch "
    f"{ALWAYS_OPEN}, and list in FCS_ROOMS only symbols that the feed has."
)
_FIRST_ADDRESS = (
    "The stream uses the next address, 0.25 s later; under uvloop it needs up to two attempts. "
    "Fix the route to this address, or turn IPv6 off on this machine if it is an IPv6 address."
)
_TRUST = (
    "Correct the name in FCS_URL if the certificate has another one. Otherwise make this machine "
    "trust its issuer (system certificates such as ca-certificates, or SSL_CERT_FILE), and check "
    "the clock of this machine."
)


def probes(waits: Waits) -> tuple[Probe, ...]:
    """Return the probes in order: each one relies on those before it."""
    connection, welcome = partial(probe_connection, waits), partial(probe_welcome, waits)
    symbol = partial(probe_symbol, waits)
    return (
        Probe("key", probe_key, _SET_KEY),
        Probe("dns", probe_dns, "Fix the DNS resolver of this machine.", needs=("fcs.E007",)),
        Probe("connection", connection, f"{_SPELL_URL}.", needs=("dns",)),
        Probe("welcome", welcome, f"{_ONE_A_KEY}.", needs=("key", "connection")),
        Probe("symbol", symbol, f"{_ONE_A_KEY}.", needs=("welcome", "fcs.E003", "fcs.E005")),
    )


def _place() -> SplitResult:
    return urlsplit(conf.FCS_URL)


def _port(place: SplitResult) -> int:
    return place.port or _PORTS[place.scheme]


def _proxy(place: SplitResult) -> str:
    """Return the scheme for which the environment sets a proxy, as websockets looks for it."""
    if urllib.request.proxy_bypass(f"{place.hostname}:{_port(place)}"):
        return ""
    schemes = (place.scheme, "socks", "https", "http")[: 4 if place.scheme == "ws" else 3]
    named = urllib.request.getproxies()
    return next((scheme for scheme in schemes if scheme in named), "")


def _client(waits: Waits, *rooms: Room) -> UpstreamClient:
    timing = Timing(welcome=waits.welcome)
    return UpstreamClient(conf.FCS_API_KEY, rooms=rooms, url=conf.FCS_URL, timing=timing)


async def _welcome(waits: Waits) -> list[Finding]:
    async with _client(waits) as client, aclosing(client.events()) as events:
        try:
            status = await _status(events)
        except KeyRefused as error:
            return broken(str(error), f"{_OWN_KEY}. {_ONE_A_KEY}.")
    if status.online:
        missing = missing_names()
        slower = warning(*lacking("websockets", missing)) if missing else []
        return ok("the key is accepted") + slower
    return broken(status.reason, _welcome_fix(status.error))


def _welcome_fix(error: UpstreamError | None) -> str:
    if error is not None and error.kind is FailureKind.FORBIDDEN:
        return f"{_OWN_KEY}. If the key is right, let this machine through proxy and firewall."
    if error is not None and error.retry_after:
        return f"Wait until then. {_ONE_A_KEY}."
    return f"{_SPELL_URL} if it is wrong. {_ONE_A_KEY}."


async def _status(events: AsyncGenerator[Arrival | Status, None]) -> Status:
    while True:
        event = await anext(events)
        if isinstance(event, Status):
            return event


async def _symbol(room: Room, waits: Waits) -> list[Finding]:
    complaints: list[str] = []
    async with _client(waits, room) as client, aclosing(client.events()) as events:
        try:
            text = await limited(_first_price(events, complaints), waits.price)
        except asyncio.TimeoutError:
            silence = f"no price in {waits.price:g} s"
            if room in client.joined:
                return broken(f"{room} is joined, but sends {silence}", _ANOTHER_SYMBOL)
            reason = complaints[-1] if complaints else silence
            return broken(f"the feed does not know {room}: {reason}", _ANOTHER_SYMBOL)
    return ok(f"{room} answers: {text}")


async def _first_price(
    events: AsyncGenerator[Arrival | Status, None], complaints: list[str]
) -> str:
    """Wait for the first price or profile; even a closed market sends one of them."""
    while True:
        event = await anext(events)
        if isinstance(event, Status):
            complaints += [event.reason] if event.reason else []
            continue
        for _, item in event.items:
            return f"last price {item.c}" if isinstance(item, Price) else "its profile"
        complaints += _refusals(event.text)


def _refusals(text: str) -> list[str]:
    try:
        messages = parse(text)
    except ProtocolError:
        return []
    return [one.message or one.short for one in messages if isinstance(one, Refusal)]
