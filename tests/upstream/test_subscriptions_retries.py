"""Joins that nobody answers: they go out at the pace, and again ever more rarely."""

from __future__ import annotations

from django_fcs.protocol import Join, Leave
from django_fcs.rooms import Room
from django_fcs.upstream import Timing
from django_fcs.upstream.subscriptions import RETRY_MAX_SECONDS, Subscriptions
from tests.upstream.subscriptions import A, B, C, all_due, confirmation, join, joined, leave, sent

# -- pace and retries


def test_messages_go_out_at_the_pace_and_never_faster() -> None:
    subscriptions = Subscriptions(Timing(joins_per_second=50))
    subscriptions.want([Room(f"FX:A{number}", "1D") for number in range(100)])

    assert len(all_due(subscriptions, 0)) == 1
    assert subscriptions.next_at() == 0.02
    assert all_due(subscriptions, 0.019) == []
    assert len(all_due(subscriptions, 0.02)) == 1
    assert len(sent(subscriptions, until=1.99)) == 98


def test_a_pause_without_messages_saves_up_no_burst() -> None:
    subscriptions = joined(A)
    subscriptions.want([A, B, C])

    assert len(all_due(subscriptions, 1000)) == 1


def asked(subscriptions: Subscriptions, times: int) -> list[tuple[int, Join | Leave]]:
    """Let nobody answer; return when what was sent, in seconds from the first."""
    told = []
    for _ in range(times):
        at = subscriptions.next_at()
        assert at is not None
        assert all_due(subscriptions, at - 0.001) == []
        [message] = all_due(subscriptions, at)
        told.append((round(at), message))
    return told


def test_a_mute_join_is_sent_again_then_left_and_joined_anew_ever_more_rarely() -> None:
    """A room that does not exist must not count at the vendor for ever."""
    subscriptions = Subscriptions(Timing(confirm=10))
    subscriptions.want([A])
    told = asked(subscriptions, 11)

    assert told[:5] == [(0, join(A)), (10, join(A)), (30, leave(A)), (70, join(A)), (100, leave(A))]
    joins = [at for at, message in told if message == join(A)]
    leaves = [at for at, message in told if message == leave(A)]
    assert [at - before for at, before in zip(leaves[1:], joins[2:], strict=True)] == [30] * 4
    assert [at - before for at, before in zip(joins[2:], leaves, strict=False)] == [
        *(40, 80, 160, RETRY_MAX_SECONDS),
    ]
    assert subscriptions.retries == 5


def test_a_room_that_is_heard_of_after_it_was_left_unconfirmed_is_joined_at_once() -> None:
    subscriptions = Subscriptions(Timing(confirm=10))
    subscriptions.want([A])
    asked(subscriptions, 3)

    assert subscriptions.heard(A)
    assert subscriptions.joined == set()
    assert all_due(subscriptions, 31) == [join(A)]
    assert {message for _, message in asked(subscriptions, 9)} == {join(A)}
    assert subscriptions.confirm(confirmation(A)) == A
    assert subscriptions.joined == {A}


def test_a_room_that_was_left_unconfirmed_is_not_left_twice() -> None:
    subscriptions = Subscriptions(Timing(confirm=10))
    subscriptions.want([A])
    asked(subscriptions, 3)
    subscriptions.want([])

    assert subscriptions.next_at() is None


# -- rooms that tell nothing


def test_a_room_is_joined_again_behind_its_leave() -> None:
    subscriptions = joined(A, B)
    subscriptions.rejoin(A)

    assert subscriptions.joined == {B}
    assert subscriptions.wanted == {A, B}
    assert sent(subscriptions) == [leave(A), join(A)]
    assert subscriptions.confirm(confirmation(A)) == A
    assert subscriptions.joined == {A, B}


def test_only_what_is_joined_is_joined_again() -> None:
    subscriptions = joined(A)
    subscriptions.want([A, B])
    subscriptions.rejoin(B)
    subscriptions.rejoin(C)

    assert sent(subscriptions, until=1) == [join(B)]


def test_a_room_that_is_unwanted_before_it_was_joined_again_is_left_once() -> None:
    subscriptions = joined(A)
    subscriptions.rejoin(A)
    subscriptions.want([])

    assert sent(subscriptions) == [leave(A)]


def test_a_join_that_stays_mute_for_a_year_is_still_sent_again() -> None:
    subscriptions = Subscriptions(Timing(confirm=10))
    subscriptions.want([A])
    for _ in range(2000):
        at = subscriptions.next_at()
        assert at is not None
        all_due(subscriptions, at)

    assert subscriptions.retries == 1000


def test_a_mute_room_does_not_hold_up_the_others() -> None:
    subscriptions = Subscriptions(Timing(confirm=10))
    subscriptions.want([A, B])
    sent(subscriptions)
    subscriptions.confirm(confirmation(B))
    subscriptions.want([A, B, C])

    assert all_due(subscriptions, 11) == [join(C)]
    assert all_due(subscriptions, 12) == [join(A)]
    assert all_due(subscriptions, 13) == []


def test_a_retry_that_is_confirmed_is_the_last() -> None:
    subscriptions = Subscriptions(Timing(confirm=10))
    subscriptions.want([A])
    sent(subscriptions, until=15)
    subscriptions.confirm(confirmation(A))

    assert subscriptions.next_at() is None
    assert subscriptions.due(1000) is None
