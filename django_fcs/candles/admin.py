"""Candles in the admin, to look at; also where the table has millions of rows."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from django_fcs.values.timeframes import TIMEFRAMES

from .models import Candle

__all__ = ["CandleAdmin"]

#: How many rows are counted, and can be reached page by page. To count millions takes seconds.
ROWS_COUNTED = 10_000


class ShortPaginator(Paginator):  # type: ignore[type-arg]  # not generic when it runs
    """Pages of the first rows only."""

    @cached_property
    def count(self) -> int:
        """How many rows have a page."""
        rows = cast("QuerySet[Candle]", self.object_list)
        return rows.order_by()[:ROWS_COUNTED].count()


class TimeframeFilter(admin.SimpleListFilter):
    """The known timeframes, without asking the table which of them it has."""

    title = "timeframe"
    parameter_name = "timeframe"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return all timeframes."""
        return [(timeframe, timeframe) for timeframe in TIMEFRAMES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Candle]) -> QuerySet[Candle]:
        """Return the candles of the chosen timeframe."""
        chosen = self.value()
        return queryset.filter(timeframe=chosen) if chosen else queryset


@admin.register(Candle)
class CandleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic when it runs
    """Shows candles, the newest of a room first. The stream writes them, so nobody edits them."""

    list_display = (*("symbol", "timeframe", "opened", "open", "high", "low", "close", "volume"),)
    list_filter = (TimeframeFilter,)
    search_fields = ("symbol__exact",)
    search_help_text = "A whole symbol, as in FX:EURUSD."
    # The order of the index, backwards. Any other order would sort the whole table.
    ordering = ("-symbol", "-timeframe", "-t")
    sortable_by = ()
    show_full_result_count = False
    paginator = ShortPaginator

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds a candle."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Candle | None = None) -> bool:
        """Nobody changes a candle."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Candle | None = None) -> bool:
        """Nobody deletes a candle here: ``manage.py fcs_candles delete`` does."""
        return False
