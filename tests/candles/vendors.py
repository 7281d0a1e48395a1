"""A little REST API of the vendor in this process, as broken as a test likes."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["ROWS", "Answering", "Handler", "Vendor", "answering", "serving", "the_history"]

#: Two minutes of a quiet market.
ROWS = [[1_764_576_000, 1.08, 1.09, 1.07, 1.085, 12.5], [1_764_576_060, 1.085, 1.086, 1.084, 1.085]]

Handler = BaseHTTPRequestHandler

#: Writes an answer.
Answering = Callable[[Handler, "Vendor"], None]


@dataclass
class Vendor:
    """What was asked, and where."""

    url: str
    ended: threading.Event
    """Set when the test has ended, so that nobody waits any longer."""
    paths: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)


def answering(
    body: bytes | Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answering:
    """Answer every request alike, with bytes or with JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(handler: Handler, vendor: Vendor) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def the_history(response: object = ROWS, **info: object) -> dict[str, object]:
    """Return what the vendor answers."""
    return {"status": True, "code": 200, "msg": "Successfully", "response": response, "info": info}


@contextmanager
def serving(answer: Answering, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Vendor]:
    """Run the API, with TLS for ``localhost`` if there is a certificate."""

    class Serving(Handler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            vendor.paths.append(self.path)
            vendor.headers.append({**self.headers})
            vendor.forms.append(dict(parse_qsl(self.rfile.read(length).decode())))
            with suppress(OSError):  # The client may have had enough.
                answer(self, vendor)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Serving)
    server.daemon_threads = False
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    scheme, port = "http", server.server_address[1]
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        scheme = "https"
    vendor = Vendor(f"{scheme}://localhost:{port}/", threading.Event())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield vendor
    finally:
        vendor.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(20)
