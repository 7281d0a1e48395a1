"""The addresses of the vendor's socket and REST API, and the keys, which must stay secret."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import (
    SplitResult,
    parse_qsl,
    quote,
    unquote,
    urlencode,
    urlsplit,
    urlunsplit,
)

from django_fcs.exceptions import ConfigurationError
from django_fcs.tools.redaction import spellings_of, without_secrets
from django_fcs.values.origins import DEFAULT_PORTS

__all__ = ["Address", "RestAddress"]


class Address:
    """A socket address and its key.

    Raises ``ConfigurationError`` if ``url`` is not a socket address or the key is empty.
    """

    def __init__(self, url: str, key: str) -> None:
        self.with_key = _with_key(url, key)
        parts = urlsplit(url)
        self.place = _place_of(parts)
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


class RestAddress:
    """The address of a REST API and its key; the key is not a part of any URL.

    Raises ``ConfigurationError`` if ``url`` is not an address, or the key is empty.
    """

    def __init__(self, url: str, key: str) -> None:
        if not key:
            raise ConfigurationError("FCS_REST_KEY is empty: set it to your FCS REST key")
        parts = _parts_of(url, ("http", "https"))
        if parts is None or parts.query or parts.fragment:
            raise ConfigurationError(
                f"FCS_REST_URL {_shown(url, key)!r} is not a web address without a query, such as "
                "https://api-v4.fcsapi.com/"
            )
        self.place = _place_of(parts)
        """Host and port, which are not secret."""
        self.host = parts.hostname or ""
        self.is_encrypted = parts.scheme == "https"
        self.port = parts.port or DEFAULT_PORTS[parts.scheme]
        self.key = key
        self._path = quote(parts.path.rstrip("/"), safe="/%")
        self._user = parts.netloc.rpartition("@")[0]

    def __repr__(self) -> str:
        return f"<RestAddress {self.place}>"

    def path(self, *names: str) -> str:
        """Return the path of an endpoint, such as ``/forex/history``."""
        return "/".join((self._path, *names))

    def authorization(self) -> dict[str, str]:
        """Return the header for the user and the password in the address, if it has them."""
        if not self._user:
            return {}
        return {"Authorization": f"Basic {b64encode(unquote(self._user).encode()).decode()}"}

    def without_secrets(self, text: str) -> str:
        """Return a message without the key, and without passwords in addresses."""
        return without_secrets(text, self.key)


def _with_key(url: str, key: str) -> str:
    """Add the key to the address and keep the query that it already has."""
    if not key:
        raise ConfigurationError("FCS_API_KEY is empty: set it to your FCS socket key")
    parts = _parts_of(url, ("ws", "wss"))
    if parts is None:
        raise ConfigurationError(
            f"FCS_URL {_shown(url, key)!r} is not a socket address such as "
            "wss://ws-v4.fcsapi.com/ws"
        )
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("access_key", key)])
    return urlunsplit(parts._replace(query=query, fragment=""))


def _parts_of(url: str, schemes: tuple[str, ...]) -> SplitResult | None:
    """Split an address; ``None`` if it has another scheme, or no host that can be looked up."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname or parts.port == 0:
            return None
        parts.hostname.encode("idna")  # UnicodeError is a ValueError
    except ValueError:
        return None
    return parts


def _place_of(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _shown(url: str, key: str) -> str:
    """Return an address for a message: without blanks, so that all of a password is hidden."""
    return without_secrets("".join(url.split()), key).partition("?")[0]
