"""What a page passes to the scripts, and the files that it loads."""

from __future__ import annotations

from django.conf import settings
from django.templatetags.static import static
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from django_fcs.conf import Settings
from django_fcs.site import setting_to_show

from . import formats
from .texts import translations

__all__ = ["core_scripts", "data_block", "file"]

#: The modules that the script imports, by what an element has to be or to hold: a CSS selector.
_MODULES = {
    "[data-part=sparkline], fcs-sparkline": "fcs-sparkline.js",
    "[announce]": "fcs-announce.js",
    "fcs-spread": "fcs-spread.js",
    "fcs-converter": "fcs-converter.js",
    "fcs-tape": "fcs-tape.js",
    "fcs-heatmap": "fcs-heatmap.js",
    "fcs-movers": "fcs-movers.js",
    "fcs-table": "fcs-table.js",
    "fcs-chart": "fcs-chart.js",
    "fcs-chart[data-near]": "fcs-chart-plot.js",
    "fcs-chart[data-visitor]": "fcs-chart-visitor.js",
}


def data_block() -> SafeString:
    """Print the data block: words, separators, the default timeframe, addresses of modules.

    It is data, not a script: it needs no nonce, and policies do not forbid it.
    """
    page = {
        "language": get_language() or "",
        "timeframe": setting_to_show(Settings.FCS_TIMEFRAME),
        "numbers": formats.separators(),
        "texts": translations(),
        "modules": {selector: static(file(name)) for selector, name in _MODULES.items()},
    }
    return json_script(page, "fcs-page")


def core_scripts() -> list[str]:
    """Return the client and the elements, in their order: one file, or with ``DEBUG`` two."""
    names = ["fcs-client.js", "fcs-elements.js"] if settings.DEBUG else ["fcs.js"]
    return [file(name) for name in names]


def file(name: str) -> str:
    """Return a static file: as it is written with ``DEBUG``, else minified."""
    stem, _, ending = name.rpartition(".")
    return f"django_fcs/{stem}{'' if settings.DEBUG else '.min'}.{ending}"
