"""Demand: rooms that browsers need, without a counter that could leak."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given, settings, strategies as st

from django_fcs.rooms import Room
from django_fcs.streaming.demand import HUBS_MAX, Choice, Demand
from django_fcs.tools.metrics import counts

TTL, LINGER = 15, 30
A, B, C = (Room(symbol, "1D") for symbol in ("FX:A", "FX:B", "FX:C"))


def fresh() -> Demand:
    return Demand(ttl=TTL, linger=LINGER)


def test_what_a_hub_announces_is_wanted_at_once() -> None:
    demand = fresh()
    demand.announce("hub", [A, B], 0)

    assert demand.rooms(0) == [A, B]


def test_without_hubs_nothing_is_wanted() -> None:
    assert fresh().rooms(0) == []


def test_a_repeated_room_stays_wanted_for_ever() -> None:
    demand = fresh()
    for now in range(0, 3600, 5):
        demand.announce("hub", [A], now)

    assert demand.rooms(3600) == [A]


def test_one_lost_announcement_ends_nothing() -> None:
    demand = fresh()
    demand.announce("hub", [A], 0)

    assert demand.rooms(TTL - 1) == [A]


def test_a_room_lingers_after_its_hub_has_left_it() -> None:
    demand = fresh()
    demand.announce("hub", [A, B], 0)
    demand.announce("hub", [B], 5)
    demand.announce("hub", [B], 19)
    demand.announce("hub", [B], 33)

    assert demand.rooms(34.9) == [A, B]
    assert demand.rooms(35) == [B]


def test_a_room_whose_candles_were_asked_for_lingers_longer_than_others() -> None:
    demand = fresh()
    demand.announce("a", [A, B], now=0)
    demand.keep_longer(A, 3600, now=0)
    demand.announce("a", [], now=5)
    assert demand.rooms(5 + LINGER + 1) == [A]
    assert demand.rooms(5 + 3599) == [A]
    assert demand.rooms(5 + 3601) == []

    demand.announce("a", [A], now=4000)
    demand.announce("a", [], now=4001)
    assert demand.rooms(4001 + LINGER + 1) == []


def test_candles_may_be_asked_for_a_moment_before_their_room_is_announced() -> None:
    demand = fresh()
    demand.keep_longer(A, 3600, now=0)
    demand.keep_longer(B, 3600, now=0)
    assert demand.rooms(1) == [], "nobody has needed them"

    demand.announce("a", [A], now=2)
    demand.announce("a", [], now=3)
    assert demand.rooms(TTL) == [A]
    assert demand.rooms(3 + 3599) == [A]

    demand.announce("a", [B], now=4000)
    demand.announce("a", [], now=4001)
    assert demand.rooms(4001 + LINGER + 1) == [], "it was asked for too long ago"


def test_the_rooms_of_a_hub_that_was_killed_run_out() -> None:
    demand = fresh()
    demand.announce("hub", [A], 0)

    assert demand.rooms(TTL + LINGER - 0.1) == [A]
    assert demand.rooms(TTL + LINGER) == []


def test_a_room_that_one_hub_left_is_wanted_while_another_needs_it() -> None:
    demand = fresh()
    demand.announce("one", [A], 0)
    demand.announce("two", [A], 0)
    demand.announce("one", [], 1)

    assert demand.rooms(TTL + LINGER - 0.1) == [A]
    assert demand.rooms(TTL + LINGER) == []


def test_a_room_that_returns_while_it_lingers_was_never_gone() -> None:
    demand = fresh()
    demand.announce("hub", [A], 0)
    demand.announce("hub", [B], 10)
    demand.announce("hub", [B, A], 20)

    assert demand.rooms(20) == [A, B]


def test_rooms_stand_in_the_order_in_which_they_were_first_wanted() -> None:
    demand = fresh()
    demand.announce("one", [C], 0)
    demand.announce("two", [B], 1)
    demand.announce("one", [A, C], 2)

    assert demand.rooms(2) == [C, B, A]


def test_a_room_that_ran_out_goes_to_the_end_of_the_row() -> None:
    demand = fresh()
    demand.announce("one", [A], 0)
    demand.announce("two", [B], 30)
    assert demand.rooms(TTL + LINGER) == [B]

    demand.announce("one", [A], TTL + LINGER)
    assert demand.rooms(TTL + LINGER) == [B, A]


def test_a_site_without_linger_leaves_at_once() -> None:
    demand = Demand(ttl=TTL, linger=0)
    demand.announce("hub", [A], 0)
    demand.announce("hub", [], 1)

    assert demand.rooms(1) == []


def rendered(demand: Demand, *rooms: Room, limit: int, own: tuple[Room, ...] = ()) -> Choice:
    return demand.choose(own, limit=limit, now=0, rendered=rooms)


def test_rooms_that_pages_show_come_after_all_others_and_get_a_quarter_at_most() -> None:
    demand = fresh()
    demand.announce("hub", [A], 0)
    shown = [Room(f"FX:P{number}", "1D") for number in range(9)]

    assert rendered(demand, *shown, limit=8) == Choice([A, *shown[:2]], {}, 2)
    assert rendered(demand, *shown, limit=3) == Choice([A], {}, 0)
    assert rendered(demand, A, B, *shown, limit=40, own=(B,)) == Choice([B, A, *shown], {}, 9)


def test_rooms_that_pages_show_take_no_place_that_a_browser_needs() -> None:
    demand = fresh()
    watched = [Room(f"FX:P{number}", "1D") for number in range(8)]
    demand.announce("hub", watched[:7], 0)
    assert rendered(demand, A, B, limit=8) == Choice([*watched[:7], A], {}, 1)

    demand.announce("hub", watched, 0)
    assert rendered(demand, A, B, limit=8) == Choice(watched, {}, 0)
    assert "stream_rooms_over_limit" not in counts()


def test_a_room_that_a_page_shows_and_the_vendor_does_not_confirm_is_told() -> None:
    demand = fresh()
    demand.learn(joined=(), unconfirmed=[A])

    assert rendered(demand, A, limit=8).unserved == {A: "the feed does not confirm this symbol"}


def test_a_hub_that_left_and_is_gone_is_forgotten() -> None:
    demand = fresh()
    for number in range(100):
        demand.announce(f"hub {number}", [A], number)
        demand.rooms(number)
    demand.rooms(1000)

    assert len(demand._hubs) == len(demand._interests) == 0


@dataclass
class Announcements:
    """What was said, kept in full: the straightforward way to tell what is wanted."""

    said: list[tuple[float, str, frozenset[Room]]] = field(default_factory=list)

    def wanted(self, now: float) -> set[Room]:
        return {room for room in (A, B, C) if self._last_needed(room) + LINGER > now}

    def _last_needed(self, room: Room) -> float:
        ends = [float("-inf")]
        for index, (at, hub, rooms) in enumerate(self.said):
            later = (when for when, other, _ in self.said[index + 1 :] if other == hub)
            if room in rooms:
                ends.append(min(at + TTL, next(later, float("inf"))))
        return max(ends)


steps = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 4, 14, 15, 16, 30]),
        st.sampled_from(["one", "two", "look"]),
        st.frozensets(st.sampled_from([A, B, C])),
    ),
    max_size=25,
)


@given(steps)
@settings(deadline=None)
def test_a_room_is_wanted_until_the_linger_after_anybodys_need_of_it(
    steps: list[tuple[int, Literal["one", "two", "look"], frozenset[Room]]],
) -> None:
    demand, announcements, now = fresh(), Announcements(), 0
    for pause, who, rooms in steps:
        now += pause
        assert set(demand.rooms(now)) == announcements.wanted(now)
        if who != "look":
            demand.announce(who, rooms, now)
            announcements.said.append((now, who, rooms))
            assert set(demand.rooms(now)) == announcements.wanted(now)
        assert len(demand.rooms(now)) == len(set(demand.rooms(now)))


def test_a_room_in_doubt_stands_behind_all_others_until_it_is_confirmed() -> None:
    demand = fresh()
    for at, room in enumerate((A, B, C)):
        demand.announce(f"hub {room}", [room], at)
    demand.learn(joined=[], unconfirmed=[A, Room("FX:NOBODYS", "1D")])
    assert demand.rooms(3) == [B, C, A]
    demand.learn(joined=[B], unconfirmed=[])
    assert demand.rooms(3) == [B, C, A]

    demand.learn(joined=[A, B], unconfirmed=[])
    assert demand.rooms(3) == [A, B, C]


def test_the_sites_own_rooms_come_first_and_who_waits_in_vain_is_told_why() -> None:
    demand = fresh()
    demand.announce("hub", [A, B], 0)
    chosen = demand.choose([C], limit=2, now=0)
    assert chosen == Choice([C, A], {B: "too many symbols are watched"})

    demand.learn(joined=(), unconfirmed=[A, C])
    chosen = demand.choose([C], limit=2, now=0)
    unconfirmed = "the feed does not confirm this symbol"
    assert chosen == Choice([C, B], {C: unconfirmed, A: "too many symbols are watched"})
    assert demand.choose([C], limit=3, now=0).unserved == dict.fromkeys([C, A], unconfirmed)


def test_a_room_that_nobody_confirms_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    demand = fresh()
    demand.announce("hub", [A], 0)
    for _ in range(3):
        demand.learn(joined=(), unconfirmed=[A])

    assert caplog.messages == ["the vendor did not confirm the room, leaving it room=FX:A_1D"]


def test_of_any_number_of_invented_rooms_the_log_gets_twenty(
    caplog: pytest.LogCaptureFixture,
) -> None:
    demand = fresh()
    for number in range(3000):
        demand.learn(joined=(), unconfirmed=[Room(f"FX:A{number % 1500}", "1D")])

    assert len(caplog.messages) == 20
    assert counts()["stream_rooms_unconfirmed"] == 3000


def test_of_rooms_in_doubt_each_has_its_turn() -> None:
    demand = fresh()
    demand.announce("hub", [A, B], 0)
    turns = []
    for _ in range(4):
        [tried] = demand.choose([], limit=1, now=0).wanted
        turns.append(tried)
        demand.learn(joined=(), unconfirmed=[tried])
        demand.learn(joined=(), unconfirmed=[])

    assert turns == [A, B, A, B]


def test_hubs_that_nobody_can_have_do_not_count() -> None:
    demand = fresh()
    demand.announce("hub", [A], 0)
    for number in range(2 * HUBS_MAX):
        demand.announce(f"invented {number}", [Room(f"FX:X{number}", "1D")], 0)

    assert len(demand.rooms(0)) == HUBS_MAX
    demand.announce("hub", [B], 1)
    assert B in demand.rooms(1)
    demand.announce("another", [C], TTL + 2)
    assert C not in demand.rooms(TTL + 2)
    demand.announce("another", [C], TTL + 3)
    assert C in demand.rooms(TTL + 3)
