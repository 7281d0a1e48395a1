"""System checks: each id is used once, each hint is the cure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from .bus import site_layer
from .conf import conf
from .exceptions import FCSError
from .rooms import Room, canonical_timeframe

__all__ = ["check_settings"]


@register("django_fcs")
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check what ``django_fcs`` needs of the site's settings."""
    return [
        *_check_layer(),
        *_check_application(),
        *_check_key(),
        *_check_rooms(),
        *_check_cache(),
        *_check_timeframe(),
    ]


def _check_layer() -> list[CheckMessage]:
    try:
        site_layer()
    except FCSError as error:
        return [Error("There is no channel layer to carry prices.", str(error), id="fcs.E001")]
    return []


def _check_application() -> list[CheckMessage]:
    if getattr(settings, "ASGI_APPLICATION", None):
        return []
    hint = 'Add ASGI_APPLICATION = "django_fcs.asgi.application" to your settings.'
    return [Error("ASGI_APPLICATION is not set, so no socket can be served.", hint, id="fcs.E002")]


def _check_rooms() -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for text in conf.FCS_ROOMS:
        try:
            Room.from_text(text)
        except FCSError as error:
            messages.append(Error("FCS_ROOMS names no room.", str(error), id="fcs.E003"))
    return messages


def _check_cache() -> list[CheckMessage]:
    alias = conf.FCS_CACHE
    if alias in settings.CACHES:
        return []
    hint = f"Add {alias!r} to CACHES, or name one of {', '.join(settings.CACHES)}."
    return [Error(f"FCS_CACHE names {alias!r}, which CACHES has not.", hint, id="fcs.E004")]


def _check_timeframe() -> list[CheckMessage]:
    try:
        canonical_timeframe(conf.FCS_TIMEFRAME)
    except FCSError as error:
        return [Error("FCS_TIMEFRAME is no timeframe.", str(error), id="fcs.E005")]
    return []


def _check_key() -> list[CheckMessage]:
    if conf.FCS_API_KEY:
        return []
    hint = 'Set FCS_API_KEY to your socket key, or to "fcs_socket_demo" to try things out.'
    return [Warning("FCS_API_KEY is empty, so no price will come.", hint, id="fcs.W001")]
