"""Where ``FCS_MAX_ROOMS`` binds: each address that watches rooms alone has a fair share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hypothesis import given, strategies as st

from django_fcs.rooms import Room
from django_fcs.streaming.demand import Choice, Demand

TTL, LINGER = 15, 30
#: Hashes of addresses.
ATTACKER, ANN, BEN = "aaaaaaaa", "00000001", "00000002"


def room(name: object) -> Room:
    return Room(f"FX:{name}", "1D")


A, B, C, D = map(room, "ABCD")
MANY = [room(f"X{number}") for number in range(1000)]


def fresh() -> Demand:
    return Demand(ttl=TTL, linger=LINGER)


def watch(demand: Demand, hub: str, rooms: Iterable[Room], *addresses: str, now: float = 0) -> None:
    """Announce rooms that all these addresses watch, unknown ones if none is given."""
    rooms = list(rooms)
    demand.announce(hub, rooms, now, dict.fromkeys(rooms, addresses))


def chosen(demand: Demand, limit: int, *own: Room, now: float = 0) -> set[Room]:
    return set(demand.choose(own, limit=limit, now=now).wanted)


def test_one_address_that_fills_the_plan_gives_way_to_those_who_watch_a_few_rooms() -> None:
    demand = fresh()
    watch(demand, "attacked", MANY, ATTACKER)
    assert chosen(demand, 100) == set(MANY[:100])
    watch(demand, "another", [A, B], ANN, now=1)
    watch(demand, "a third", [C], BEN, now=1)

    assert chosen(demand, 100, now=1) == {A, B, C, *MANY[:97]}


def test_one_address_at_many_processes_is_one() -> None:
    demand = fresh()
    for number in range(10):
        watch(demand, f"attacked {number}", MANY[number * 10 : number * 10 + 20], ATTACKER)
    watch(demand, "another", [A], ANN, now=1)

    assert chosen(demand, 2, now=1) == {MANY[0], A}


def test_a_room_of_two_addresses_comes_before_any_that_one_watches_alone() -> None:
    demand = fresh()
    watch(demand, "one", [*MANY[:5], A], ATTACKER)
    watch(demand, "two", [A, B], BEN, now=1)
    watch(demand, "three", [C], ANN, BEN, now=2)

    assert chosen(demand, 2, now=2) == {A, C}
    assert chosen(demand, 3, now=2) == {A, C, MANY[0]}
    assert chosen(demand, 4, now=2) == {A, C, MANY[0], B}


def test_two_addresses_in_one_process_are_two() -> None:
    demand = fresh()
    watch(demand, "one", [A], ATTACKER)
    watch(demand, "one", [A, B], ATTACKER, ANN, now=1)
    watch(demand, "two", [C], BEN)

    assert chosen(demand, 2, now=1) == {A, B}


def test_rooms_of_which_no_address_is_known_are_never_taken_for_those_of_one() -> None:
    demand = fresh()
    watch(demand, "one", [A], ANN)
    watch(demand, "an older version", [B, C], now=1)
    watch(demand, "two", [D], now=2)
    watch(demand, "one", [A, D], ANN, now=2)

    assert demand.choose([], limit=3, now=2).wanted == [B, C, D]


def test_the_sites_own_rooms_are_in_and_are_nobodys_share() -> None:
    demand = fresh()
    watch(demand, "one", [A, B, C], ANN)
    watch(demand, "two", [D, MANY[0]], BEN, now=1)

    assert chosen(demand, 3, A, MANY[1], now=1) == {A, MANY[1], B}
    assert chosen(demand, 4, A, MANY[1], now=1) == {A, MANY[1], B, D}
    assert chosen(demand, 1, A, MANY[1], now=1) == {A}


def test_without_need_nobody_is_cut_and_the_order_is_that_of_time() -> None:
    demand = fresh()
    watch(demand, "one", [A], ANN)
    watch(demand, "two", [B], BEN, ANN, now=1)

    assert demand.choose([], limit=2, now=1) == Choice([A, B], {})


def test_of_equal_shares_the_one_that_was_there_stays() -> None:
    demand = fresh()
    watch(demand, "one", [A], ANN)
    watch(demand, "two", [B], BEN, now=1)
    watch(demand, "three", [C], ATTACKER, now=2)

    for now in range(2, 12):
        assert chosen(demand, 2, now=now) == {A, B}


def test_a_room_that_nobody_watches_any_more_gives_way_and_comes_before_one_in_doubt() -> None:
    demand = fresh()
    watch(demand, "one", [A, B, C], ANN, BEN)
    watch(demand, "one", [B, C], ANN, BEN, now=1)
    watch(demand, "two", [D], ATTACKER, now=2)
    demand.learn(joined=(), unconfirmed=[B])

    assert chosen(demand, 2, now=2) == {C, D}
    assert chosen(demand, 3, now=2) == {C, D, A}
    demand.learn(joined=[B], unconfirmed=[])
    assert chosen(demand, 3, now=2) == {B, C, D}


def test_invented_rooms_push_out_nobody() -> None:
    demand = fresh()
    watch(demand, "attacked", MANY, ATTACKER)
    watch(demand, "another", [A, B], ANN, now=1)
    for _ in range(20):
        wanted = demand.choose([], limit=100, now=1).wanted
        assert {A, B} <= set(wanted)
        demand.learn(joined=[A, B], unconfirmed=set(wanted) - {A, B})


def test_who_leaves_a_room_to_another_leaves_it_to_one_address() -> None:
    demand = fresh()
    watch(demand, "one", [A, B], ANN)
    watch(demand, "two", [C, B], BEN)
    watch(demand, "three", [D], ATTACKER)
    assert B in chosen(demand, 1)
    watch(demand, "two", [C], BEN, now=1)
    assert chosen(demand, 3, now=1) == {A, C, D}
    watch(demand, "two", [C, B], BEN, now=2)
    watch(demand, "one", [A, B], ANN, now=TTL - 1)
    watch(demand, "three", [D], ATTACKER, now=TTL - 1)
    assert B in chosen(demand, 1, now=TTL + 1)

    # The process of the other was killed.
    assert chosen(demand, 1, now=TTL + 2) == {A}


needs = st.dictionaries(
    st.sampled_from([room(number) for number in range(12)]),
    st.frozensets(st.sampled_from([ATTACKER, ANN, BEN, "00000003"]), max_size=2),
)
announcements = st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), needs), max_size=8)


@given(announcements, st.integers(1, 14), st.lists(st.sampled_from([A, room(1), room(2)])))
def test_shares_are_as_equal_as_they_can_be_and_stay(
    said: list[tuple[str, dict[Room, frozenset[str]]]], limit: int, own: list[Room]
) -> None:
    demand = fresh()
    last: dict[str, dict[Room, frozenset[str]]] = {}
    for now, (hub, rooms) in enumerate(said):
        demand.announce(hub, rooms, now, {one: tuple(them) for one, them in rooms.items()})
        last[hub] = rooms
    now = len(said)
    wanted = demand.choose(own, limit=limit, now=now).wanted
    assert wanted == demand.choose(own, limit=limit, now=now + 1).wanted

    everything = {*own, *demand.rooms(now)}
    assert len(wanted) == len(set(wanted)) == min(limit, len(everything))
    assert set(wanted) <= everything
    assert set(own) <= set(wanted) or set(wanted) <= set(own)
    _check(wanted, own, last)


def _check(
    wanted: list[Room], own: list[Room], last: dict[str, dict[Room, frozenset[str]]]
) -> None:
    """Compare with what can be told without any order: nobody is served before those who wait."""
    several, alone = _watchers(last)
    lacking = {one for one in (*several, *alone) if one not in wanted and one not in own}
    served = set(wanted) - set(own)
    if lacking & several:
        assert served <= several
    if lacking:
        assert served <= several | alone.keys()
    shares = Counter(alone[one] for one in served if one in alone)
    for one in lacking & alone.keys():
        assert shares[alone[one]] >= max(shares.values(), default=0) - 1


def _watchers(
    last: dict[str, dict[Room, frozenset[str]]],
) -> tuple[set[Room], dict[Room, str]]:
    """Return the rooms of two addresses or more, and those of one with their address."""
    several, alone = set(), {}
    for one in {one for rooms in last.values() for one in rooms}:
        told = [rooms[one] for rooms in last.values() if one in rooms]
        addresses = frozenset().union(*told)
        if len(addresses) > 1 or not all(told):
            several.add(one)
        else:
            [alone[one]] = addresses
    return several, alone


@given(announcements, st.integers(1, 14))
def test_a_newcomer_takes_no_place_of_an_equal(
    said: list[tuple[str, dict[Room, frozenset[str]]]], limit: int
) -> None:
    demand = fresh()
    for now, (hub, rooms) in enumerate(said):
        demand.announce(hub, rooms, now, {one: tuple(them) for one, them in rooms.items()})
    now = len(said)
    before = demand.choose([], limit=limit, now=now)
    watch(demand, "newcomer", [A], "ffffffff", now=now)
    after = demand.choose([], limit=limit, now=now)

    several, alone = _watchers(dict(said))
    lost = set(before.wanted) - set(after.wanted)
    assert len(lost) <= 1
    for one in lost & alone.keys():
        # It was taken from an address that had at least two.
        assert sum(alone.get(other) == alone[one] for other in before.wanted) >= 2
    assert not lost & several
