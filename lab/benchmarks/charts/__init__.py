"""What charts cost a server and a browser: the tag, a drag, and a page with eight of them."""

from __future__ import annotations

__all__: list[str] = []
