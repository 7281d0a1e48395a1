"""Text from outside, made safe for a log, a terminal and a page.

The vendor, browsers, Redis and the cache send texts of any length and content. A line break
would forge a line, and an escape sequence or a change of direction would hide one.
"""

from __future__ import annotations

import re
from unicodedata import category

__all__ = ["REASON_MAX", "one_line"]

#: How long a reason may be, in characters. Visitors and operators read it.
REASON_MAX = 200

#: Controls, formats (such as changes of direction), surrogates, private and unassigned
#: characters, and separators of lines and paragraphs.
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

_PLAIN = re.compile(r"[ -~]*")


def one_line(text: str, limit: int = REASON_MAX) -> str:
    """Return the text as one line of at most ``limit`` characters that hides nothing.

    A character that could hide something is escaped as in Python, such as ``\\x1b``.
    """
    shown = text[: limit + 1]
    if not _PLAIN.fullmatch(shown):
        shown = "".join(map(_visible, shown))
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def _visible(character: str) -> str:
    if category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape").decode("ascii")
