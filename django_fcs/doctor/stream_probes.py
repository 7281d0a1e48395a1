"""Probes of the process that streams: whether one runs, and whether it holds the lease."""

from __future__ import annotations

import asyncio
import time

from django_fcs.conf import conf
from django_fcs.layer.bus import layer_is_in_memory, lease_line
from django_fcs.layer.line import Line
from django_fcs.operations.status import cause, read, trouble
from django_fcs.prices.reports import Report
from django_fcs.site import site_store
from django_fcs.streaming.lease import Lease
from django_fcs.tools.tasks import limited

from .examine import Finding, Probe, broken, ok, skipped

__all__ = ["PROBES"]

#: How long Redis may take to say who holds the lease, in seconds.
LEASE_SECONDS = 5.0

#: Pause between two looks at the lease, in seconds. Between two leaders, nobody holds it.
LOOK_SECONDS = 0.1

_START = (
    "Run manage.py fcs_stream with the settings of this site, under a supervisor that starts it "
    "again: docs/production.md."
)
_ITS_LOG = "The log of fcs_stream says why. The probes key to symbol test the way to the vendor."
_RESTART = "Restart fcs_stream, and let it and the web processes use the same CACHES."
_SAME_LAYER = (
    "Give fcs_stream and the web processes the same CHANNEL_LAYERS: the same first host, database "
    "and prefix. Otherwise two streams may lead at once."
)
_MAY_READ = (
    "Let the user of CHANNEL_LAYERS read and write the keys of the lease: docs/production.md."
)


def probe_stream() -> list[Finding]:
    """Look for the heartbeat and the report that a stream saves once a second."""
    if layer_is_in_memory():
        return ok("in memory: a web process streams once a visitor has joined a room")
    store = site_store()
    path, report = read(store)
    reason = trouble(store, path, time.time())
    now = time.time() - store.offset.seconds
    if path is None or path.is_silent(path.age(now), conf.FCS_OFFLINE_AFTER_SECONDS):
        last = (
            "none was ever saved" if path is None else f"the last one is {path.age(now):,.0f} s old"
        )
        known = store.failure or last
        return broken(f"no stream runs: no heartbeat in cache {conf.FCS_CACHE!r}, {known}", _START)
    if reason:
        return broken(cause(store, path, reason), _ITS_LOG)
    rooms = _rooms(report) if report else "no report yet"
    return ok(f"a stream runs: last heartbeat {path.age(now):.1f} s ago, {rooms}")


def _rooms(report: Report) -> str:
    joined = f"{report.joined} of {len(report.rooms)} rooms joined"
    of_pages = f", {report.rendered} of them only because pages show them"
    return joined + of_pages if report.rendered else joined


def probe_leader() -> list[Finding]:
    """Look whether a stream that runs also holds the lease."""
    found = lease_line()
    if found is None:
        return skipped("because only layers of channels_redis have a lease")
    line, prefix = found
    return asyncio.run(_lease(line, prefix))


#: In order: each one relies on those before it.
PROBES = (
    Probe("stream", probe_stream, _START, needs=("fcs.E001", "fcs.E004", "cache")),
    Probe("leader", probe_leader, _MAY_READ, needs=("fcs.E001", "layer", "redis")),
)


async def _lease(line: Line, prefix: str) -> list[Finding]:
    lease = Lease(line, seconds=conf.FCS_LEASE_SECONDS, prefix=prefix)
    try:
        is_lent = await limited(lease.is_lent(), LEASE_SECONDS)
        runs = _runs()
        until = time.monotonic() + conf.FCS_LEASE_SECONDS + LOOK_SECONDS
        while runs and not is_lent and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
            is_lent = await limited(lease.is_lent(), LEASE_SECONDS)
    except asyncio.TimeoutError:
        return broken(f"Redis does not answer in {LEASE_SECONDS:g} s", _MAY_READ)
    finally:
        await line.close()
    if is_lent and runs:
        return ok("a stream holds the lease")
    if is_lent:
        return broken("a process holds the lease, but sends no heartbeat", _RESTART)
    if runs:
        return broken("a stream sends heartbeats, but nobody holds the lease", _SAME_LAYER)
    return skipped("because no stream runs, so nobody holds it")


def _runs() -> bool:
    store = site_store()
    path, _ = store.report()
    now = time.time() - store.offset.seconds
    return path is not None and not path.is_silent(path.age(now), conf.FCS_OFFLINE_AFTER_SECONDS)
