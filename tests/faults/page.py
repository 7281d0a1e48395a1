"""The pages of the fault tests, under their former name."""

from __future__ import annotations

from tests.support.pages import Page, Priced, Shown, Widget

__all__ = ["Page", "Priced", "Shown", "Widget"]
