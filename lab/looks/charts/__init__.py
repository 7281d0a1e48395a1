"""The chart in every state: one page for the matrix, its tests and the pictures.

No server runs: a browser is given the page and the files, and a socket that answers as ours does.
Prices are invented. They and the time are fixed.
"""

from __future__ import annotations

__all__: list[str] = []
