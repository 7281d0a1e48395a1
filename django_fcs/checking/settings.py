"""Checks of the ``FCS_*`` settings: their values, their names, and what they refer to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from django_fcs.conf import Setting, Settings, conf
from django_fcs.exceptions import BadSymbol, ConfigurationError
from django_fcs.prices.store import CacheStore
from django_fcs.protocol.address import Address, RestAddress
from django_fcs.protocol.intervals import DEFAULT
from django_fcs.rooms import Room, check_symbol
from django_fcs.values.kinds import shown
from django_fcs.values.origins import DEFAULT_PORTS, read_origin

__all__ = [
    "DEMO_KEY",
    "cache_config",
    "check_demo_key",
    "check_names",
    "check_values",
    "where_readable",
]

Check = Callable[[], list[CheckMessage]]

DEMO_KEY = "fcs_socket_demo"

_CANDLES = "django_fcs.candles"

#: With a lower value, one heartbeat that is slightly late puts rooms offline.
_PATIENCE_SECONDS = DEFAULT.beat + 2

#: Origins that are no URLs of a host: all, none, and that of a page on the visitor's disk.
_SPECIAL_ORIGINS = ("*", "null", "file://")

#: Settings whose value has a check of its own. All other settings share one id.
_IDS = {
    "FCS_CHANNEL_LAYER": "fcs.E001",
    "FCS_ROOMS": "fcs.E003",
    "FCS_CACHE": "fcs.E004",
    "FCS_TIMEFRAME": "fcs.E005",
    "FCS_URL": "fcs.E007",
    "FCS_ALLOWED_ORIGINS": "fcs.E008",
    "FCS_AUTHORIZE": "fcs.E010",
    "FCS_SITE": "fcs.E016",
    "FCS_REST_URL": "fcs.E021",
}


def check_values() -> list[CheckMessage]:
    """Check type and range of every setting, then what the values refer to."""
    wrong = [_wrong(setting, error) for setting, error in conf.errors()]
    checks = (
        *(_check_key, _check_url, _check_rest_url, _check_rooms, _check_cache),
        *(_check_origins, _check_authorize, _check_patience, _check_patterns, _check_saving),
    )
    return wrong + [message for check in checks for message in where_readable(check)]


def where_readable(check: Check) -> list[CheckMessage]:
    """Run a check; it finds nothing if it needs a setting that ``check_values`` reports."""
    try:
        return check()
    except ConfigurationError:
        return []


def cache_config() -> Mapping[str, Any] | None:
    """Return what ``CACHES`` says of the cache; ``None`` if that is nothing."""
    config = settings.CACHES.get(conf.FCS_CACHE) if isinstance(settings.CACHES, Mapping) else None
    return config if isinstance(config, Mapping) else None


def _wrong(setting: Setting[Any], error: ConfigurationError) -> CheckMessage:
    default = repr(setting.default).replace("'", '"')
    hint = (
        f"Correct it, or remove it: the default is {setting.name} = {default}. Its meaning: "
        f"{setting.meaning.replace('`', '')}."
    )
    return Error(f"{error}.", hint, id=_IDS.get(setting.name, "fcs.E012"))


def _check_rooms() -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for text in conf.FCS_ROOMS:
        try:
            Room.from_text(text)
        except BadSymbol as error:
            messages.append(Error("FCS_ROOMS has an invalid room.", str(error), id="fcs.E003"))
    return messages


def _check_patterns() -> list[CheckMessage]:
    texts: dict[str, Iterable[str]] = {
        "FCS_ALLOWED_SYMBOLS": conf.FCS_ALLOWED_SYMBOLS,
        "FCS_DIGITS": conf.FCS_DIGITS,
        "FCS_SAVE_CANDLES": conf.FCS_SAVE_CANDLES,
    }
    wrong = [(name, one) for name, some in texts.items() for one in some if not _may_match(one)]
    # In a name, a pattern is no symbol.
    wrong += [("FCS_NAMES", one) for one in conf.FCS_NAMES if "*" in one or not _is_symbol(one)]
    return [_matches_nothing(name, text) for name, text in wrong]


def _matches_nothing(name: str, text: str) -> CheckMessage:
    right = '"FX:EURUSD"' if name == "FCS_NAMES" else '"FX:EURUSD" or "FX:*"'
    said = f"{name} has {shown(text)}, which matches no symbol."
    hint = f"Write symbols as in {right}: upper case, without spaces."
    return Warning(said, hint, id="fcs.W018")


def _may_match(pattern: str) -> bool:
    """Return whether a pattern may match a symbol; a set in brackets may match anything."""
    plain = re.sub(r"\[!?\]?[^\]]*\]", "?", pattern)
    if "*" in plain or "?" in plain:
        return plain == plain.upper() and " " not in plain and plain.count(":") <= 1
    return _is_symbol(plain)


def _is_symbol(text: str) -> bool:
    try:
        check_symbol(text)
    except BadSymbol:
        return False
    return True


def _check_cache() -> list[CheckMessage]:
    alias, known = conf.FCS_CACHE, settings.CACHES
    if cache_config() is None:
        aliases = ", ".join(map(str, known)) if isinstance(known, Mapping) else ""
        others = f", or set FCS_CACHE to one of: {aliases}" if aliases else ""
        text = f"FCS_CACHE is {shown(alias)}, which is not in CACHES."
        return [_cache_error(text, f"Add {shown(alias)} to CACHES{others}.")]
    try:
        CacheStore(alias)  # This makes the cache and does not use it.
    except ConfigurationError as error:
        text = f"Django cannot make the cache {shown(alias)}, so pages have no prices."
        return [_cache_error(text, f"Correct CACHES[{shown(alias)}]: {error}.")]
    return []


def _cache_error(text: str, hint: str) -> CheckMessage:
    return Error(text, hint, id="fcs.E004")


def _check_url() -> list[CheckMessage]:
    url = conf.FCS_URL
    try:
        Address(url, "any")
    except ConfigurationError as error:
        default = Settings.FCS_URL.default
        hint = f'{error}. Set FCS_URL = "{default}", or remove it.'
        return [Error("FCS_URL is not a WebSocket address.", hint, id="fcs.E007")]
    return []


def _check_rest_url() -> list[CheckMessage]:
    url = conf.FCS_REST_URL
    try:
        RestAddress(url, "any")
    except ConfigurationError as error:
        default = Settings.FCS_REST_URL.default
        hint = f'{error}. Set FCS_REST_URL = "{default}", or remove it.'
        return [Error("FCS_REST_URL is not a web address.", hint, id="fcs.E021")]
    return []


def _check_saving() -> list[CheckMessage]:
    if not conf.FCS_SAVE_CANDLES or apps.is_installed(_CANDLES):
        return []
    text = f"FCS_SAVE_CANDLES names rooms, but {_CANDLES} is not installed: nothing is saved."
    hint = f'Add "{_CANDLES}" to INSTALLED_APPS and run manage.py migrate.'
    return [Warning(text, hint, id="fcs.W023")]


def _check_origins() -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for origin in conf.FCS_ALLOWED_ORIGINS or ():
        if origin not in _SPECIAL_ORIGINS and read_origin(origin) is None:
            right = _as_browsers_spell(origin)
            text = f"FCS_ALLOWED_ORIGINS has {shown(origin)}, which is not an origin."
            example = 'List each origin in full: "https://www.example.com".'
            hint = f'Write "{right}".' if right else example
            messages.append(Error(text, hint, id="fcs.E008"))
    return messages


def _as_browsers_spell(origin: str) -> str:
    """Return the intended origin as an ``Origin`` header has it, or "" if there is none."""
    try:
        parts = urlsplit(origin.strip() if "://" in origin else f"https://{origin.strip()}")
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError:
        return ""
    if not host or "*" in host:
        return ""
    netloc = f"[{host}]" if ":" in host else host
    is_usual = port is None or port == DEFAULT_PORTS.get(parts.scheme)
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
    text = f"FCS_AUTHORIZE ({shown(path)}) is not a function, so every join is refused."
    return [Error(text, hint, id="fcs.E010")]


def _check_key() -> list[CheckMessage]:
    if conf.FCS_API_KEY:
        return []
    hint = f'Set FCS_API_KEY to your socket key, or to "{DEMO_KEY}" to try things out.'
    return [Warning("FCS_API_KEY is empty, so no prices will arrive.", hint, id="fcs.W001")]


def check_demo_key() -> list[CheckMessage]:
    """Look for the vendor's demo key on a site in production."""
    if settings.DEBUG or conf.FCS_API_KEY != DEMO_KEY:
        return []
    text = "FCS_API_KEY is the public demo key of the vendor."
    hint = 'Set FCS_API_KEY = os.environ["FCS_API_KEY"], and that variable to your own key.'
    return [Warning(text, hint, id="fcs.W008")]


def check_names() -> list[CheckMessage]:
    """Look for names that begin with ``FCS_`` and are no settings."""
    known = list(Settings.declared())
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
    seconds = conf.FCS_OFFLINE_AFTER_SECONDS
    if seconds >= _PATIENCE_SECONDS:
        return []
    text = (
        f"FCS_OFFLINE_AFTER_SECONDS is {seconds:g}, but heartbeats come every {DEFAULT.beat} s: "
        "rooms go offline and back although nothing is wrong."
    )
    hint = f"Set it to {_PATIENCE_SECONDS:g} or more, or remove it: the default is 10."
    return [Warning(text, hint, id="fcs.W010")]
