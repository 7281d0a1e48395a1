"""Whether prices flow, as far as the store can tell; for health checks and commands."""

from __future__ import annotations

from django_fcs.checks import check_settings
from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError
from django_fcs.layer.bus import layer_is_in_memory
from django_fcs.prices.paths import PathReport
from django_fcs.prices.store import Store
from django_fcs.site import site_store

__all__ = ["cause", "shared_store", "trouble"]

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
    if layer_is_in_memory():
        raise ConfigurationError(_IN_MEMORY)
    for problem in check_settings():
        if problem.id == _LONELY_CACHE:
            raise ConfigurationError(f"{problem.msg} {problem.hint}")
    return site_store()


def trouble(store: Store, path: PathReport | None, now: float) -> str:
    """Return in a few words why prices do not flow, or "" if they do.

    The text contains no host names and no text of the vendor, so anybody may read it.
    """
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
