"""A PostgreSQL of one's own: how it is started, and what a machine without one does."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.support.network import HOST, answers, free_port

__all__ = ["MISSING", "USER", "is_required", "is_there", "postgres_server"]

MISSING = "no PostgreSQL, or no psycopg: install Debian's postgresql and the extra test"

#: The owner of the databases in it.
USER = "fcs"

#: PostgreSQL does not run as root. Debian's package makes this user.
_SYSTEM_USER = "postgres"

#: It answers within a second. A busy machine needs longer.
_STARTS_WITHIN = 30.0

#: What is in it need not survive the machine.
_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=20")


def is_there() -> bool:
    """Tell whether this machine has the server, and this Python a driver."""
    return _programs() is not None and find_spec("psycopg") is not None


def is_required() -> bool:
    """Tell whether a run without it is to fail."""
    return os.environ.get("FCS_REQUIRE_POSTGRES") == "1"


def _programs() -> Path | None:
    """Return the folder of the newest server: Debian's, which is not on the PATH, or another."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_release)
    found = str(debian[-1]) if debian else shutil.which("initdb")
    return Path(found).parent if found else None


def _release(program: Path) -> float:
    return float(program.parents[1].name)


@contextlib.contextmanager
def postgres_server() -> Iterator[int]:
    """Run an empty PostgreSQL until the block ends; its port. ``USER`` needs no password."""
    programs, port = _programs(), free_port()
    assert programs is not None, MISSING
    user = _SYSTEM_USER if os.getuid() == 0 else None
    # Not in pytest's own folder, where only the user of the tests may look.
    with tempfile.TemporaryDirectory(prefix="fcs-postgres-") as folder:
        if user is not None:
            shutil.chown(folder, user)
        data = f"{folder}/data"
        subprocess.run(
            [str(programs / "initdb"), "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8"]
            + ["--locale=C", "--no-sync"],
            user=user,
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=60,
        )
        options = (f"listen_addresses={HOST}", f"port={port}", "unix_socket_directories=")
        command = [str(programs / "postgres"), "-D", data]
        command += [word for option in (*options, *_OPTIONS) for word in ("-c", option)]
        with _running(command, user, folder, port):
            yield port


@contextlib.contextmanager
def _running(command: list[str], user: str | None, folder: str, port: int) -> Iterator[None]:
    with open(f"{folder}/log", "wb") as log:
        process = subprocess.Popen(command, user=user, cwd=folder, stdout=log, stderr=log)
    try:
        end = time.monotonic() + _STARTS_WITHIN
        while not answers(port):
            assert process.poll() is None and time.monotonic() < end, _tail(folder)
            time.sleep(0.02)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # A fast end, without waiting for clients.
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tail(folder: str) -> str:
    return Path(folder, "log").read_text(errors="replace")[-2000:]
