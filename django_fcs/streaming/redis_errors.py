"""Errors of Redis that keep it from lending the lease: what they mean, and what to change."""

from __future__ import annotations

import re
from typing import NamedTuple

from django_fcs.tools.texts import one_line

__all__ = ["Cause", "cause_of", "sentence_of"]


class Cause(NamedTuple):
    """Why Redis refuses the scripts of the lease."""

    meaning: str
    fix: str


_HOST = "the first of hosts in CHANNEL_LAYERS"

_CAUSES = {
    "SELECT is not allowed|unknown command ['`\"]?(?:SELECT|select)": Cause(
        "Redis is in cluster mode, or a proxy is before it, and there is only database 0",
        f"Remove the database from {_HOST}, and set FCS_SITE if other sites use this Redis",
    ),
    "DB index": Cause(
        "Redis does not have this database",
        f'Raise "databases" in the configuration of Redis, or lower the database in {_HOST}',
    ),
    "CROSSSLOT": Cause(
        "Redis is in cluster mode, and the keys of the lease are in several hash slots",
        'Remove the braces from "prefix" in CHANNEL_LAYERS',
    ),
    "MOVED|ASK|TRYAGAIN": Cause(
        "Redis is a cluster of several nodes, which is not supported for the channel layer's "
        "first host",
        f"Make {_HOST} a Redis that is not in cluster mode, or a cluster of one node",
    ),
    "CLUSTERDOWN": Cause(
        "Redis is in cluster mode, but the cluster does not serve all hash slots",
        "Assign all 16,384 slots: redis-cli --cluster fix ADDRESS",
    ),
    "NOPERM|no permissions|user executing the script": Cause(
        "the user of Redis lacks rights",
        f"Allow the user of {_HOST} the commands EVAL, GET, SET, DEL, EXISTS, PEXPIRE, PTTL and "
        "TIME, on all keys that begin with the layer's prefix (asgi: by default)",
    ),
    "AUTH <password> called without|Client sent AUTH, but no password": Cause(
        "Redis has no password, but is given one",
        f"Remove the password from {_HOST}, or set it in the configuration of Redis",
    ),
    r"for '(?:auth|AUTH)' command|NOAUTH|WRONGPASS|\w*[Aa]uthentica\w+|username-password": Cause(
        "Redis does not accept the user or the password",
        f"Correct user and password in {_HOST}",
    ),
    "(?i:unknown) (?:Redis )?command|command is not allowed|unsupported command|"
    "(?:command|scripts?|scripting|EVAL|eval)['`\"]? (?:(?:is|are|was|has been|have been) )?"
    "disabled": Cause(
        "this Redis, or a proxy before it, does not run scripts",
        f"Allow EVAL there, or make {_HOST} a Redis that allows it",
    ),
    "READONLY|read.only replica": Cause(
        "this Redis is a replica, which accepts no writes",
        f"Make {_HOST} the master, or name the Sentinels there",
    ),
    "MASTERDOWN": Cause(
        "this Redis is a replica, and its master is down",
        f"Start the master, and make it {_HOST}",
    ),
    "NOREPLICAS": Cause(
        "Redis has too few replicas to accept writes",
        "Start the replicas, or lower min-replicas-to-write of Redis",
    ),
    "OOM": Cause("Redis is out of memory", "Raise maxmemory of Redis, or remove keys"),
    "MISCONF": Cause(
        "Redis cannot save to its disk, and refuses writes", "Free the disk of Redis: see its log"
    ),
    "DENIED": Cause(
        "Redis is in protected mode", "Set a password, or bind, in the configuration of Redis"
    ),
    "LOADING|loading the dataset": Cause(
        "Redis has just started, and is still loading its data",
        "Wait until redis-cli INFO persistence shows loading:0",
    ),
    "BUSY": Cause(
        "a script of another program keeps Redis busy",
        "Stop it with redis-cli SCRIPT KILL, or FUNCTION KILL if it is a function",
    ),
    "WRONGTYPE": Cause(
        "another program stores other values under the keys of the lease",
        'Change "prefix" in CHANNEL_LAYERS, or remove the keys that begin with it and :{fcs',
    ),
    "max number of clients": Cause("Redis has too many clients", "Raise maxclients of Redis"),
}

#: redis-py's own read cuts the code off, and keeps it as the class of the error.
_CODES = {
    "AskError": "ASK",
    "AuthenticationError": "NOAUTH",
    "AuthenticationWrongNumberOfArgsError": "NOAUTH",
    "BusyLoadingError": "LOADING",
    "ClusterCrossSlotError": "CROSSSLOT",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "MovedError": "MOVED",
    "NoPermissionError": "NOPERM",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "TryAgainError": "TRYAGAIN",
}


def cause_of(error: Exception | str) -> Cause | None:
    """Return the cause of an error of Redis; None if it is not one of those known here."""
    # The text first: it says more than the class about a password that is not expected.
    return _named_in(str(error)) or _named_in(_CODES.get(type(error).__name__, ""))


def _named_in(text: str) -> Cause | None:
    for pattern, cause in _CAUSES.items():
        # Codes in capitals: a script's error has its code in the middle of the text.
        if re.search(rf"\b(?:{pattern})\b", text):
            return cause
    return None


def sentence_of(error: Exception | str) -> str:
    """Return an error of Redis in one line, with its meaning and the fix if they are known."""
    text = one_line(" ".join(str(error).split()))
    cause = cause_of(error)
    return f"{cause.meaning} ({text}). {cause.fix}." if cause else text
