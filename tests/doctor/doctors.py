"""The doctor in this process, and servers as broken as a test likes."""

from __future__ import annotations

import io
import logging
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings
from websockets.sync.server import Server, serve

from django_fcs.doctor.waits import PATIENT, Waits
from django_fcs.management.commands import fcs_doctor
from tests.support.certificates import self_signed

KEY = "a-secret-key-of-the-tests"

LONELY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
NOTHING = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

_LINE = re.compile(r"^(ok|warning|broken|skipped) +(\w+) +(.*)$")


class Line(NamedTuple):
    outcome: str
    text: str
    fix: str


class Report:
    """What the command printed, and how it ended."""

    def __init__(self, out: str, error: CommandError | None) -> None:
        self.out = out
        self.error = error
        self.lines: dict[str, list[Line]] = {}
        for line in out.splitlines():
            if found := _LINE.match(line):
                outcome, name, text = found.groups()
                self.lines.setdefault(name, []).append(Line(outcome, text, ""))
            else:
                last = self.lines[name][-1]
                self.lines[name][-1] = last._replace(fix=line.strip().removeprefix("-> "))

    def __getitem__(self, name: str) -> Line:
        [line] = self.lines[name]
        return line

    @property
    def outcomes(self) -> dict[str, str]:
        return {name: lines[-1].outcome for name, lines in self.lines.items()}

    @property
    def broken(self) -> set[str]:
        return {
            name for name, lines in self.lines.items() for line in lines if line.outcome == "broken"
        }


def examined(url: str = "", *, waits: Waits = PATIENT, **settings: Any) -> Report:
    """Run the doctor on a site; whatever is wrong with that, the key is not shown."""
    site = {"FCS_API_KEY": KEY, "DEBUG": True, **settings}
    out = io.StringIO()
    error = None
    with override_settings(**site):
        try:
            doctor = fcs_doctor.Command()
            doctor.waits = waits
            call_command(doctor, *(["--url", url] if url else []), stdout=out)
        except CommandError as raised:
            error = raised
    report = Report(out.getvalue(), error)
    assert KEY not in f"{report.out}{error}"
    for lines in report.lines.values():
        assert all(line.fix for line in lines if line.outcome in ("broken", "warning"))
    assert (error is not None) == bool(report.broken)
    assert error is None or (error.returncode == 1 and "\n" not in str(error))
    return report


@contextmanager
def web_server(serve_socket: Any, answer: Any = None) -> Iterator[int]:
    """Run a server that does with sockets, or with their upgrade, what its test says."""
    silent = logging.Logger("server")  # noqa: LOG001 - it would tell the key that it hears
    silent.disabled = True
    server: Server = serve(
        serve_socket, "127.0.0.1", 0, process_request=answer, logger=silent, compression=None
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()
        thread.join(10)


@contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """Take TLS connections for ``localhost``, and end them at once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(folder))
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        thread = threading.Thread(target=shake_hands, args=(listening, context, done))
        thread.start()
        try:
            yield address[1]
        finally:
            done.set()
            socket.create_connection(address, 10).close()
            thread.join(10)


def shake_hands(listening: socket.socket, context: ssl.SSLContext, done: threading.Event) -> None:
    while True:
        line, _ = listening.accept()
        if done.is_set():
            return line.close()
        try:
            with context.wrap_socket(line, server_side=True):
                pass
        except OSError:
            line.close()
