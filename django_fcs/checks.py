"""System checks. Each id has one meaning, and each hint says how to fix the problem.

``docs/checks.md`` lists them. They do not use the network. No value of a setting makes them
raise an exception. Those of ``check --deploy`` report what is fine on a developer's machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from .checking.serving import (
    check_application,
    check_hosts_of_site,
    check_import,
    check_open_door,
    check_runserver,
    check_socket_path,
)
from .checking.settings import (
    cache_config,
    check_demo_key,
    check_names,
    check_values,
    where_readable,
)
from .checking.sharing import check_sharing, redis_cache
from .conf import conf
from .exceptions import FCSError
from .layer.bus import check_hosts, layer_is_in_memory, missing_names, site_layer
from .tools.redaction import reason_of

__all__ = ["REDIS_LAYER", "check_deployment", "check_settings", "lacking"]

#: Lines to paste into the settings; ``alias`` is the site's own.
REDIS_LAYER = (
    'CHANNEL_LAYERS = {{"{alias}": {{"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", '
    '"CONFIG": {{"hosts": ["redis://localhost:6379"]}}}}}}'
)

#: Caches that do not share values with other processes.
_LONELY_CACHES = {
    "django.core.cache.backends.locmem.LocMemCache": "keeps values in one process",
    "django.core.cache.backends.dummy.DummyCache": "keeps nothing",
}

_CORE_LAYER = "channels_redis.core.RedisChannelLayer"

#: From this major version on, redis-py ends an idle wait after five seconds. The core layer
#: waits for a message for the same time.
_IMPATIENT_REDIS = 8
_CORE_WAITS_SECONDS = 5


@register("django_fcs")
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check what ``django_fcs`` needs of the site's settings."""
    return [
        *where_readable(_check_layer),
        *check_application(),
        *where_readable(check_socket_path),
        *check_values(),
        *check_runserver(),
        *where_readable(_check_lonely_cache),
        *where_readable(_check_core_layer),
        *where_readable(_check_libraries),
        *where_readable(_check_forgetful_history),
        *check_names(),
        *where_readable(check_sharing),
    ]


@register("django_fcs", deploy=True)
def check_deployment(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check what a site needs in production."""
    return [
        *check_import(),
        *where_readable(_check_one_process),
        *where_readable(check_demo_key),
        *check_hosts_of_site(),
        *where_readable(check_open_door),
    ]


def _check_layer() -> list[CheckMessage]:
    alias = conf.FCS_CHANNEL_LAYER
    try:
        layer = site_layer()
        config = settings.CHANNEL_LAYERS[alias].get("CONFIG", {})
        if isinstance(config.get("hosts"), (str, bytes)):
            hint = f'Make "hosts" of {type(layer).__name__} a list: "hosts": ["redis://…"].'
        elif not isinstance(config.get("capacity", 0), (int, float)):
            hint = f'Make "capacity" of {type(layer).__name__} a number.'
        else:
            missing_names()  # It reads CONFIG, which the pub/sub layer itself does later.
            check_hosts()
            return []
    except FCSError as error:
        hint = str(error)
    except Exception as error:  # A layer may raise any exception for its CONFIG.
        hint = f"Correct CONFIG in CHANNEL_LAYERS: {reason_of(error)}"
    return [Error("The channel layer is missing or cannot be created.", hint, id="fcs.E001")]


def _check_lonely_cache() -> list[CheckMessage]:
    backend = (cache_config() or {}).get("BACKEND")
    if not isinstance(backend, str) or backend not in _LONELY_CACHES:
        return []
    if _is_in_memory() is not False:
        return []
    text = (
        f"The cache {conf.FCS_CACHE!r} {_LONELY_CACHES[backend]}, so pages are rendered "
        "without the prices that fcs_stream saves."
    )
    hint = f"Set {redis_cache()}."
    return [Warning(text, hint, id="fcs.W003")]


def _check_forgetful_history() -> list[CheckMessage]:
    """Look for history that is asked for again, and paid again, after each restart."""
    is_in_memory = _is_in_memory()
    backend = (cache_config() or {}).get("BACKEND")
    is_lonely = isinstance(backend, str) and backend in _LONELY_CACHES
    if not conf.FCS_REST_KEY or is_in_memory is None or not (is_in_memory or is_lonely):
        return []
    text = (
        "FCS_REST_KEY is set, but candles and the count of credits end with the process: each "
        "start asks the vendor again, and counts the credits of the month up to today as spent."
    )
    redis = REDIS_LAYER.format(alias=conf.FCS_CHANNEL_LAYER)
    hint = f"Set {redis} and {redis_cache()}."
    return [Warning(text, hint, id="fcs.W022")]


def _check_core_layer() -> list[CheckMessage]:
    if _is_in_memory() is not False or not _is_core(layer := site_layer()):
        return []
    messages: list[CheckMessage] = []
    if layer.capacity < conf.FCS_MAX_ROOMS:
        text = (
            f"The channel layer keeps {layer.capacity} messages per process and drops the rest, "
            f"but FCS_MAX_ROOMS is {conf.FCS_MAX_ROOMS}."
        )
        hint = (
            f'Add "capacity": {conf.FCS_MAX_ROOMS} to its CONFIG, lower FCS_MAX_ROOMS, or use '
            "channels_redis.pubsub.RedisPubSubChannelLayer, which has no such limit."
        )
        messages.append(Warning(text, hint, id="fcs.W004"))
    if _redis_major() >= _IMPATIENT_REDIS and not all(map(_is_patient, layer.hosts)):
        text = "redis-py ends an idle read of the core layer after 5 s, so your own consumers fail."
        hint = 'Write each host as {"address": "redis://…", "socket_timeout": None}.'
        messages.append(Warning(text, hint, id="fcs.W005"))
    return messages


def _check_libraries() -> list[CheckMessage]:
    """Look for private names that the installed libraries do not have any more.

    Not those of websockets: a check would have to import it, which pages and commands do
    not need. The stream logs them when it connects, and ``fcs_doctor`` reports them.
    """
    missing = {} if _check_layer() else missing_names()
    texts = [lacking(library, names) for library, names in missing.items()]
    return [Warning(text, hint, id="fcs.W011") for text, hint in texts]


def lacking(library: str, names: list[str]) -> tuple[str, str]:
    """Return the text and the hint for a library that lacks private names."""
    release = version(library)
    text = (
        f"{library} {release} does not have {', '.join(names)}, so prices take a slower way "
        "through its public calls."
    )
    hint = (
        f'Upgrade django-fcs. If that does not help, require "{library}<{release}", and report '
        "this message to the project."
    )
    return text, hint


def _check_one_process() -> list[CheckMessage]:
    if settings.DEBUG or not _is_in_memory():
        return []
    text = (
        "The channel layer is the in-memory one: each web process opens its own connection to the "
        "vendor, and fcs_stream does not run."
    )
    redis = REDIS_LAYER.format(alias=conf.FCS_CHANNEL_LAYER)
    hint = f"Serve the site from one process only, or set {redis} and run manage.py fcs_stream."
    return [Warning(text, hint, id="fcs.W007")]


def _is_in_memory() -> bool | None:
    """Return whether the channel layer is the in-memory one; ``None`` if there is no layer."""
    return None if _check_layer() else layer_is_in_memory()


def _is_core(layer: object) -> bool:
    kinds = type(layer).__mro__
    return _CORE_LAYER in {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds}


def _redis_major() -> int:
    return int(version("redis").partition(".")[0])


def _is_patient(host: dict[str, Any]) -> bool:
    seconds = host.get("socket_timeout", _CORE_WAITS_SECONDS)
    return not isinstance(seconds, (int, float)) or seconds > _CORE_WAITS_SECONDS
