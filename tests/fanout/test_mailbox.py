"""The mailbox: a slow reader costs two texts a room, and misses nothing newest."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings, strategies as st

from django_fcs.fanout.mailbox import Mailbox
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price
from django_fcs.rooms import Room

ROOMS = [Room("FX:EURUSD", "1"), Room("FX:EURUSD", "5"), Room("OKX:LTCUSDT", "1D")]


def tick(
    seq: int, mode: str, t: int | None, *, room: Room = ROOMS[0], candle: bool = True
) -> Update:
    known = 1.0 if candle else None
    price = Price(
        symbol=room.symbol,
        timeframe=room.timeframe,
        mode=mode,
        t=t,
        o=known,
        h=known,
        l=known,
        c=1.0,
        seq=seq,
        at=0,
    )
    return Update.encode(room, price, epoch=1)


def taken_after(*updates: Update) -> list[tuple[int, str, int | None]]:
    mailbox: Mailbox[Room] = Mailbox()
    for update in updates:
        mailbox.put(update.room, update)
    return [(update.seq, update.mode, update.t) for _, update in mailbox.take()]


def test_what_is_put_is_taken_once() -> None:
    mailbox: Mailbox[str] = Mailbox()
    update = tick(1, "candle", 60)
    mailbox.put("a", update)

    assert len(mailbox) == 1
    assert mailbox.take() == [("a", update)]
    assert len(mailbox) == 0
    assert mailbox.take() == []


def test_the_newest_of_a_candle_wins() -> None:
    assert taken_after(tick(1, "candle", 60), tick(2, "candle", 60)) == [(2, "candle", 60)]


def test_an_askbid_over_a_candle_that_was_not_sent_is_that_candle() -> None:
    assert taken_after(tick(1, "candle", 60), tick(2, "askbid", 60)) == [(2, "candle", 60)]


def test_an_askbid_over_an_askbid_stays_one() -> None:
    assert taken_after(tick(1, "askbid", 60), tick(2, "askbid", 60)) == [(2, "askbid", 60)]


def test_whatever_follows_an_initial_that_was_not_sent_is_an_initial() -> None:
    assert taken_after(tick(1, "initial", 60), tick(2, "askbid", 60), tick(3, "candle", 60)) == [
        (3, "initial", 60)
    ]


def test_the_last_state_of_a_candle_is_kept_beside_the_next_candle() -> None:
    assert taken_after(
        tick(1, "candle", 60), tick(2, "askbid", 60), tick(3, "candle", 120), tick(4, "candle", 120)
    ) == [(2, "candle", 60), (4, "candle", 120)]


def test_a_candle_first_seen_by_an_askbid_reaches_the_reader_as_a_candle() -> None:
    assert taken_after(tick(1, "candle", 60), tick(2, "askbid", 120)) == [
        (1, "candle", 60),
        (2, "candle", 120),
    ]


def test_an_askbid_of_a_candle_that_is_not_known_yet_is_never_called_a_candle() -> None:
    assert taken_after(tick(1, "candle", 60), tick(2, "askbid", 120, candle=False)) == [
        (1, "candle", 60),
        (2, "askbid", 120),
    ]


def test_a_tick_without_a_candle_time_belongs_to_the_one_that_waits() -> None:
    assert taken_after(tick(1, "candle", 60), tick(2, "askbid", None)) == [(2, "candle", None)]
    assert taken_after(tick(1, "askbid", None), tick(2, "candle", 60)) == [(2, "candle", 60)]


def test_a_reader_who_misses_several_candles_gets_the_last_two() -> None:
    mailbox: Mailbox[str] = Mailbox()
    for number in range(1, 6):
        mailbox.put("a", tick(number, "candle", number * 60))

    assert [update.seq for _, update in mailbox.take()] == [4, 5]
    assert (mailbox.missed, mailbox.merged) == (3, 0)


def test_a_reader_who_misses_the_initial_still_gets_an_initial_first() -> None:
    assert taken_after(
        tick(1, "initial", 60),
        tick(2, "candle", 120),
        tick(3, "candle", 180),
        tick(4, "candle", 240),
    ) == [(3, "initial", 180), (4, "candle", 240)]


def test_what_was_merged_is_counted() -> None:
    mailbox: Mailbox[str] = Mailbox()
    for number in range(1, 6):
        mailbox.put("a", tick(number, "candle", 60))

    assert (mailbox.missed, mailbox.merged) == (0, 4)


def test_rooms_do_not_mix_and_each_is_in_order() -> None:
    mailbox: Mailbox[Room] = Mailbox()
    for number, room in enumerate([ROOMS[0], ROOMS[1], ROOMS[0]], start=1):
        mailbox.put(room, tick(number, "candle", number * 60, room=room))

    assert [(room, update.seq) for room, update in mailbox.take()] == [
        *((ROOMS[0], 1), (ROOMS[0], 3)),
        (ROOMS[1], 2),
    ]


def test_a_room_that_was_left_leaves_nothing_behind() -> None:
    mailbox: Mailbox[str] = Mailbox()
    for number in (1, 2):
        mailbox.put("a", tick(number, "candle", number * 60))
        mailbox.put("b", tick(number, "candle", number * 60))
    mailbox.forget("a")
    mailbox.forget("never there")

    assert len(mailbox) == 2
    assert {key for key, _ in mailbox.take()} == {"b"}


def test_texts_go_one_by_one_each_room_in_order() -> None:
    mailbox: Mailbox[Room] = Mailbox()
    for number, room in enumerate([ROOMS[0], ROOMS[1], ROOMS[0]], start=1):
        mailbox.put(room, tick(number, "candle", number * 60, room=room))
    popped = []
    while (update := mailbox.pop()) is not None:
        popped.append(update.seq)
        assert len(mailbox) == 3 - len(popped)

    assert popped == [1, 3, 2]


def test_a_copy_has_the_same_and_each_goes_its_own_way() -> None:
    mailbox: Mailbox[str] = Mailbox()
    for number in (1, 2):
        mailbox.put("a", tick(number, "candle", number * 60))
    other = mailbox.copy()
    mailbox.forget("a")
    other.put("a", tick(3, "candle", 120))

    assert mailbox.take() == []
    assert [update.seq for _, update in other.take()] == [1, 3]


@dataclass
class Reader:
    """What one reader of a room should know, kept without any mailbox."""

    sent: list[Update] = field(default_factory=list)
    received: list[Update] = field(default_factory=list)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2]),
            st.sampled_from(["candle", "askbid", "next candle", "next askbid", "take"]),
        ),
        max_size=60,
    )
)
@settings(deadline=None)
def test_a_mailbox_is_bounded_and_its_newest_is_what_was_put_last(
    steps: list[tuple[int, str]],
) -> None:
    mailbox: Mailbox[Room] = Mailbox()
    readers = {room: Reader() for room in ROOMS}
    times = dict.fromkeys(ROOMS, 0)
    for seq, (number, step) in enumerate(steps):
        room = ROOMS[number]
        if step == "take":
            receive(mailbox, readers)
            continue
        times[room] += 60 * step.startswith("next")
        mode = step.removeprefix("next ") if readers[room].sent else "initial"
        update = tick(seq, mode, times[room], room=room)
        readers[room].sent.append(update)
        mailbox.put(room, update)
        assert len(mailbox) <= 2 * len(ROOMS)
    receive(mailbox, readers)

    for reader in readers.values():
        check(reader)


def receive(mailbox: Mailbox[Room], readers: dict[Room, Reader]) -> None:
    for room, update in mailbox.take():
        readers[room].received.append(update)


def check(reader: Reader) -> None:
    """Nothing goes back, the first is the only initial, and no candle hides in an askbid."""
    seqs = [update.seq for update in reader.received]
    modes = [update.mode for update in reader.received]
    assert seqs == sorted(set(seqs))
    assert seqs[-1:] == [update.seq for update in reader.sent[-1:]]
    assert modes.count("initial") == len(modes[:1])
    assert modes[:1] in ([], ["initial"])
    for before, update in zip([None, *reader.received], reader.received, strict=False):
        since = -1 if before is None else before.seq
        unseen = [sent for sent in reader.sent if since < sent.seq <= update.seq]
        if any(sent.mode != "askbid" and sent.t == update.t for sent in unseen):
            assert update.mode != "askbid"
