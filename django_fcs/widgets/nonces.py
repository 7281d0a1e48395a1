"""The nonce of the page's Content Security Policy, wherever the template can find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["nonce_from"]


def nonce_from(lookup: Callable[[str], Any], request: object = None) -> str:
    """Find the page's CSP nonce, or return "" if it has none.

    ``lookup`` returns a variable of the template, or ``None``. Nonces are lazy: they are
    false until they are read, and reading one puts it into the header. Call this only if
    the nonce will be printed.
    """
    for nonce in _candidates(lookup, request):
        if nonce is not None and (text := str(nonce)):
            return text
    return ""


def _candidates(lookup: Callable[[str], Any], request: object) -> Iterator[object]:
    yield lookup("csp_nonce")
    for one in (request, lookup("request")):
        # Of the middleware of Django 6, whose ``get_nonce`` older releases do not have.
        yield getattr(one, "_csp_nonce", None)
        # Of django-csp.
        yield getattr(one, "csp_nonce", None)
