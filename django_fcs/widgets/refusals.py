"""What a page shows if a variable that is passed to a tag has a wrong value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.utils.html import format_html
from django.utils.translation import pgettext

from django_fcs.exceptions import BadField, BadSymbol, BadTimeframe, RoomError
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of

__all__ = ["in_words", "unless_refused"]

logger = logger_of(__name__)

_complaints = Complaints()

T = TypeVar("T")


def unless_refused(make: Callable[[], T], otherwise: Callable[[RoomError], T]) -> T:
    """Return what ``make`` returns, or what ``otherwise`` makes of a ``RoomError``.

    The log has the reason once, and visitors see the rest of the page. With ``DEBUG`` the
    error is raised.
    """
    try:
        return make()
    except RoomError as error:
        if settings.DEBUG:
            raise
        if _complaints.is_new("page", str(error)):
            logger.warning("a tag of a page has a wrong value reason=%s", error)
        return otherwise(error)


def in_words(error: RoomError) -> str:
    """Print what is wrong, for visitors."""
    if isinstance(error, BadTimeframe):
        text = pgettext("price", "no such timeframe")
    elif isinstance(error, BadField):
        text = pgettext("price", "no such field")
    elif isinstance(error, BadSymbol):
        text = pgettext("price", "no such symbol")
    else:
        text = pgettext("price", "cannot be shown")
    return format_html("<span data-fcs-error>{}</span>", text)
