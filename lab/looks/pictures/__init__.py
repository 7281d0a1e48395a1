"""The pictures of README and docs: of the example's pages, the family and the cards.

No server runs: the browser is given what the views print, and a socket that answers as ours does.
Prices are invented. They and the time are fixed, so that a new run makes the same pictures.
"""

from __future__ import annotations

__all__: list[str] = []
