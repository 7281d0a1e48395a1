"""Who follows which room in a process."""

from __future__ import annotations

from collections.abc import Hashable

from django_fcs.fanout.mail import Mail
from django_fcs.fanout.routes import Key, Routes
from tests.support.hubs import EURUSD, HOURLY, key


def keys(routes: Routes[Mail]) -> set[Hashable]:
    return set(routes._readers)


def test_readers_of_a_room_are_those_that_were_added_each_once_in_order() -> None:
    routes, readers = Routes[Mail](), [Mail(), Mail()]
    for reader in (*readers, readers[0]):
        routes.add(key(EURUSD), reader)

    assert [*map(id, routes.of(key(EURUSD)))] == [*map(id, readers)]
    assert list(routes.of(key(HOURLY))) == []


def test_two_spellings_of_a_room_are_two_keys() -> None:
    routes, reader = Routes[Mail](), Mail()
    routes.add(Key(HOURLY, "1h"), reader)
    routes.add(Key(HOURLY, "60"), reader)
    routes.discard(Key(HOURLY, "60"), reader)

    assert list(routes.of(Key(HOURLY, "1h"))) == [reader]
    assert list(routes.of(Key(HOURLY, "60"))) == []


def test_a_room_is_forgotten_with_its_last_reader() -> None:
    routes, one, other = Routes[Mail](), Mail(), Mail()
    for reader in (one, other):
        routes.add(key(EURUSD), reader)
    routes.discard(key(EURUSD), one)
    assert [*map(id, routes.of(key(EURUSD)))] == [id(other)]
    routes.discard(key(EURUSD), one)
    routes.discard(key(EURUSD), other)

    assert not keys(routes)


def test_who_never_followed_a_room_may_be_discarded() -> None:
    routes = Routes[Mail]()
    routes.discard(key(EURUSD), Mail())

    assert not keys(routes)
