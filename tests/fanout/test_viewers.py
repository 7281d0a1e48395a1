"""From which addresses a room is watched, and what of it leaves the process."""

from __future__ import annotations

from collections import Counter

from django.test import override_settings
from hypothesis import given, strategies as st

from django_fcs.fanout.viewers import Viewers
from django_fcs.layer.events import HASH_LENGTH

FIRST, SECOND, THIRD = "192.0.2.1", "192.0.2.2", "2001:db8::/64"


def viewers(*addresses: str) -> Viewers:
    them = Viewers()
    for address in addresses:
        them.add(address)
    return them


def hash_of(address: str) -> str:
    [it] = viewers(address).hashes()
    return it


def test_an_address_is_the_same_hash_in_every_process_and_no_other_address_has_it() -> None:
    hashes = {hash_of(address) for address in (FIRST, SECOND, THIRD)}

    assert viewers(FIRST).hashes() == viewers(FIRST).hashes()
    assert len(hashes) == 3
    assert all(len(one) == HASH_LENGTH and int(one, 16) >= 0 for one in hashes)


def test_two_tabs_of_one_address_are_one_until_both_are_closed() -> None:
    them = viewers(FIRST, FIRST, SECOND)
    assert them.hashes() == (hash_of(FIRST), hash_of(SECOND))
    them.discard(FIRST)
    assert them.hashes() == (hash_of(FIRST), hash_of(SECOND))
    them.discard(FIRST)
    assert them.hashes() == (hash_of(SECOND),)
    them.discard(SECOND)

    assert not them


def test_of_many_addresses_two_are_told() -> None:
    them = viewers(*(f"192.0.2.{number}" for number in range(100)))

    assert them.hashes() == (hash_of("192.0.2.0"), hash_of("192.0.2.1"))


def test_where_an_address_is_not_known_none_is_told() -> None:
    them = viewers(FIRST, "")
    assert them.hashes() == ()
    them.discard("")

    assert them.hashes() == (hash_of(FIRST),)


def test_a_hash_tells_nothing_without_the_key_of_the_site() -> None:
    told = hash_of(FIRST)
    with override_settings(SECRET_KEY="another key"):
        assert hash_of(FIRST) != told
    with override_settings(SECRET_KEY=b"a key of bytes"):
        assert hash_of(FIRST) != told
    with override_settings(SECRET_KEY=""):
        assert viewers(FIRST).hashes() == ()


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([FIRST, SECOND, THIRD, ""]))))
def test_what_is_told_is_what_a_count_of_all_browsers_says(steps: list[tuple[bool, str]]) -> None:
    them, all_of_them = Viewers(), Counter[str]()
    for comes, address in steps:
        if comes:
            them.add(address)
            all_of_them[address] += 1
        elif all_of_them[address]:
            them.discard(address)
            all_of_them[address] -= 1
        here = {address for address, number in all_of_them.items() if number}
        assert bool(them) == bool(here)
        expected = 0 if "" in here else min(2, len(here))
        assert len(them.hashes()) == expected
        assert set(them.hashes()) <= {hash_of(address) for address in here if address}
