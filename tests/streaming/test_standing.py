"""How the way to the vendor stands."""

from __future__ import annotations

import pytest

from django_fcs.layer.events import Beat, read_event
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Outage
from django_fcs.protocol.bounds import TIME_MAX
from django_fcs.streaming.standing import Standing


def told(*changes: tuple[float, bool]) -> Standing:
    standing = Standing()
    for now, online in changes:
        standing.note(online=online, heard_at=now, reason="reason", public="public")
    return standing


def test_before_the_first_attempt_has_ended_nothing_is_decided() -> None:
    assert not told().is_decided
    assert told((1, False)).is_decided


def test_what_was_told_last_is_told() -> None:
    standing = told((100, True), (200, False))

    assert (standing.online, standing.reason, standing.public) == (False, "reason", "public")


def test_all_that_was_before_the_first_connection_is_an_outage() -> None:
    assert told((100, False), (105, True)).outage == Outage(0, 105)


def test_an_outage_is_from_the_loss_to_the_next_connection() -> None:
    changes = [(100, True), (200, False), (205, False), (210, True)]

    assert told(*changes).outage == Outage(200, 210, before=100)


def test_what_goes_into_a_beat_says_how_long_the_vendor_is_silent() -> None:
    assert told((100, True)).report(107, 5) == PathReport(107, True, "public", Outage(0, 100), 5)


def test_no_outage_is_in_the_future_of_a_clock_that_was_put_back() -> None:
    standing = told((5000, True), (5050, False), (5060, True))

    assert [standing.report(now, 1).outage for now in (5070, 1470, 5070)] == [
        Outage(5050, 5060, 5000),
        Outage(1470, 1470, 1470),
        Outage(1470, 1470, 1470),
    ]


@pytest.mark.parametrize(
    ("online", "outage"), [(True, Outage(200, 204, 160)), (False, Outage(150, 204))]
)
def test_who_succeeds_knows_since_when_nobody_hears_the_vendor(
    online: bool, outage: Outage
) -> None:
    standing = Standing.after(PathReport(205, online, "", Outage(150, 160), silence=5))
    assert not standing.is_decided and not standing.online
    standing.note(online=True, heard_at=204)

    assert standing.outage == outage


def test_a_price_is_outdated_once_its_room_should_have_been_heard_again() -> None:
    outage = Outage(200, 204)

    # What was last heard at 200 may have been lost at 203.
    assert not outage.outdates(199, 213, offline_after=10)
    assert outage.outdates(199, 213.1, offline_after=10)
    assert not outage.outdates(204, 213.1, offline_after=10)


def test_a_price_from_before_two_outages_is_no_better_for_the_second() -> None:
    outage = Outage(200, 204, before=195)

    assert outage.outdates(194, 205, offline_after=10)
    assert not outage.outdates(196, 205, offline_after=10)


@pytest.mark.parametrize("at", [-TIME_MAX, 0, 1000, TIME_MAX])
@pytest.mark.parametrize("silence", [-TIME_MAX, 0, TIME_MAX])
def test_hubs_accept_the_heartbeats_of_a_leader_whatever_report_it_found(
    at: float, silence: float
) -> None:
    outage = Outage(TIME_MAX, -TIME_MAX, TIME_MAX)
    standing = Standing.after(
        PathReport(at, online=True, reason="", outage=outage, silence=silence)
    )
    standing.note(online=True, heard_at=1999)
    beat = Beat(7, standing.report(2000, 1.0))

    assert read_event(beat.event(), 1_766_361_600.0) == beat
