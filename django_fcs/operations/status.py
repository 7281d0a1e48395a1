"""Whether prices flow, as far as the store can tell: for probes and people."""

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
    "the channel layer is the in-memory one, with which only the web process knows how its stream "
    "does: ask it at fcs/health/ (include django_fcs.urls)"
)

#: The check that finds a cache which keeps nothing for the next process.
_LONELY_CACHE = "fcs.W003"


def shared_store() -> Store:
    """Return the store by which another process than the stream's can know of it.

    Raises ``ConfigurationError`` with the cure where there is none.
    """
    if layer_is_in_memory():
        raise ConfigurationError(_IN_MEMORY)
    for problem in check_settings():
        if problem.id == _LONELY_CACHE:
            raise ConfigurationError(f"{problem.msg} {problem.hint}")
    return site_store()


def trouble(store: Store, beat: PathReport | None, now: float) -> str:
    """Say in a few words why prices do not flow; nothing where they do.

    No hosts and none of the vendor's words: anybody may be told.
    """
    if beat is None and store.sickness:
        return "the cache does not answer"
    offline_after = conf.FCS_OFFLINE_AFTER_SECONDS
    if beat is None or beat.is_silent(beat.age(now), offline_after):
        return "no heartbeat from the stream"
    is_broken = beat.is_broken(beat.age(now), offline_after)
    return "the stream has no connection to the vendor" if is_broken else ""


def cause(store: Store, beat: PathReport | None, trouble: str) -> str:
    """Add to a trouble what the site's own people may know of its cause."""
    known = store.sickness if beat is None else "" if beat.online else beat.reason
    return f"{trouble}: {known}" if trouble and known else trouble
