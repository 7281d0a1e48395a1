"""Messages on the groups: what anybody may send there is bounded where it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from django_fcs.exceptions import ProtocolError
from django_fcs.layer.events import (
    HASH_LENGTH,
    HASHES_MAX,
    PROFILE_MAX,
    ROOMS_MAX,
    Announcement,
    AskAgain,
    Beat,
    CandleNote,
    RoomNotice,
    Wish,
    read_event,
)
from django_fcs.prices.paths import PathReport
from django_fcs.prices.updates import TEXT_MAX, TEXTS_PER_EPOCH, Update
from django_fcs.protocol import ProfileUpdate, serialise
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts
from django_fcs.tools.texts import REASON_MAX
from tests.support.hubs import EURUSD, USDJPY, update

NOW = 1_766_361_600.0
LONG = "\x1b[31mno\nroute " + "x" * 200_000
CUT = "\\x1b[31mno\\nroute " + "x" * 200_000


def price(*, epoch: Any = 7, **fields: Any) -> dict[str, Any]:
    """A price of which some fields of its text differ."""
    event = update(EURUSD, seq=7005, epoch=7, at=1000.0).event()
    text = json.loads(event["text"])
    for name, value in fields.items():
        (text if name in text else text["prices"])[name] = value
    return {**event, "epoch": epoch, "text": json.dumps(text)}


def test_a_number_that_its_epoch_cannot_have_given_is_refused() -> None:
    last = 7000 + TEXTS_PER_EPOCH - 1
    read = read_event(price(seq=last), NOW)

    assert isinstance(read, Update) and read.seq == last
    for seq in (last + 1, 2**53, 2**62, 10**400, -1, 1e300, "7", None):
        with pytest.raises(ProtocolError):
            read_event(price(seq=seq), NOW)


@pytest.mark.parametrize(
    "epoch", [2**53 // 1000, 2**62, int((NOW + 366 * 86_400) * 1000), 10**400, -1, 1e300, "7", None]
)
def test_an_epoch_out_of_bounds_is_refused(epoch: Any) -> None:
    beat = Beat(7, PathReport(1000.0, online=True, reason="")).event()
    for message in (price(epoch=epoch), {**beat, "epoch": epoch}):
        with pytest.raises(ProtocolError):
            read_event(message, NOW)


@pytest.mark.parametrize(
    "fields",
    [
        *({"at": odd} for odd in (1e300, 2e12, None)),
        *({"c": odd} for odd in (1e29, 1e-300)),
        *({"digits": odd} for odd in (99, -1, 2**62)),
        {"update": 1766361600123},
        {"delay": 10**18},
        {"chp": 1e300},
        {"junk": "x" * TEXT_MAX},
    ],
)
def test_a_text_out_of_bounds_reaches_no_browser(fields: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        read_event(price(**fields), NOW)


def test_what_visitors_may_read_is_cut_and_escaped() -> None:
    beat = read_event(Beat(7, PathReport(1000.0, online=False, reason="")).event(), NOW)
    assert isinstance(beat, Beat)
    message = beat.event()
    message["path"] = {**message["path"], "reason": LONG}
    beat = read_event(message, NOW)
    notice = read_event({**RoomNotice(EURUSD, "", None).event(), "trouble": LONG}, NOW)

    assert isinstance(beat, Beat) and isinstance(notice, RoomNotice)
    assert beat.path.reason == notice.trouble == CUT[: REASON_MAX - 3] + "..."


def test_a_profile_that_is_too_long_is_refused() -> None:
    profile = ProfileUpdate(symbol="FX:EURUSD", timeframe="1D", profile={"x": "x" * PROFILE_MAX})

    with pytest.raises(ProtocolError, match="a profile of more than"):
        read_event(RoomNotice(EURUSD, serialise(profile), None).event(), NOW)


def test_what_is_no_room_leaves_a_hub_its_other_rooms() -> None:
    said = Announcement("hub", (EURUSD, USDJPY), (USDJPY,))
    message = {**said.event(), "rooms": ["FX:EURUSD_1D", "\ud800", "x" * 10**6, str(USDJPY)]}

    assert read_event(message, NOW) == said
    assert counts()["layer_malformed"] == 2


def test_only_so_many_rooms_of_a_hub_count() -> None:
    rooms = tuple(Room(f"FX:X{number}", "1D") for number in range(ROOMS_MAX + 5))
    read = read_event(Announcement("hub", rooms, ()).event(), NOW)

    assert isinstance(read, Announcement) and read.rooms == rooms[:ROOMS_MAX]


@pytest.mark.parametrize("hub", ["x" * 101, 5, None])
def test_a_hub_has_a_short_name(hub: Any) -> None:
    with pytest.raises(ProtocolError):
        read_event({**Announcement("hub", (), ()).event(), "hub": hub}, NOW)


@pytest.mark.parametrize("name", ["user", "session"])
@pytest.mark.parametrize("value", ["x" * 65, 5, None, ["a"], {"a": 1}])
def test_a_request_to_ask_again_holds_short_texts(name: str, value: Any) -> None:
    event = AskAgain("a" * 20, "b" * 20).event()
    assert read_event(event, NOW) == AskAgain("a" * 20, "b" * 20)

    with pytest.raises(ProtocolError):
        read_event({**event, name: value}, NOW)


ONE, OTHER = "0123abcd", "89abcdef"


def test_an_announcement_has_up_to_two_addresses_of_each_room() -> None:
    rooms = (EURUSD, USDJPY, Room("FX:GBPUSD", "1D"))
    said = Announcement("hub", rooms, (), {EURUSD: (ONE,), USDJPY: (ONE, OTHER)})
    message = said.event()

    assert message["viewers"] == (ONE, ONE + OTHER, "")
    assert read_event(message, NOW) == said


def test_an_announcement_of_an_older_version_has_no_addresses() -> None:
    said = Announcement("hub", (EURUSD,), (EURUSD,))
    message = said.event()
    del message["viewers"]

    assert read_event(message, NOW) == said


def test_rooms_without_addresses_and_addresses_without_rooms_are_no_mistake() -> None:
    said = Announcement("hub", (EURUSD, USDJPY), (), {EURUSD: (ONE,)})
    for viewers in ([ONE], [ONE, "", OTHER, OTHER]):
        assert read_event({**said.event(), "viewers": viewers}, NOW) == said


def test_one_address_told_twice_is_one() -> None:
    said = Announcement("hub", (EURUSD,), (), {EURUSD: (ONE,)})

    assert read_event({**said.event(), "viewers": [ONE + ONE]}, NOW) == said


def test_what_is_no_room_takes_its_addresses_with_it() -> None:
    said = Announcement("hub", (EURUSD, USDJPY), (), {EURUSD: (ONE,), USDJPY: (OTHER,)})
    message = {**said.event(), "rooms": [str(EURUSD), "x", str(USDJPY)]}

    assert read_event({**message, "viewers": [ONE, ONE + OTHER, OTHER]}, NOW) == said


@pytest.mark.parametrize(
    "text",
    [
        *("127.0.0.1", "0123ABCD", "0123abc", "0123abcd8", ONE + OTHER + ONE, f"{ONE}\n"),
        *("x" * 10**6, "\ud800", "٠١٢٣٤٥٦٧", ONE * 10_000),
    ],
)
def test_what_is_no_hash_counts_as_an_address_that_is_not_known(text: str) -> None:
    said = Announcement("hub", (EURUSD, USDJPY), (), {USDJPY: (OTHER,)})

    assert read_event({**said.event(), "viewers": [text, OTHER]}, NOW) == said
    assert counts()["layer_malformed"] == 1


@pytest.mark.parametrize("viewers", [None, 5, "01234567", [5], [None], [[ONE]], {"x": ONE}])
def test_viewers_that_are_no_texts_are_refused(viewers: Any) -> None:
    with pytest.raises(ProtocolError):
        read_event({**Announcement("hub", (EURUSD,), ()).event(), "viewers": viewers}, NOW)


@given(
    rooms=st.lists(st.one_of(st.just(str(EURUSD)), st.just(str(USDJPY)), st.text()), max_size=5),
    viewers=st.lists(st.one_of(st.text(), st.text("0123456789abcdef", max_size=24)), max_size=6),
)
def test_whatever_texts_come_the_hashes_that_are_read_are_short(
    rooms: list[str], viewers: list[str]
) -> None:
    message = {**Announcement("hub", (), ()).event(), "rooms": rooms, "viewers": viewers}
    read = read_event(message, NOW)

    assert isinstance(read, Announcement) and set(read.viewers) <= set(read.rooms)
    for hashes in read.viewers.values():
        assert 1 <= len(hashes) == len(set(hashes)) <= HASHES_MAX
        assert all(len(one) == HASH_LENGTH and int(one, 16) >= 0 for one in hashes)


@pytest.mark.parametrize(
    "wish",
    [Wish(EURUSD), Wish(EURUSD, limit=1, before=0), Wish(USDJPY, limit=10_000, start=5, before=9)],
)
def test_a_wish_for_candles_arrives_as_it_was_sent(wish: Wish) -> None:
    assert read_event(wish.event(), NOW) == wish


@pytest.mark.parametrize("limit", [0, -1, 10_001, 1.5, "7", None, 10**400, True])
def test_a_wish_for_too_many_candles_is_refused(limit: Any) -> None:
    with pytest.raises(ProtocolError):
        read_event({**Wish(EURUSD).event(), "limit": limit}, NOW)


@pytest.mark.parametrize("before", [-1, 1e300, 32_503_680_001, "7", [], 1.5])
def test_a_wish_before_a_time_out_of_bounds_is_refused(before: Any) -> None:
    for name in ("before", "start"):
        with pytest.raises(ProtocolError):
            read_event({**Wish(EURUSD).event(), name: before}, NOW)


def test_a_note_about_candles_arrives_in_one_short_line() -> None:
    note = CandleNote(EURUSD, 5, 9, note="wait", wait=40.0)
    assert read_event(note.event(), NOW) == note

    read = read_event(CandleNote(EURUSD, note=LONG).event(), NOW)
    assert isinstance(read, CandleNote)
    assert len(read.note) <= REASON_MAX and "\n" not in read.note


def test_two_notes_about_a_room_are_one_about_all_candles_of_both() -> None:
    later, nothing = CandleNote(EURUSD, 3, 7), CandleNote(EURUSD, note="no credits")

    assert later.after(CandleNote(EURUSD, 5, 9, note="wait")) == CandleNote(EURUSD, 3, 9)
    assert nothing.after(later) == CandleNote(EURUSD, 3, 7, note="no credits")
    assert nothing.after(None) == nothing
