"""The words of the widgets, in the active language.

``fcs-elements.js`` has the English ones under the same names, for pages without a data block.
"""

from __future__ import annotations

from django.utils.translation import pgettext

__all__ = ["texts"]


def texts() -> dict[str, str]:
    """Return the words that server and script both write, by their names in the script."""
    return {
        "live": pgettext("price", "live"),
        "waiting": pgettext("price", "waiting"),
        "closed": pgettext("price", "closed"),
        "opens": pgettext("price", "closed · opens {n}"),
        "offline": pgettext("price", "offline"),
        "reload": pgettext("price", "offline · reload the page"),
        "reconnecting": pgettext("price", "reconnecting in {n} s"),
        "markets": pgettext("price", "markets closed"),
        "stale": pgettext("price", "stale"),
        "delayed": pgettext("price", "{n} min delayed"),
        "seconds": pgettext("price", "{n} s old"),
        "minutes": pgettext("price", "{n} min old"),
        "hours": pgettext("price", "{n} h old"),
        "days": pgettext("price", "{n} d old"),
        "nodata": pgettext("price", "No data for {n}"),
        "pips": pgettext("price", "{n} pips"),
        "open": pgettext("price", "Open"),
        "high": pgettext("price", "High"),
        "low": pgettext("price", "Low"),
        "spread": pgettext("price", "Spread"),
        "volume": pgettext("price", "Volume"),
    }
