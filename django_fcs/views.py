"""Health and metrics of a web process, for load balancers and Prometheus."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .conf import conf
from .exceptions import ConfigurationError
from .operations.exposition import page
from .operations.status import trouble
from .prices.offset import ClockOffset
from .prices.reports import Report
from .site import is_idle, site_store
from .tools.metrics import gauges

__all__ = ["health", "metrics"]


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Return 200 if prices can flow, otherwise 503 with the reasons; and some counts.

    A site in one process streams from the first join on; before that, it is healthy.
    """
    reasons, age, report, offset = _look()
    body: dict[str, Any] = {
        "status": "error" if reasons else "ok",
        "reasons": reasons,
        "warnings": [warning] if (warning := offset.warning()) else [],
        "beat_age_seconds": age,
        "clock_offset_seconds": round(offset.seconds, 1),
        "counts": _counts(report),
    }
    return JsonResponse(body, status=503 if reasons else 200)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return for Prometheus what this process counts and measures."""
    try:
        content, content_type = page(request.headers.get("Accept", ""))
    except ConfigurationError as error:
        return HttpResponse(f"{error}\n", status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse(content, content_type=content_type)


def _look() -> tuple[list[str], float | None, Report | None, ClockOffset]:
    """Return why prices do not flow, the age of the last heartbeat, the last report, the clock."""
    try:
        conf.validate()
        store = site_store()
    except ConfigurationError as error:
        return [error.public], None, None, ClockOffset()
    (path, report), now = store.report(), time.time()
    age = None if path is None else round(path.age(now - store.offset.seconds), 1)
    reason = "" if is_idle() else trouble(store, path, now)
    return _outweighed(reason), age, report, store.offset


def _outweighed(reason: str) -> list[str]:
    """Prefer what this process hears to what the store says: only the store may be failing."""
    is_heard = gauges().get("hub_online")
    if is_heard:
        return []
    if is_heard is not None and not reason:
        return ["this process receives nothing from a stream that is online"]
    return [reason] if reason else []


def _counts(report: Report | None) -> dict[str, float]:
    of_process = gauges()
    return {
        "rooms_wanted": len(report.rooms) if report else 0,
        "rooms_joined": report.joined if report else 0,
        "updates_per_second": round(report.updates_per_second, 1) if report else 0,
        "rooms_watched": of_process.get("hub_rooms", 0),
        "sockets": of_process.get("hub_sockets", 0),
    }
