"""The same text for many browsers: a price of one room, or a frame of a cohort."""

from __future__ import annotations

from collections.abc import Iterable

from django_fcs.prices.updates import Update

from .routes import Key
from .subscriber import Subscriber, send_to_all

__all__ = ["send_frame", "send_price"]


def send_price(subscribers: Iterable[Subscriber], key: Key, update: Update) -> None:
    """Send a price to browsers that get prices one by one."""
    send_to_all(subscribers, update.text, lambda one: one.put(key, update))


def send_frame(subscribers: Iterable[Subscriber], frame: str) -> None:
    """Send a frame to the browsers of a cohort."""
    send_to_all(subscribers, frame, lambda one: one.send(frame))
