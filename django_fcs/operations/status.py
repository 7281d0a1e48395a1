"""Whether prices flow, as far as the store can tell; for health checks and commands."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.urls import reverse

from django_fcs.checks import check_settings
from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError
from django_fcs.layer.bus import layer_is_in_memory
from django_fcs.prices.offset import NOTICED_SECONDS, SAMPLES
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.store import Store
from django_fcs.protocol.address import Address
from django_fcs.rooms import Room
from django_fcs.site import site_store

__all__ = ["Plan", "cause", "plan", "read", "shared_store", "trouble"]

#: How long a command waits for the next heartbeat in the cache, in seconds.
HEARTBEAT_SECONDS = 2.5
LOOK_SECONDS = 0.1

_IN_MEMORY = (
    "the channel layer is the in-memory one, so only the web process knows the state of its "
    "stream: ask it at fcs/health/ (include django_fcs.urls)"
)

#: The check that finds a cache that does not share values with other processes.
_LONELY_CACHE = "fcs.W003"


def shared_store() -> Store:
    """Return the store from which other processes can read the state of the stream.

    Raises ``ConfigurationError``, with the fix, if there is none.
    """
    conf.validate()
    if layer_is_in_memory():
        if site_store().report() != (None, None):
            return site_store()  # This process streams, or has pushed prices in a test.
        raise ConfigurationError(_IN_MEMORY)
    for problem in check_settings():
        if problem.id == _LONELY_CACHE:
            raise ConfigurationError(f"{problem.msg} {problem.hint}")
    return site_store()


@dataclass(frozen=True)
class Plan:
    """What the web process of a site with the in-memory layer will do, by its settings."""

    reason: str
    """Why its state is not known here, and where it is."""
    feed: str
    """Host and port of the vendor."""
    has_key: bool
    rooms: tuple[str, ...]
    """What it joins with the first visitor, as ``FX:EURUSD_1D``."""
    health: str
    """The path of ``fcs/health/``; empty if the site does not include ``django_fcs.urls``."""


def plan() -> Plan | None:
    """Return the plan of a site whose state is not known in this process, or ``None``.

    Raises ``ConfigurationError`` or ``RoomError`` for wrong settings.
    """
    if not layer_is_in_memory() or site_store().report() != (None, None):
        return None
    try:
        health = reverse("django_fcs:health")
    except Exception:  # The site's own module of URLs may raise anything.
        health = ""
    rooms = tuple(str(Room.from_text(text)) for text in conf.FCS_ROOMS)
    feed = Address(conf.FCS_URL, conf.FCS_API_KEY or "any").place
    return Plan(_IN_MEMORY, feed, bool(conf.FCS_API_KEY), rooms, health)


def read(
    store: Store, *, heartbeat: float = HEARTBEAT_SECONDS
) -> tuple[PathReport | None, Report | None]:
    """Return the last heartbeat and report; first measure the clock if they disagree with it.

    For commands, whose process has read no heartbeat before. It takes a few seconds, and
    ``heartbeat`` seconds if no further heartbeat comes.
    """
    path, report = store.report()
    last, until = path and path.at, time.monotonic() + heartbeat
    end = time.monotonic() + heartbeat * (SAMPLES + 1)
    while path is not None and not store.offset.seconds and time.monotonic() < min(until, end):
        if path.age(time.time()) <= NOTICED_SECONDS:
            break
        if path.at != last:
            last, until = path.at, time.monotonic() + heartbeat
        time.sleep(LOOK_SECONDS)
        path, report = store.report()
    return path, report


def trouble(store: Store, path: PathReport | None, now: float) -> str:
    """Return in a few words why prices do not flow, or "" if they do.

    The text contains no host names and no text of the vendor, so anybody may read it.
    """
    now -= store.offset.seconds
    if path is None and store.failure:
        return "the cache does not answer"
    offline_after = conf.FCS_OFFLINE_AFTER_SECONDS
    if path is None or path.is_silent(path.age(now), offline_after):
        return "no heartbeat from the stream"
    is_broken = path.is_broken(path.age(now), offline_after)
    return "the stream has no connection to the vendor" if is_broken else ""


def cause(store: Store, path: PathReport | None, trouble: str) -> str:
    """Add to a trouble what is known of its cause; only for operators."""
    known = store.failure if path is None else "" if path.online else path.reason
    return f"{trouble}: {known}" if trouble and known else trouble
