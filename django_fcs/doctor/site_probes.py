"""Probes of the site itself: settings, layer, cache, origins, web server."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from urllib.parse import urljoin, urlsplit, urlunsplit

from django.conf import settings
from django.core.checks import ERROR, run_checks

from django_fcs.access.origin import host_is_allowed, origin_is_allowed
from django_fcs.checking.sharing import redis_cache
from django_fcs.checks import REDIS_LAYER
from django_fcs.conf import conf
from django_fcs.exceptions import FailureKind, FCSError, KeyRefused, UpstreamError
from django_fcs.layer.bus import database_mistaken, layer_is_in_memory, lease_line, site_layer
from django_fcs.operations.status import read
from django_fcs.prices.offset import NOTICED_SECONDS
from django_fcs.protocol import Refusal, parse
from django_fcs.sharing.mark import marked, site_mark
from django_fcs.site import site_store, socket_url
from django_fcs.streaming.lease import ANOTHER_SITE
from django_fcs.streaming.neighbours import is_shared
from django_fcs.streaming.redis_errors import cause_of
from django_fcs.streaming.rehearsal import rehearse
from django_fcs.tools.tasks import limited
from django_fcs.tools.texts import one_line
from django_fcs.upstream import Status, Timing, UpstreamClient
from django_fcs.values.hosts import hosts_of_site

from . import neighbour
from .examine import Finding, Outcome, Probe, broken, ok, skipped, warning
from .neighbour import NeighbourError
from .waits import PATIENT, Waits

__all__ = ["BEFORE", "after"]

#: Checks that probes of their own replace: the key, the cache, the origins.
_TRIED = ("fcs.W001", "fcs.W003", "fcs.W009")

_NO_SETTINGS_MODULE = "because another process needs DJANGO_SETTINGS_MODULE, which is not set"
_SET_SITE = (
    'Set FCS_SITE = "shop" (letters and digits) in all processes of one of the sites, or give it '
    "databases of its own: docs/production.md."
)
_OLD_KEY = "If FCS_URL or FCS_API_KEY of this site has just changed, restart fcs_stream."
_ORIGINS = 'FCS_ALLOWED_ORIGINS = ["https://www.example.com"]'

Send = Callable[[str, str], Awaitable[None]]


def probe_settings() -> list[Finding]:
    """Run this project's system checks, including those for deployment."""
    messages = run_checks(tags=["django_fcs"], include_deployment_checks=True)
    findings = [
        Finding(
            Outcome.BROKEN if message.is_serious(ERROR) else Outcome.WARNING,
            f"{message.msg} ({message.id})",
            message.hint or "",
            message.id or "",
        )
        for message in messages
        if message.id not in _TRIED and not message.is_silenced()
    ]
    return findings or ok("the system checks found no problems")


def probe_layer(waits: Waits) -> list[Finding]:
    """Send a message to this process."""
    if layer_is_in_memory():
        return ok("in memory: each web process streams by itself and keeps its own prices")
    return asyncio.run(_layer(neighbour.send, _layer_fix(), waits))


def probe_processes(waits: Waits) -> list[Finding]:
    """Let another process send a message, and receive it here."""
    if layer_is_in_memory():
        return skipped("because the channel layer is in memory, which is for one process only")
    if not neighbour.can_be_asked():
        return skipped(_NO_SETTINGS_MODULE)
    send = partial(_sent_by_another, waits.ask)
    return asyncio.run(_layer(send, f"Set {_redis_layer()}.", waits))


def probe_cache(waits: Waits) -> list[Finding]:
    """Store a word in the cache and read it, here and in another process."""
    if layer_is_in_memory():
        return ok("not used: the web process keeps the last prices in memory")
    key, word = _name(":"), secrets.token_hex(8)
    alias = conf.FCS_CACHE
    try:
        neighbour.remember(key, word)
        if neighbour.kept(key) != word:
            return broken(f"the cache {alias!r} keeps nothing", f"Set {redis_cache()}.")
        if not neighbour.can_be_asked():
            return ok(f"{alias!r} keeps values; not tested from another process")
        shared = neighbour.ask("kept", key, seconds=waits.ask) == word
        neighbour.forget(key)
    except NeighbourError as error:
        return broken(f"another process cannot read the cache {alias!r}: {error}", _cache_fix())
    except Exception as error:  # The site's cache may raise anything.
        return broken(f"{type(error).__name__}: {error}", _cache_fix())
    if not shared:
        text = f"another process does not find the value that this one put into cache {alias!r}"
        return broken(text, f"Set {redis_cache()}.")
    return ok(f"{alias!r} keeps values for all processes")


def probe_redis() -> list[Finding]:
    """Try the scripts of the lease on keys of their own."""
    found = None if layer_is_in_memory() else lease_line()
    if found is None:
        return ok("no lease: only one stream can run with this channel layer")
    try:
        asyncio.run(rehearse(*found))
    except asyncio.TimeoutError:
        return broken("Redis does not answer in time, so no stream can lead", _SLOW_REDIS)
    except Exception as error:  # Whatever redis-py raises.
        cause = cause_of(error)
        meaning, fix = cause or ("Redis does not lend the lease", _layer_fix())
        text = str(error) or type(error).__name__
        return broken(f"no stream can lead: {meaning} ({one_line(text)})", f"{fix.rstrip('.')}.")
    return ok("Redis lends the right to stream")


def probe_clock(waits: Waits = PATIENT) -> list[Finding]:
    """Compare the clock of this machine with that of the stream."""
    if layer_is_in_memory():
        return ok("in memory: the stream uses the same clock")
    store = site_store()
    path, _ = read(store, heartbeat=waits.heartbeat)
    if text := store.offset.warning():
        return warning(f"{text}; ages and states are corrected by this", _NTP)
    if path is None or path.age(time.time()) > NOTICED_SECONDS:
        return skipped("because no stream saves heartbeats")
    return ok("the clocks of this machine and of the stream agree")


def probe_site() -> list[Finding]:
    """Look for another site in the Redis database of this one."""
    if layer_is_in_memory():
        return ok("in memory: nothing is shared with other sites")
    if mistake := database_mistaken():
        return broken(mistake, _SET_SITE)
    if is_shared():
        return broken(ANOTHER_SITE, f"{_SET_SITE} {_OLD_KEY}")
    mark = site_mark()
    return ok(f"the names of this site have the mark {mark!r}" if mark else "no mark is needed")


def probe_origins(url: str) -> list[Finding]:
    """Check which pages may open the socket, and whether those of a foreign site may."""
    origins = conf.FCS_ALLOWED_ORIGINS
    if _may_open("https://foreign.invalid"):
        fix = f"Set FCS_ALLOWED_ORIGINS = [] for your own pages only, or {_ORIGINS}."
        return warning("pages of any site can open the socket on behalf of your visitors", fix)
    if origins is None and not hosts_of_site() and not settings.DEBUG:
        fix = 'Set ALLOWED_HOSTS = ["www.example.com"].'
        return broken("ALLOWED_HOSTS names no host, so Django refuses every request", fix)
    origin = _origin(url)
    host = urlsplit(origin).netloc
    if host and not host_is_allowed(host):
        text = f"ALLOWED_HOSTS does not have {host}, so the site refuses its pages and its socket"
        fix = f'Add "{urlsplit(origin).hostname}" to ALLOWED_HOSTS.'
        return warning(text, fix)
    if origin and not _may_open(origin):
        text = f"pages of {origin} can open the socket only if Host reaches this site unchanged"
        fix = f'Set FCS_ALLOWED_ORIGINS = ["{origin}"], or make your proxy pass Host on unchanged.'
        return warning(text, fix)
    others = hosts_of_site() if origins is None else origins
    return ok(f"open to pages of the host itself; others: {', '.join(others) or 'none'}")


def probe_addresses() -> list[Finding]:
    """Report how many sockets one address may open, and whether the settings name a proxy."""
    limit = conf.FCS_MAX_SOCKETS_PER_IP
    if not limit:
        return ok("an address may open any number of sockets (FCS_MAX_SOCKETS_PER_IP = 0)")
    text = f"an address may open {limit} sockets in each process"
    if names := [name for name in _OF_A_PROXY if getattr(settings, name)]:
        text += f"; {', '.join(names)} suggests a proxy: not tested whether {_READS}"
    return ok(text)


def probe_server(url: str, waits: Waits) -> list[Finding]:
    """Open the socket of a running web server."""
    if not url:
        return skipped("because it needs a running web server: --url http://127.0.0.1:8000")
    return asyncio.run(_server(_socket_of(url), waits))


#: Settings of Django that only a site behind a proxy has.
_OF_A_PROXY = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT")
_READS = (
    "the server reads the address of a visitor from X-Forwarded-For (docs/servers.md); if it does "
    "not, all visitors count as one"
)

_NTP = "Let both machines set their clocks by NTP: timedatectl set-ntp true."
_SLOW_REDIS = "Check that this machine can reach Redis: hosts, firewall and TLS (rediss://)."

_SLOW_CACHE = "Check that this machine can reach the server of the cache: LOCATION, firewall."

_RUN_CHECKS = "See manage.py check --deploy --tag django_fcs."

#: Without the layer and the mark of the site, there is nothing to test.
_NAMED = ("fcs.E001", "fcs.E016")

BEFORE = (Probe("settings", probe_settings, _RUN_CHECKS),)


def after(url: str, waits: Waits = PATIENT) -> tuple[Probe, ...]:
    """Return the probes of running parts; ``url`` is that of the web server, or empty."""
    origins, server = partial(probe_origins, url), partial(probe_server, url, waits)
    layer, processes = partial(probe_layer, waits), partial(probe_processes, waits)
    cache, clock = partial(probe_cache, waits), partial(probe_clock, waits)
    return (
        Probe("layer", layer, _SLOW_REDIS, needs=_NAMED),
        Probe("redis", probe_redis, _SLOW_REDIS, needs=_NAMED),
        Probe("processes", processes, _SLOW_REDIS, needs=(*_NAMED, "layer")),
        Probe("cache", cache, _SLOW_CACHE, needs=(*_NAMED, "fcs.E004")),
        Probe("clock", clock, _NTP, needs=(*_NAMED, "fcs.E004", "cache")),
        Probe("site", probe_site, _SLOW_REDIS, needs=(*_NAMED, "layer")),
        Probe("origins", origins, f"Set {_ORIGINS}.", needs=("fcs.E008",)),
        Probe("addresses", probe_addresses, "Set FCS_MAX_SOCKETS_PER_IP = 50."),
        Probe("server", server, _SERVER),
    )


def _redis_layer() -> str:
    return REDIS_LAYER.format(alias=conf.FCS_CHANNEL_LAYER)


def _layer_fix() -> str:
    return (
        f"Start Redis, or correct hosts of CHANNEL_LAYERS[{conf.FCS_CHANNEL_LAYER!r}]: "
        "redis-cli -u ADDRESS ping must answer PONG."
    )


def _cache_fix() -> str:
    return (
        f"Start the server of CACHES[{conf.FCS_CACHE!r}], or correct its LOCATION. "
        f"For Redis: {redis_cache()}."
    )


async def _layer(send: Send, fix: str, waits: Waits) -> list[Finding]:
    try:
        heard = await limited(_is_heard(send, waits.hear), waits.layer)
    except NeighbourError as error:
        return broken(f"another process cannot send: {error}", _layer_fix())
    except asyncio.TimeoutError:
        return broken(f"the channel layer does not answer in {waits.layer:g} s", _SLOW_REDIS)
    except Exception as error:  # The site's layer may raise anything.
        return broken(f"the channel layer fails: {type(error).__name__}: {error}", fix)
    who = "this process" if send is neighbour.send else "another process"
    if heard:
        return ok(f"a message from {who} arrives")
    return broken(f"a message from {who} does not arrive", fix)


async def _is_heard(send: Send, seconds: float) -> bool:
    layer = site_layer()
    group, word = _name("."), secrets.token_hex(8)
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    await send(group, word)
    try:
        message = await limited(layer.receive(channel), seconds)
    except asyncio.TimeoutError:
        return False
    finally:
        await layer.group_discard(group, channel)
    return bool(message.get("word") == word)


async def _sent_by_another(seconds: float, group: str, word: str) -> None:
    await asyncio.to_thread(neighbour.ask, "send", group, word, seconds=seconds)


def _name(separator: str) -> str:
    """Return a name at the layer or in the cache that nobody else uses."""
    return separator.join((marked("fcs", site_mark()), "doctor", secrets.token_hex(8)))


def _may_open(origin: str) -> bool:
    return origin_is_allowed(origin, "site.invalid", is_secure=False)


def _origin(url: str) -> str:
    """Return the origin of the pages at this URL; "" if it is this machine."""
    parts = urlsplit(url)
    if parts.hostname in (None, "localhost", "127.0.0.1", "::1"):
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _socket_of(url: str) -> str:
    parts = urlsplit(urljoin(url, socket_url()))
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path, "", ""))


_SERVER = (
    "Serve django_fcs.asgi:application there with an ASGI server (daphne, uvicorn, runserver "
    "with daphne first in INSTALLED_APPS). A proxy in front must pass the Upgrade header on: "
    "docs/production.md."
)
_NO_SERVER = "Start the web server, or correct --url."
_REFUSES = "That site refuses sockets: its log says why. Run fcs_doctor with its settings."


async def _server(socket: str, waits: Waits) -> list[Finding]:
    """Open the socket as the vendor's clients do: the site speaks their protocol."""
    said = ""
    # Not a real key: the site ignores the keys of browsers.
    client = UpstreamClient("fcs_doctor", url=socket, timing=Timing(welcome=waits.welcome))
    async with client, aclosing(client.events()) as events:
        try:
            while True:
                event = await anext(events)
                if not isinstance(event, Status):
                    said = _complaint(event.text) or said
                elif event.online:
                    return ok(f"{socket} says welcome")
                elif event.error is not None:
                    return broken(f"{socket}: {said or _of_server(event.error)}", _fix(event.error))
        except KeyRefused as error:
            return broken(f"{socket}: {_of_server(error)}", _SERVER)


def _complaint(text: str) -> str:
    try:
        return next((one.message for one in parse(text) if isinstance(one, Refusal)), "")
    except FCSError:
        return ""


def _fix(error: UpstreamError) -> str:
    if error.kind is FailureKind.UNREACHABLE:
        return _NO_SERVER
    is_ours = error.kind is FailureKind.CLOSED and (error.code or 0) // 1000 == 4
    return _REFUSES if is_ours else _SERVER


def _of_server(error: UpstreamError) -> str:
    """Return the error of the vendor's client in words that fit the site's own socket."""
    return error.sentence(address="the server", key="the socket")
