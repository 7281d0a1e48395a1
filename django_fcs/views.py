"""What a load balancer asks of a web process."""

from __future__ import annotations

import time

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .conf import conf
from .embedded import is_idle, site_store
from .exceptions import ConfigurationError

__all__ = ["health"]


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Say whether prices can flow: 200, or 503 with the reason.

    A site in one process streams from the first join on; before it, all is well.
    """
    reason = _trouble()
    body = {"status": "error" if reason else "ok", "reason": reason}
    return JsonResponse(body, status=503 if reason else 200)


def _trouble() -> str:
    try:
        _, beat = site_store().load([])
    except ConfigurationError:
        return "this site is not set up for prices"
    if is_idle():
        return ""
    if beat is None or time.time() - beat.at > conf.FCS_OFFLINE_AFTER_SECONDS:
        return "no sign of life of the stream"
    return "" if beat.online else "the stream has no connection to the vendor"
