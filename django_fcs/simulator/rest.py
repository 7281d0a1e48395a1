"""The simulator's HTTP server: one thread accepts connections, each request has its own."""

from __future__ import annotations

import selectors
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django_fcs.tools.logs import logger_of

from .history import Reply

__all__ = ["RestServer"]

logger = logger_of(__name__)

Answer = Callable[[str, Mapping[str, str]], Reply]

#: Connections at a time; further ones are closed.
_CONNECTIONS_MAX = 64

#: Bytes of a form, and its fields.
_FORM_MAX = 64 * 1024
_FIELDS_MAX = 50

_WAIT_SECONDS = 10.0


class RestServer:
    """An HTTP server that ``answer`` serves, in threads: it gets the path and the parameters.

    ``port`` 0 selects a free one.
    """

    def __init__(self, answer: Answer, *, host: str, port: int) -> None:
        self._answer = answer
        self._host = host
        self._port = port

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve during the ``with`` block; at its end, cut all connections and end their threads.

        Raises ``OSError`` if it cannot listen, with the address as ``filename``.
        """
        listener = _listener(self._host, self._port, self._answer)
        self._port = listener.server_address[1]
        with ExitStack() as stack:
            stack.callback(listener.end)
            waking, wake = socket.socketpair()
            stack.enter_context(waking)
            thread = threading.Thread(target=_accept, args=(listener, waking), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.enter_context(wake)  # closed first, which ends the thread
            yield


def _accept(listener: _Listener, waking: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(waking, selectors.EVENT_READ)
        while all(key.fileobj is listener for key, _ in selector.select()):
            listener.handle_request()


def _listener(host: str, port: int, answer: Answer) -> _Listener:
    try:
        return (_Listener6 if ":" in host else _Listener)((host, port), answer)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), f"{host}:{port}") from None


class _Listener(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False  # so that they are waited for
    request_queue_size = _CONNECTIONS_MAX
    timeout = 0  # in ``handle_request``: the thread that accepts has waited already

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        self.answer = answer
        self.ending = threading.Event()
        self._open: set[Any] = set()
        super().__init__(address, _Handler)
        self.socket.setblocking(False)  # a client may have gone before it is accepted

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return len(self._open) < _CONNECTIONS_MAX

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._open.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # not a client that went
            super().handle_error(request, client_address)

    def end(self) -> None:
        """Cut the connections, wait for their threads, and stop listening."""
        self.ending.set()
        for request in tuple(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Listener6(_Listener):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    timeout = _WAIT_SECONDS
    server: _Listener

    def do_GET(self) -> None:
        self._serve("")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        is_number = length.isascii() and length.isdigit() and len(length) < 10
        if not is_number or int(length) > _FORM_MAX:
            self.send_error(413)
            return
        self._serve(self.rfile.read(int(length)).decode("ascii", "replace"))

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: a line would show the key."""

    def _serve(self, form: str) -> None:
        parts = urlsplit(self.path)
        try:
            texts = [parse_qs(text, max_num_fields=_FIELDS_MAX) for text in (parts.query, form)]
        except ValueError:
            self.send_error(400)
            return
        parameters = {name: found[-1] for text in texts for name, found in text.items()}
        try:
            reply = self.server.answer(parts.path, parameters)
        except Exception:
            logger.exception("history failed path=%s", parts.path)
            self.send_error(500)
            return
        self.server.ending.wait(reply.seconds)
        if not (reply.is_cut or self.server.ending.is_set()):
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(reply.length))
        if reply.retry_after:
            self.send_header("Retry-After", reply.retry_after)
        self.end_headers()
        self.wfile.write(reply.body)
