"""What waits for a browser: in which order it goes, in which frames, and how much it can be."""

from __future__ import annotations

import json

from django_fcs.fanout.mail import FRAME_BYTES, Mail
from django_fcs.rooms import Room
from tests.support.hubs import EURUSD, USDJPY, key, update


def all_of(mail: Mail) -> list[str]:
    return list(iter(mail.pop, None))


def test_profiles_go_first_then_prices_then_states() -> None:
    mail = Mail()
    mail.tell(key(EURUSD), "state")
    mail.put(key(EURUSD), update(seq=1))
    mail.describe(key(EURUSD), "profile")

    assert all_of(mail) == ["profile", update(seq=1).text, "state"]
    assert mail.pop() is None


def test_of_each_kind_the_newest_waits_and_of_a_price_the_candle_before_as_well() -> None:
    mail = Mail()
    for seq in range(1, 1001):
        for room in (EURUSD, USDJPY):
            mail.put(key(room), update(room, seq=seq, t=60 * (seq // 10)))
            mail.describe(key(room), f"profile {seq} of {room}")
            mail.tell(key(room), f"state {seq} of {room}")
        assert len(mail) <= 8

    assert all_of(mail) == [
        *("profile 1000 of FX:EURUSD_1D", "profile 1000 of FX:USDJPY_1D"),
        *(update(EURUSD, seq=999, t=5940).text, update(EURUSD, seq=1000, t=6000).text),
        *(update(USDJPY, seq=999, t=5940).text, update(USDJPY, seq=1000, t=6000).text),
        *("state 1000 of FX:EURUSD_1D", "state 1000 of FX:USDJPY_1D"),
    ]


def test_it_is_true_while_anything_waits() -> None:
    mail = Mail()
    assert not mail
    for put in (
        lambda: mail.describe(key(EURUSD), "profile"),
        lambda: mail.put(key(EURUSD), update(seq=1)),
        lambda: mail.tell(key(EURUSD), "state"),
    ):
        put()
        assert mail
        assert len(mail) == 1
        mail.pop()
        assert not mail


def test_what_waits_of_a_left_room_is_dropped_and_nothing_else() -> None:
    mail = Mail()
    for room in (EURUSD, USDJPY):
        mail.describe(key(room), f"profile of {room.symbol}")
        mail.put(key(room), update(room, seq=1, t=60))
        mail.put(key(room), update(room, seq=2, t=120))
        mail.tell(key(room), f"state of {room.symbol}")
    mail.forget(key(EURUSD))
    mail.forget(key(EURUSD))

    assert len(mail) == 4
    assert all("FX:USDJPY" in text for text in all_of(mail))


def test_a_frame_is_an_array_of_all_that_waits() -> None:
    mail = Mail()
    mail.put(key(EURUSD), update(seq=1, t=60))
    mail.put(key(EURUSD), update(seq=2, t=120))
    mail.tell(key(EURUSD), '{"type":"state"}')

    assert [message.get("seq") for message in json.loads(mail.frame())] == [1, 2, None]
    assert not mail
    assert mail.frame() == ""


def test_a_frame_is_cut_where_it_grows_long_and_the_next_ones_hold_the_rest() -> None:
    mail = Mail()
    rooms = [Room(f"FX:PAIR{number}", "1D") for number in range(2000)]
    for room in rooms:
        mail.put(key(room), update(room, seq=1))
    longest = max(len(update(room, seq=1).text) for room in rooms)
    frames = []
    while mail:
        frames.append(mail.frame())

    assert len(frames) > 2
    # Between any two messages there is a comma, which is not counted.
    slack = max(len(json.loads(frame)) for frame in frames) + 2
    assert all(len(frame) < FRAME_BYTES + longest + slack for frame in frames)
    assert all(len(frame) >= FRAME_BYTES for frame in frames[:-1])
    heard = [message["symbol"] for frame in frames for message in json.loads(frame)]
    assert heard == [room.symbol for room in rooms]


def test_a_message_longer_than_any_frame_goes_alone() -> None:
    mail = Mail()
    long = json.dumps({"type": "price", "padding": "x" * 2 * FRAME_BYTES})
    mail.describe(key(EURUSD), long)
    mail.put(key(EURUSD), update(seq=1))

    assert json.loads(mail.frame()) == [json.loads(long)]
    assert [message["seq"] for message in json.loads(mail.frame())] == [1]


def test_a_copy_has_the_same_and_each_goes_its_own_way() -> None:
    mail = Mail()
    mail.describe(key(EURUSD), "profile")
    mail.put(key(EURUSD), update(seq=1, t=60))
    mail.put(key(EURUSD), update(seq=2, t=120))
    mail.tell(key(EURUSD), "state")
    other = mail.copy()
    mail.forget(key(EURUSD))
    mail.put(key(USDJPY), update(USDJPY, seq=1))
    other.put(key(EURUSD), update(seq=3, t=120))

    assert all_of(mail) == [update(USDJPY, seq=1).text]
    assert all_of(other) == [
        *("profile", update(seq=1, t=60).text, update(seq=3, t=120).text, "state")
    ]
