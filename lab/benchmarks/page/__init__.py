"""What a page full of prices costs a browser: one with our widgets, one after the vendor's pattern.

A server on one core replays frames from a file. Headless Chromium shows the page.
"""

from __future__ import annotations

__all__: list[str] = []
