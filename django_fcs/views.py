"""Candles as JSON, charts as images; health and metrics of a web process."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .access.http import refusal_of
from .access.refusals import matches_pattern
from .candles import Candles, aget_candles
from .candles.ranges import Range
from .charts.addresses import Picture, is_signed, read
from .charts.pictures import CannotPaint, NotPainted, painted
from .conf import conf
from .exceptions import BadOption, BadRange, BadSymbol, BadTimeframe, ConfigurationError, RoomError
from .operations.credits import read_credits
from .operations.exposition import page
from .operations.status import trouble
from .prices.offset import ClockOffset
from .prices.reports import Report
from .quotes import aget_quotes
from .rooms import Room
from .site import is_idle, note_mistake, room_to_show, site_store
from .tools.logs import logger_of
from .tools.metrics import gauges
from .values.timeframes import LONGEST
from .widgets import plots, still

__all__ = ["candles", "chart", "health", "metrics"]

logger = logger_of(__name__)

#: How long a client may keep candles that cannot change any more, and any others, in seconds.
FINAL_SECONDS = 86_400
FORMING_SECONDS = 5

#: How long anybody may keep the image of a chart, in seconds: if its last candle is final, if it
#: is forming, and if there is none.
IMAGE_FINAL_SECONDS = 300
IMAGE_FORMING_SECONDS = 60
IMAGE_EMPTY_SECONDS = 5

_IMAGE_TYPES = {"svg": "image/svg+xml", "png": "image/png"}

#: An image that is opened as a page loads nothing and runs nothing.
_IMAGE_POLICY = "default-src 'none'; style-src 'none'"

#: Parameters are cut after so many characters; no valid one is longer.
_TEXT_MAX = 200

#: Errors by their names in an answer.
_SHORT: dict[type[RoomError], str] = {
    BadOption: "bad_option",
    BadRange: "bad_range",
    BadSymbol: "bad_symbol",
    BadTimeframe: "bad_timeframe",
}


@require_safe
async def candles(request: HttpRequest) -> HttpResponseBase:
    """Return the candles of a room as JSON, to a client that may join it.

    Parameters are ``symbol`` and, if wanted, ``timeframe``, ``limit``, ``before`` and ``token``.
    """
    asked = {name: str(text)[:_TEXT_MAX] for name, text in request.GET.items() if text}
    timeframe, token = asked.get("timeframe"), asked.get("token")
    try:
        room = room_to_show(asked.get("symbol", ""), timeframe)
        wanted = Range.read(*(_number(asked.get(name)) for name in ("limit", "before")))
        if refusal := await refusal_of(request, room, timeframe or room.timeframe, token):
            return _refused(403, "room_not_allowed", refusal)
        found = await aget_candles(room, limit=wanted.limit, before=wanted.before)
        is_public = matches_pattern(room.symbol) and conf.FCS_AUTHORIZE is None
    except RoomError as error:
        return _refused(400, _SHORT[type(error)], str(error))
    except ConfigurationError as error:
        note_mistake(error)
        return _refused(503, "not_set_up", error.public)
    age = FINAL_SECONDS if _is_settled(found, wanted) else FORMING_SECONDS
    return _answered(request, found, age, is_public=is_public)


@require_safe
async def chart(request: HttpRequest, format: str) -> HttpResponseBase:
    """Return a chart as an image, for everybody who has an address that this site has signed.

    Nobody is asked for a token, and ``FCS_AUTHORIZE`` is not asked: mail programs and link
    previews have no session.
    """
    given = {name: str(text)[:_TEXT_MAX] for name, text in request.GET.items()}
    try:
        picture = read(given)
    except RoomError as error:
        return _refused(400, _SHORT[type(error)], str(error))
    if not is_signed(given, format):
        return _refused(403, "not_signed", "this site has not signed this address")
    try:
        return await _image(request, picture, format)
    except CannotPaint as error:
        return _refused(501, "not_installed", str(error))
    except NotPainted as error:
        logger.warning("a chart was not drawn as PNG room=%s reason=%s", picture.room, error)
        return _refused(503, "not_drawn", "the image could not be drawn, try again later")


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Return 200 if prices can flow, otherwise 503 with the reasons; and some counts.

    A site in one process streams from the first join on; before that, it is healthy.
    """
    reasons, age, report, offset = _look()
    body: dict[str, Any] = {
        "status": "error" if reasons else "ok",
        "reasons": reasons,
        "warnings": [warning] if (warning := offset.warning()) else [],
        "beat_age_seconds": age,
        "clock_offset_seconds": round(offset.seconds, 1),
        "counts": _counts(report),
        "rest": _rest(time.time() - offset.seconds),
    }
    return JsonResponse(body, status=503 if reasons else 200)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return for Prometheus what this process counts and measures."""
    try:
        content, content_type = page(request.headers.get("Accept", ""))
    except ConfigurationError as error:
        return HttpResponse(f"{error}\n", status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse(content, content_type=content_type)


def _look() -> tuple[list[str], float | None, Report | None, ClockOffset]:
    """Return why prices do not flow, the age of the last heartbeat, the last report, the clock."""
    try:
        conf.validate()
        store = site_store()
    except ConfigurationError as error:
        return [error.public], None, None, ClockOffset()
    (path, report), now = store.report(), time.time()
    age = None if path is None else round(path.age(now - store.offset.seconds), 1)
    reason = "" if is_idle() else trouble(store, path, now)
    return _outweighed(reason), age, report, store.offset


def _outweighed(reason: str) -> list[str]:
    """Prefer what this process hears to what the store says: only the store may be failing."""
    is_heard = gauges().get("hub_online")
    if is_heard:
        return []
    if is_heard is not None and not reason:
        return ["this process receives nothing from a stream that is online"]
    return [reason] if reason else []


def _counts(report: Report | None) -> dict[str, float]:
    of_process = gauges()
    return {
        "rooms_wanted": len(report.rooms) if report else 0,
        "rooms_joined": report.joined if report else 0,
        "rooms_with_history": report.histories if report else 0,
        "updates_per_second": round(report.updates_per_second, 1) if report else 0,
        "rooms_watched": of_process.get("hub_rooms", 0),
        "sockets": of_process.get("hub_sockets", 0),
    }


def _rest(now: float) -> dict[str, Any] | None:
    try:
        credits = read_credits(now)
    except ConfigurationError:  # It is among the reasons.
        return None
    return credits and credits.as_json()


def _number(text: str | None) -> int | str | None:
    """Return a parameter as a number; any other text as it is."""
    return int(text) if text and text.isascii() and text.isdecimal() else text


def _is_settled(found: Candles, wanted: Range) -> bool:
    """Tell whether the same request will always be answered with these candles.

    No other candle may open between the last one and the end of the range.
    """
    if wanted.before is None or len(found) < wanted.limit or not found.more:
        return False
    if found.missing or found.unread:
        return False
    is_next = wanted.before <= found[-1].t + LONGEST[found.room.timeframe]
    return is_next and all(candle.final for candle in found)


def _answered(
    request: HttpRequest, found: Candles, age: int, *, is_public: bool
) -> HttpResponseBase:
    # The encoder of Django takes tens of milliseconds for ten thousand candles.
    content = msgspec.json.encode(found.as_dict())
    response = HttpResponse(content, content_type="application/json")
    response["ETag"] = etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    cached: dict[str, Any] = {"public" if is_public else "private": True, "max_age": age}
    if age == FINAL_SECONDS:
        cached["immutable"] = True
    patch_cache_control(response, **cached)
    if not is_public:
        # The next visitor of the same browser may have fewer permissions.
        patch_vary_headers(response, ["Cookie", "Authorization"])
    return get_conditional_response(request, etag=etag, response=response) or response


async def _image(request: HttpRequest, picture: Picture, format: str) -> HttpResponseBase:
    _keep_joined(picture.room)
    found = await aget_candles(picture.room, limit=picture.range)
    rooms = picture.room, plots.room_of_day(picture.room)
    known = await aget_quotes(rooms)
    svg = still.svg_of(found, picture, *(known[room] for room in rooms))
    etag = f'"{hashlib.sha256(svg.encode()).hexdigest()[:32]}.{format}"'
    response = HttpResponse(content_type=_IMAGE_TYPES[format])
    response["Content-Security-Policy"] = _IMAGE_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=_image_age(found))
    answer = get_conditional_response(request, etag=etag, response=response)
    if answer is response:
        response.content = svg.encode() if format == "svg" else await painted(svg)
    return answer or response


def _keep_joined(room: Room) -> None:
    """Let the stream join a room for a while, as for one that a page shows."""
    try:
        site_store().note_rendered(room)
    except ConfigurationError as error:
        note_mistake(error)


def _image_age(found: Candles) -> int:
    if not found:
        return IMAGE_EMPTY_SECONDS
    return IMAGE_FINAL_SECONDS if found[-1].final else IMAGE_FORMING_SECONDS


def _refused(status: int, short: str, message: str) -> HttpResponse:
    response = JsonResponse({"error": short, "message": message}, status=status)
    patch_cache_control(response, no_store=True, private=True)
    return response
