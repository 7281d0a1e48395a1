"""Messages on the groups of the channel layer: valid ones, and mistakes of a site's code."""

from __future__ import annotations

from random import Random
from typing import Any

from django_fcs.layer.events import Announcement, Beat, RoomNotice
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Expectation, Outage
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from lab.kit import grammar

__all__ = ["ROOMS", "group_message", "price"]

ROOMS = [Room(symbol, frame) for symbol in grammar.SYMBOLS[:2] for frame in ("1D", "60")]


def price(room: Room, mode: str, *, seq: int, epoch: int, at: float) -> Update:
    """Return a price as the leader of an epoch publishes it."""
    said = Price(
        symbol=room.symbol,
        timeframe=room.timeframe,
        mode=mode,
        t=60 * (seq // 4),
        o=1,
        h=1,
        l=1,
        c=seq,
        seq=1000 * epoch + seq,
        at=at,
    )
    return Update.encode(room, said, epoch=epoch)


_SOUND: tuple[dict[str, Any], ...] = (
    Beat(1, PathReport(0.0, online=True, reason="")).event(),
    Beat(
        2, PathReport(60.0, online=False, reason="x", outage=Outage(20.0, 9.0, 5.0), silence=40.0)
    ).event(),
    RoomNotice(ROOMS[0], "", Expectation(patience=3.0)).event(),
    RoomNotice(ROOMS[1], "", None, trouble="x").event(),
    Announcement("x", tuple(ROOMS), (), {ROOMS[0]: ("0123abcd",)}).event(),
    price(ROOMS[0], "candle", seq=1, epoch=1, at=0.0).event(),
    {"type": "fcs.x"},
)

_THINGS: tuple[Any, ...] = (
    *(None, True, -1, 1e308, "", "x", b"\xff", [], {}, ["FX:EURUSD_1D"], "FX:EURUSD_1D"),
    *(10**400, 1e12, {"closed": None}, {"until": 1e308}, {"patience": -1.0, "overdue": True}),
    *({"lost_at": 1e12, "ended_at": -1e12}, {"lost_at": "nan"}, {"before": 1e308}, ["inf"] * 3),
    *("nan", "inf", "fcs.price"),
)


def group_message(random: Random) -> dict[str, Any]:
    """Draw a message that a site's code may send to our groups by mistake: often almost valid."""
    things = (*_THINGS, grammar.price(random), grammar.as_text(grammar.frame(random)))
    share = random.choice((0.1, 0.3, 0.7))
    return _damaged({**random.choice(_SOUND), "hub": "x"}, random, things, share)


def _damaged(
    message: dict[str, Any], random: Random, things: tuple[Any, ...], share: float
) -> dict[str, Any]:
    """Replace some values, also inside of values, and now and then leave one out."""
    damaged = {}
    for name, value in message.items():
        damaged[name] = value
        if isinstance(value, dict) and random.random() < 0.5:
            damaged[name] = _damaged(value, random, things, share)
        elif random.random() < share:
            damaged[name] = random.choice(things)
    if random.random() < 0.1:
        del damaged[random.choice([*damaged])]
    return damaged
