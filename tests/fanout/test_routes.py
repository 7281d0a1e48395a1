"""Who follows which room in a process."""

from __future__ import annotations

from collections.abc import Hashable

from django_fcs.fanout.mail import Mail
from django_fcs.fanout.routes import Routes
from tests.support.hubs import EURUSD, HOURLY


def keys(routes: Routes[Mail]) -> set[Hashable]:
    return set(routes._readers)


def test_readers_of_a_room_are_those_that_were_added_each_once_in_order() -> None:
    routes, readers = Routes[Mail](), [Mail(), Mail()]
    for reader in (*readers, readers[0]):
        routes.add(EURUSD, reader)

    assert [*map(id, routes.of(EURUSD))] == [*map(id, readers)]
    assert list(routes.of(HOURLY)) == []


def test_two_spellings_of_a_room_are_two_keys() -> None:
    routes, reader = Routes[Mail](), Mail()
    routes.add((HOURLY, "1h"), reader)
    routes.add((HOURLY, "60"), reader)
    routes.discard((HOURLY, "60"), reader)

    assert list(routes.of((HOURLY, "1h"))) == [reader]
    assert list(routes.of((HOURLY, "60"))) == []


def test_a_room_is_forgotten_with_its_last_reader() -> None:
    routes, one, other = Routes[Mail](), Mail(), Mail()
    for reader in (one, other):
        routes.add(EURUSD, reader)
    routes.discard(EURUSD, one)
    assert [*map(id, routes.of(EURUSD))] == [id(other)]
    routes.discard(EURUSD, one)
    routes.discard(EURUSD, other)

    assert not keys(routes)


def test_who_never_followed_a_room_may_be_discarded() -> None:
    routes = Routes[Mail]()
    routes.discard(EURUSD, Mail())

    assert not keys(routes)
