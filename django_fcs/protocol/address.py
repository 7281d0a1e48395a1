"""The address of the vendor's socket, and the key, which must stay secret."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django_fcs.exceptions import ConfigurationError
from django_fcs.tools.redaction import spellings_of, without_secrets

__all__ = ["Address"]


class Address:
    """A socket address and its key.

    Raises ``ConfigurationError`` if ``url`` is not a socket address or the key is empty.
    """

    def __init__(self, url: str, key: str) -> None:
        self.with_key = _with_key(url, key)
        parts = urlsplit(url)
        self.place = parts.netloc.rpartition("@")[2]
        """Host and port, which are not secret."""
        self.host = parts.hostname or ""
        self._key = key

    def __repr__(self) -> str:
        return f"<Address {self.place}>"

    def without_key(self, text: str) -> str:
        """Return a frame with every spelling of the key replaced by ``[key]``."""
        return spellings_of(self._key).sub("[key]", text)

    def without_secrets(self, text: str) -> str:
        """Return a message without the key, and without passwords in addresses."""
        return without_secrets(text, self._key)


def _with_key(url: str, key: str) -> str:
    """Add the key to the address and keep the query that it already has."""
    if not key:
        raise ConfigurationError("FCS_API_KEY is empty: set it to your FCS socket key")
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.port == 0:
            raise ValueError
        parts.hostname.encode("idna")  # UnicodeError is a ValueError
    except ValueError:
        # Without blanks, so that a password with one is hidden as a whole.
        shown = without_secrets("".join(url.split()), key).partition("?")[0]
        raise ConfigurationError(
            f"FCS_URL {shown!r} is not a socket address such as wss://ws-v4.fcsapi.com/ws"
        ) from None
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("access_key", key)])
    return urlunsplit(parts._replace(query=query, fragment=""))
