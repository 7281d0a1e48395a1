"""A chart as an SVG file: the same text for the same candles, no matter who asks."""

from __future__ import annotations

from django.utils import translation

from django_fcs.candles import Candles

from .addresses import Picture

__all__ = ["svg_of"]


def svg_of(found: Candles, picture: Picture) -> str:
    """Return candles as a file, in the language and the zone of the picture."""
    with translation.override(picture.language):
        raise NotImplementedError
