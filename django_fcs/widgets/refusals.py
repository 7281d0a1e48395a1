"""What a page shows in place of a widget if a variable is not a symbol, timeframe or field."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.utils.html import format_html
from django.utils.translation import pgettext

from django_fcs.exceptions import BadField, BadTimeframe, RoomError
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of

__all__ = ["printed"]

logger = logger_of(__name__)

_complaints = Complaints()


def printed(make: Callable[[], str], *, otherwise: str | None = None) -> str:
    """Return what ``make`` returns, or a few words if it raises ``RoomError``.

    The words, or ``otherwise``, take its place on the page, and the log has the reason
    once. Visitors see the other widgets of the page. With ``DEBUG`` the error is raised.
    """
    try:
        return make()
    except RoomError as error:
        if settings.DEBUG:
            raise
        if _complaints.is_new("page", str(error)):
            logger.warning("a page has a tag without a widget reason=%s", error)
        return _words(error) if otherwise is None else otherwise


def _words(error: RoomError) -> str:
    if isinstance(error, BadTimeframe):
        text = pgettext("price", "no such timeframe")
    elif isinstance(error, BadField):
        text = pgettext("price", "no such field")
    else:
        text = pgettext("price", "no such symbol")
    return format_html("<span data-fcs-error>{}</span>", text)
