"""System checks. Each id has one meaning, and each hint says how to fix the problem.

``docs/checks.md`` lists them. They do not use the network. Those of ``check --deploy``
import ``ASGI_APPLICATION``, or report what is fine on a developer's machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from channels.routing import ProtocolTypeRouter
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.handlers.asgi import ASGIHandler
from django.utils.module_loading import import_string

from .checking.sharing import check_sharing, redis_cache
from .conf import Settings, conf
from .exceptions import FCSError
from .layer.bus import layer_is_in_memory, missing_names, site_layer
from .protocol.address import Address
from .protocol.intervals import DEFAULT
from .rooms import Room, canonical_timeframe

__all__ = [
    "DEMO_KEY",
    "REDIS_LAYER",
    "check_deployment",
    "check_settings",
    "lacking",
]

DEMO_KEY = "fcs_socket_demo"

_APPLICATION = 'ASGI_APPLICATION = "django_fcs.asgi.application"'
_APPS = 'INSTALLED_APPS = ["daphne", "channels", "django_fcs", *your_other_apps]'
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

#: With a lower value, one heartbeat that is slightly late puts rooms offline.
_PATIENCE_SECONDS = DEFAULT.beat + 2

_DEFAULT_PORTS = {"http": 80, "https": 443}


@register("django_fcs")
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check what ``django_fcs`` needs of the site's settings."""
    return [
        *_check_layer(),
        *_check_application(),
        *_check_key(),
        *_check_url(),
        *_check_rooms(),
        *_check_cache(),
        *_check_timeframe(),
        *_check_daphne(),
        *_check_origins(),
        *_check_authorize(),
        *_check_lonely_cache(),
        *_check_core_layer(),
        *_check_libraries(),
        *_check_names(),
        *_check_patience(),
        *check_sharing(),
    ]


@register("django_fcs", deploy=True)
def check_deployment(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check what a site needs in production."""
    return [
        *_check_sockets_are_served(),
        *_check_one_process(),
        *_check_demo_key(),
        *_check_open_door(),
    ]


def _check_layer() -> list[CheckMessage]:
    try:
        layer = site_layer()
        if not isinstance(_layer_config().get("hosts"), (str, bytes)):
            missing_names()  # It reads CONFIG, which the pub/sub layer itself does later.
            return []
        hint = f'Make "hosts" of {type(layer).__name__} a list: "hosts": ["redis://…"].'
    except FCSError as error:
        hint = str(error)
    except Exception as error:  # A layer may raise any exception for its CONFIG.
        hint = f"Correct CONFIG in CHANNEL_LAYERS: {error}"
    return [Error("The channel layer is missing or cannot be created.", hint, id="fcs.E001")]


def _check_application() -> list[CheckMessage]:
    if getattr(settings, "ASGI_APPLICATION", None):
        return []
    hint = f"Add {_APPLICATION} to your settings."
    text = "ASGI_APPLICATION is not set, so the site cannot serve WebSockets."
    return [Error(text, hint, id="fcs.E002")]


def _check_rooms() -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for text in conf.FCS_ROOMS:
        try:
            Room.from_text(text)
        except FCSError as error:
            messages.append(Error("FCS_ROOMS has an invalid room.", str(error), id="fcs.E003"))
    return messages


def _check_cache() -> list[CheckMessage]:
    alias = conf.FCS_CACHE
    if alias in settings.CACHES:
        return []
    hint = f"Add {alias!r} to CACHES, or set FCS_CACHE to one of: {', '.join(settings.CACHES)}."
    return [Error(f"FCS_CACHE is {alias!r}, which is not in CACHES.", hint, id="fcs.E004")]


def _check_timeframe() -> list[CheckMessage]:
    try:
        canonical_timeframe(conf.FCS_TIMEFRAME)
    except FCSError as error:
        return [Error("FCS_TIMEFRAME is not a timeframe.", str(error), id="fcs.E005")]
    return []


def _check_daphne() -> list[CheckMessage]:
    """Check which app's ``runserver`` is used: that of the first app that has one.

    Daphne also checks the order, but does not give the line to paste.
    """
    names = [config.name for config in apps.get_app_configs()]
    static = "django.contrib.staticfiles"
    if "daphne" not in names:
        text = "daphne is not in INSTALLED_APPS, so runserver does not serve WebSockets."
        hint = f"Put it first: {_APPS}."
        return [Warning(text, hint, id="fcs.W002")] if settings.DEBUG else []
    if static in names and names.index(static) < names.index("daphne"):
        text = f"daphne comes after {static}, whose runserver does not serve WebSockets."
        return [Error(text, f"Put it first: {_APPS}.", id="fcs.E006")]
    return []


def _check_url() -> list[CheckMessage]:
    try:
        Address(str(conf.FCS_URL), "any")
    except FCSError as error:
        default = Settings.FCS_URL.default
        hint = f'{error}. Set FCS_URL = "{default}", or remove it.'
        return [Error("FCS_URL is not a WebSocket address.", hint, id="fcs.E007")]
    return []


def _check_origins() -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for origin in conf.FCS_ALLOWED_ORIGINS or ():
        right = _as_browsers_spell(str(origin))
        if not right or right != origin:
            text = f"FCS_ALLOWED_ORIGINS has {origin!r}, which no browser sends as an origin."
            example = 'List each origin in full: "https://www.example.com".'
            hint = f'Write "{right}".' if right else example
            messages.append(Error(text, hint, id="fcs.E008"))
    return messages


def _as_browsers_spell(origin: str) -> str:
    """Return the intended origin as an ``Origin`` header has it, or "" if there is none."""
    if origin in ("*", "null"):
        return origin
    try:
        parts = urlsplit(origin.strip() if "://" in origin else f"https://{origin.strip()}")
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError:
        return ""
    if not host or "*" in host:
        return ""
    netloc = f"[{host}]" if ":" in host else host
    is_usual = port is None or port == _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{netloc}" + ("" if is_usual else f":{port}")


def _check_authorize() -> list[CheckMessage]:
    path = conf.FCS_AUTHORIZE
    try:
        if path is None or callable(import_string(path)):
            return []
        reason = "it is not callable"
    except Exception as error:  # The site's own module may raise anything.
        reason = str(error)
    hint = f'Give the path of a function (scope, room), such as "mysite.prices.may": {reason}.'
    text = f"FCS_AUTHORIZE ({path!r}) is not a function, so every join is refused."
    return [Error(text, hint, id="fcs.E010")]


def _check_sockets_are_served() -> list[CheckMessage]:
    path = getattr(settings, "ASGI_APPLICATION", None)
    if not path:
        return []
    try:
        application = import_string(path)
    except Exception as error:  # The site's own module may raise anything.
        text = f"ASGI_APPLICATION {path!r} cannot be imported: {error}"
        hint = f"Correct the path, or the imports of its module. Ours is {_APPLICATION}."
        return [Error(text, hint, id="fcs.E011")]
    if not _serves_pages_only(application):
        return []
    hint = (
        f"Set {_APPLICATION}, or add django_fcs.routing.websocket_urlpatterns under "
        '"websocket" to your own ProtocolTypeRouter.'
    )
    text = f"ASGI_APPLICATION {path!r} serves pages only, not WebSockets."
    return [Error(text, hint, id="fcs.E009")]


def _serves_pages_only(application: object) -> bool:
    while isinstance(application, ASGIStaticFilesHandler):
        application = application.application
    if isinstance(application, ProtocolTypeRouter):
        return "websocket" not in application.application_mapping
    return isinstance(application, ASGIHandler)


def _check_key() -> list[CheckMessage]:
    if conf.FCS_API_KEY:
        return []
    hint = f'Set FCS_API_KEY to your socket key, or to "{DEMO_KEY}" to try things out.'
    return [Warning("FCS_API_KEY is empty, so no prices will arrive.", hint, id="fcs.W001")]


def _check_lonely_cache() -> list[CheckMessage]:
    backend = settings.CACHES.get(conf.FCS_CACHE, {}).get("BACKEND")
    if backend not in _LONELY_CACHES or _is_in_memory() is not False:
        return []
    text = (
        f"The cache {conf.FCS_CACHE!r} {_LONELY_CACHES[backend]}, so pages are rendered "
        "without the prices that fcs_stream saves."
    )
    hint = f"Set {redis_cache()}."
    return [Warning(text, hint, id="fcs.W003")]


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


def _check_names() -> list[CheckMessage]:
    known = [name for name in vars(Settings) if name.startswith("FCS_")]
    messages: list[CheckMessage] = []
    for name in sorted(dir(settings)):
        if name.startswith("FCS_") and name not in known:
            near = get_close_matches(name, known, n=1)
            otherwise = "Remove it, or choose a name without FCS_. docs/settings.md lists them all."
            hint = f"Rename it to {near[0]}." if near else otherwise
            text = f"{name} is not a setting of django_fcs, so it has no effect."
            messages.append(Warning(text, hint, id="fcs.W006"))
    return messages


def _check_patience() -> list[CheckMessage]:
    seconds: Any = conf.FCS_OFFLINE_AFTER_SECONDS
    if isinstance(seconds, (int, float)) and seconds >= _PATIENCE_SECONDS:
        return []
    text = (
        f"FCS_OFFLINE_AFTER_SECONDS is {seconds!r}, but heartbeats come every {DEFAULT.beat} s: "
        "rooms go offline and back although nothing is wrong."
    )
    hint = f"Set it to a number, {_PATIENCE_SECONDS:g} or more, or remove it: the default is 10."
    return [Warning(text, hint, id="fcs.W010")]


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


def _check_demo_key() -> list[CheckMessage]:
    if settings.DEBUG or conf.FCS_API_KEY != DEMO_KEY:
        return []
    text = "FCS_API_KEY is the public demo key of the vendor."
    hint = 'Set FCS_API_KEY = os.environ["FCS_API_KEY"], and that variable to your own key.'
    return [Warning(text, hint, id="fcs.W008")]


def _check_open_door() -> list[CheckMessage]:
    origins = conf.FCS_ALLOWED_ORIGINS
    if settings.DEBUG or "*" not in (settings.ALLOWED_HOSTS if origins is None else origins):
        return []
    name = "ALLOWED_HOSTS" if origins is None else "FCS_ALLOWED_ORIGINS"
    text = f'{name} has "*", so pages of any site can open the socket on behalf of your visitors.'
    hint = 'Set FCS_ALLOWED_ORIGINS = [] for your own pages only, or ["https://www.example.com"].'
    return [Warning(text, hint, id="fcs.W009")]


def _is_in_memory() -> bool | None:
    """Return whether the channel layer is the in-memory one; ``None`` if there is no layer."""
    return None if _check_layer() else layer_is_in_memory()


def _layer_config() -> dict[str, Any]:
    config: dict[str, Any] = settings.CHANNEL_LAYERS[conf.FCS_CHANNEL_LAYER].get("CONFIG", {})
    return config


def _is_core(layer: object) -> bool:
    kinds = type(layer).__mro__
    return _CORE_LAYER in {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds}


def _redis_major() -> int:
    return int(version("redis").partition(".")[0])


def _is_patient(host: dict[str, Any]) -> bool:
    seconds = host.get("socket_timeout", _CORE_WAITS_SECONDS)
    return seconds is None or seconds > _CORE_WAITS_SECONDS
