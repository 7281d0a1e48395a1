"""Rooms, what is said of them, and a connection that sends what is due."""

from __future__ import annotations

from django_fcs.protocol import Join, Joined, Leave
from django_fcs.rooms import Room
from django_fcs.upstream.subscriptions import Subscriptions

A, B, C = (Room(symbol, "1D") for symbol in ("FX:A", "FX:B", "FX:C"))


def join(room: Room) -> Join:
    return Join(symbol=room.symbol, timeframe=room.timeframe)


def leave(room: Room) -> Leave:
    return Leave(symbol=room.symbol, timeframe=room.timeframe)


def confirmation(room: Room) -> Joined:
    """As the vendor writes it: only ``room`` is whole."""
    ticker = room.symbol.partition(":")[2]
    return Joined(room=f"{room}_0s", symbol=ticker, timeframe=room.timeframe)


def all_due(subscriptions: Subscriptions, now: float) -> list[Join | Leave]:
    """Send all that the pace allows at this time, as often as it is asked."""
    messages: list[Join | Leave] = []
    while (message := subscriptions.due(now)) is not None:
        messages.append(message)
    return messages


def sent(subscriptions: Subscriptions, *, until: float = 5) -> list[Join | Leave]:
    """Send at the pace of a connection, up to a time."""
    messages: list[Join | Leave] = []
    while (at := subscriptions.next_at()) is not None and at <= until:
        messages += all_due(subscriptions, at)
    return messages


def joined(*rooms: Room) -> Subscriptions:
    subscriptions = Subscriptions()
    subscriptions.want(rooms)
    sent(subscriptions)
    for room in rooms:
        subscriptions.confirm(confirmation(room))
    return subscriptions
