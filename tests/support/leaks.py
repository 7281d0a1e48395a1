"""A key that is easy to find again, in whatever spelling somebody lets it slip."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus, urlencode

__all__ = ["CARELESS", "KEY", "leaks"]

#: With characters that addresses, pages and JSON each write in another way.
KEY = 'le/ak+ed&k<e>y="0x7"'

#: The query of a page that was written for the vendor's own socket.
CARELESS = "?" + urlencode({"api_key": KEY, "access_key": KEY, "v": KEY, "apiKey": KEY})

_SPELLINGS = {
    KEY,
    quote(KEY),
    quote(KEY, safe=""),
    quote_plus(KEY),
    quote(quote_plus(KEY)),
    html.escape(KEY),
    json.dumps(KEY)[1:-1],
    repr(KEY)[1:-1],
    base64.b64encode(KEY.encode()).decode(),
}


def leaks(text: str) -> list[str]:
    """Return the lines that tell the key, each cut short around it."""
    return [
        line[max(0, line.find(spelling) - 80) :][:200]
        for line in text.splitlines()
        for spelling in _SPELLINGS
        if spelling in line
    ]
