"""The words of the widgets, in the active language."""

from __future__ import annotations

from django.utils.translation import override, pgettext

__all__ = ["texts", "translations"]


def texts() -> dict[str, str]:
    """Return the words that server and script both write, by their names in the templates."""
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


def translations() -> dict[str, str]:
    """Return the words that are not the English ones of the script, by those."""
    own = texts()
    with override(None):
        english = texts()
    return {english[name]: words for name, words in own.items() if words != english[name]}
