"""What a stream publishes of its rooms: merged by the tick, written by the text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings, strategies as st

from django_fcs.layer.events import PROFILE_MAX, read_event
from django_fcs.prices.sessions import Markets
from django_fcs.prices.snapshots import Snapshot
from django_fcs.prices.states import Expectation
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price, ProfileUpdate
from django_fcs.rooms import Room
from django_fcs.streaming.streamed import TELL_SECONDS, Streamed
from django_fcs.tools import metrics
from django_fcs.tools.metrics import counts

EURUSD = Room("FX:EURUSD", "1")
USDJPY = Room("FX:USDJPY", "1")
FIRST = 7000


def tick(c: float = 1.5, *, t: int | None = 60, mode: str = "candle", room: Room = EURUSD) -> Price:
    o, high, low = (None, None, None) if mode == "askbid" else (1.0, 2.0, 0.5)
    name, timeframe = room.symbol, room.timeframe
    return Price(symbol=name, timeframe=timeframe, mode=mode, t=t, c=c, o=o, h=high, l=low)


def streamed_of() -> Streamed:
    return Streamed(epoch=7, markets=Markets())


def feed_of(*ticks: Price) -> Streamed:
    streamed = streamed_of()
    for number, price in enumerate(ticks):
        streamed.merge(EURUSD, price, 100.0 + number)
    return streamed


def told(streamed: Streamed) -> list[tuple[int, str, int | None, float | None]]:
    """Seq, mode, candle and close of each text that goes out now."""
    return [
        (update.seq, update.mode, update.t, json.loads(update.text)["prices"].get("c"))
        for update in streamed.take_updates()
    ]


def test_ticks_between_two_publishes_are_one_text_and_counted() -> None:
    streamed = feed_of(tick(1.1), tick(1.2), tick(1.3))

    assert told(streamed) == [(FIRST, "candle", 60, 1.3)]
    assert counts() == {"stream_merged": 2}
    assert [notice.room for notice in streamed.take_notices()] == [EURUSD]
    assert told(streamed) == []
    assert not streamed.is_due


def test_a_text_says_when_its_newest_tick_came() -> None:
    [update] = feed_of(tick(1.1), tick(1.2)).take_updates()

    assert update.at == 101.0
    assert json.loads(update.text)["at"] == 101.0


def test_each_text_of_a_room_has_the_seq_after_the_last_ones() -> None:
    streamed = feed_of(tick())
    streamed.merge(USDJPY, tick(room=USDJPY), 1.0)

    assert [seq for seq, *_ in told(streamed)] == [FIRST, FIRST]
    streamed.merge(USDJPY, tick(room=USDJPY), 2.0)
    assert [seq for seq, *_ in told(streamed)] == [FIRST + 1]


def test_the_last_state_of_a_candle_that_ended_meanwhile_goes_out_first() -> None:
    streamed = feed_of(tick(1.1), tick(1.2), tick(1.3, t=120), tick(1.4, t=120))

    assert told(streamed) == [(FIRST, "candle", 60, 1.2), (FIRST + 1, "candle", 120, 1.4)]
    assert "stream_missed" not in counts()


def test_of_more_than_one_candle_that_ended_meanwhile_the_last_goes_out() -> None:
    streamed = feed_of(tick(1.1), tick(1.2, t=120), tick(1.3, t=180), tick(1.4, t=240))

    assert told(streamed) == [(FIRST, "candle", 180, 1.3), (FIRST + 1, "candle", 240, 1.4)]
    assert counts()["stream_missed"] == 2


def test_a_candle_whose_last_state_went_out_already_is_not_told_again() -> None:
    streamed = feed_of(tick(1.1))
    assert len(told(streamed)) == 1
    streamed.merge(EURUSD, tick(1.2, t=120), 1.0)

    assert told(streamed) == [(FIRST + 1, "candle", 120, 1.2)]


def test_only_ticks_that_all_leave_the_candle_make_an_askbid() -> None:
    streamed = feed_of(tick())
    assert [mode for _, mode, *_ in told(streamed)] == ["candle"]
    for modes, expected in [
        (["askbid", "askbid"], "askbid"),
        (["askbid", "candle", "askbid"], "candle"),
        (["candle", "askbid"], "candle"),
        (["initial"], "candle"),
    ]:
        for mode in modes:
            streamed.merge(EURUSD, tick(1.5, mode=mode), 1.0)
        assert [mode for _, mode, *_ in told(streamed)] == [expected]


def test_a_late_tick_is_no_news() -> None:
    streamed = feed_of(tick(t=120))
    told(streamed)
    list(streamed.take_notices())

    assert not streamed.merge(EURUSD, tick(t=60), 1.0)
    assert not streamed.is_due


def test_what_is_repeated_has_the_seq_it_had() -> None:
    streamed = feed_of(tick())
    first = list(streamed.take_updates())
    streamed.repeat([EURUSD, USDJPY])

    assert list(streamed.take_updates()) == first
    assert list(streamed.take_updates()) == []


def test_a_publish_that_breaks_off_half_way_costs_no_room_its_prices() -> None:
    streamed = feed_of(tick(1.1))
    streamed.merge(USDJPY, tick(2.1, room=USDJPY), 100.0)
    half = streamed.take_updates()
    next(half)
    streamed.merge(USDJPY, tick(2.2, room=USDJPY), 101.0)
    assert [update.room for update in streamed.take_updates()] == [USDJPY]
    streamed.repeat([EURUSD, USDJPY])

    assert [update.room for update in streamed.take_updates()] == [EURUSD, USDJPY]


def test_who_asks_again_for_a_room_that_ticked_gets_the_newer_text_alone() -> None:
    streamed = feed_of(tick(1.1))
    told(streamed)
    streamed.merge(EURUSD, tick(1.2), 1.0)
    streamed.repeat([EURUSD])

    assert told(streamed) == [(FIRST + 1, "candle", 60, 1.2)]


def test_a_room_that_is_forgotten_is_published_no_more_and_goes_on_with_its_seq() -> None:
    streamed = feed_of(tick())
    told(streamed)
    streamed.merge(EURUSD, tick(), 1.0)
    streamed.describe(EURUSD, profile("market"), 1.0)
    streamed.forget([EURUSD, USDJPY])

    assert told(streamed) == []
    assert list(streamed.take_notices()) == []
    assert list(streamed) == []
    streamed.merge(EURUSD, tick(), 2.0)
    assert told(streamed)[0][0] == FIRST + 1


def profile(session: str) -> ProfileUpdate:
    return ProfileUpdate(
        symbol="FX:EURUSD", timeframe="1m", profile={"current_session": session, "x": 1}
    )


def test_a_profile_is_news_in_canonical_spelling_and_so_is_the_tick_that_opens_a_market() -> None:
    streamed = feed_of(tick())
    streamed.describe(EURUSD, profile("out_of_session"), 101.0)
    [notice] = streamed.take_notices()
    assert (notice.room, notice.expected.closed) == (EURUSD, True)
    assert json.loads(notice.profile)["timeframe"] == "1"
    assert list(streamed.take_notices()) == []
    streamed.merge(EURUSD, tick(mode="initial"), 102.0)
    assert list(streamed.take_notices()) == []
    streamed.merge(EURUSD, tick(), 103.0)

    assert [notice.expected.closed for notice in streamed.take_notices()] == [False]
    streamed.repeat([EURUSD])
    assert len(list(streamed.take_notices())) == 1


# -- what is expected of rooms

FRIDAY = 1_763_762_340.0  #: Friday, 21 November 2025: a minute before 17:00 in New York.
TODAY = int(FRIDAY) // 86_400 * 86_400
SUNDAY = FRIDAY + 60 + 48 * 3600
STEPS = 202.5


def expectations(streamed: Streamed) -> list[Expectation | None]:
    return [notice.expected for notice in streamed.take_notices()]


def test_what_is_expected_follows_the_clock_and_is_told_and_kept_where_it_changes() -> None:
    streamed = streamed_of()
    streamed.merge(EURUSD, tick(t=TODAY), FRIDAY)
    [opened] = expectations(streamed)
    assert (opened.closed, opened.patience, opened.until) == (False, STEPS, FRIDAY + 60)
    told(streamed)
    assert len(list(streamed.take_values())) == 1
    streamed.look([], FRIDAY + 29)
    assert (expectations(streamed), list(streamed.take_values())) == ([], [])
    streamed.look([], FRIDAY + 60)

    closed = Expectation(True, STEPS, FRIDAY + 60, SUNDAY)
    assert expectations(streamed) == [closed]
    assert [expected for *_, expected in streamed.take_values()] == [closed]
    streamed.look([], SUNDAY)
    [opened] = expectations(streamed)
    assert (opened.closed, opened.since) == (False, SUNDAY)


def test_hubs_are_told_of_every_room_again_and_again_and_of_few_at_a_time() -> None:
    streamed, now = streamed_of(), int(FRIDAY - 5 * 3600)
    rooms = [Room(f"BINANCE:COIN{number}", "1D") for number in range(100)]
    streamed.look(rooms, now)
    assert len(list(streamed.take_notices())) == 100
    told: list[Room] = []
    for second in range(2 * TELL_SECONDS):
        streamed.look(rooms, now + second)
        some = [notice.room for notice in streamed.take_notices()]
        assert len(some) <= (0 if second < TELL_SECONDS else 4)
        told += some

    assert sorted(told, key=str) == sorted(rooms, key=str)


def test_a_tick_opens_a_market_at_once_be_it_late_and_an_initial_does_not() -> None:
    for price, closed in [(tick(t=TODAY + 60), False), (tick(t=TODAY + 120, mode="initial"), True)]:
        streamed = streamed_of()
        streamed.merge(EURUSD, tick(t=TODAY + 120, mode="initial"), FRIDAY + 3600)
        assert expectations(streamed) == [Expectation(True, STEPS, FRIDAY + 60, SUNDAY)]
        assert streamed.merge(EURUSD, price, FRIDAY + 3601) is closed

        assert [expected.closed for expected in expectations(streamed)] == [False] * (not closed)


def test_a_delayed_feeds_market_closes_that_much_later() -> None:
    streamed = feed_of()
    delayed = ProfileUpdate(
        symbol="FX:EURUSD", timeframe="1", profile={"update_mode": "delayed_streaming_900"}
    )
    streamed.describe(EURUSD, delayed, FRIDAY)

    [expected] = expectations(streamed)
    assert expected.until == FRIDAY + 60 + 900


def test_joined_rooms_are_mute_when_a_tick_was_due_and_did_not_come() -> None:
    """Also those of which nothing ever came; not those that the vendor has not confirmed."""
    noon = FRIDAY - 5 * 3600
    streamed = streamed_of()
    streamed.merge(USDJPY, tick(t=TODAY, room=USDJPY), noon)
    assert streamed.look([EURUSD], noon) == set()
    assert streamed.look([EURUSD, USDJPY], noon + 202) == set()
    assert streamed.look([EURUSD, USDJPY], noon + 203) == {EURUSD}
    assert streamed.look([EURUSD, USDJPY], noon + 500) == {EURUSD, USDJPY}
    streamed.merge(EURUSD, tick(t=TODAY, mode="initial"), noon + 500)
    assert streamed.look([EURUSD], noon + 501) == set()
    assert streamed.ticks == 1


def test_the_answer_to_a_join_makes_no_mute_room_live_and_a_tick_does_at_once() -> None:
    noon = FRIDAY - 5 * 3600
    streamed = streamed_of()
    streamed.merge(EURUSD, tick(t=TODAY), noon)
    streamed.look([EURUSD], noon)
    streamed.look([EURUSD], noon + 300)
    assert [expected.overdue for expected in expectations(streamed)] == [True]
    streamed.look([], noon + 301)
    streamed.merge(EURUSD, tick(t=TODAY, mode="initial"), noon + 302)
    streamed.look([EURUSD], noon + 303)
    assert all(expected.overdue for expected in expectations(streamed))
    streamed.merge(EURUSD, tick(t=TODAY), noon + 304)

    assert [expected.overdue for expected in expectations(streamed)] == [False]


def test_a_room_that_is_joined_again_is_given_its_time_again() -> None:
    noon = FRIDAY - 5 * 3600
    streamed = streamed_of()
    streamed.look([EURUSD], noon)
    assert streamed.look([EURUSD], noon + 300) == {EURUSD}
    assert streamed.look([], noon + 301) == set()
    assert streamed.look([EURUSD], noon + 302) == set()
    assert streamed.look([EURUSD], noon + 302 + 203) == {EURUSD}


def test_no_room_of_a_closed_market_is_mute() -> None:
    streamed = streamed_of()

    assert not any(
        streamed.look([EURUSD], now) for now in range(int(FRIDAY + 60), int(SUNDAY) + 60, 599)
    )


def test_what_is_kept_is_the_newest_and_never_newer_by_its_seq_than_what_is_published() -> None:
    streamed = feed_of(tick(1.1))
    [(_, before, _)] = streamed.take_values()
    assert (json.loads(before)["seq"], json.loads(before)["prices"]["c"]) == (FIRST - 1, 1.1)
    [published] = streamed.take_updates()
    assert [text for _, text, _ in streamed.take_values()] == [published.text]
    assert list(streamed.take_values()) == []
    streamed.touch()
    assert [text for _, text, _ in streamed.take_values()] == [published.text]


# -- whatever comes

prices = st.builds(
    lambda c, t, mode: tick(c / 100, t=t, mode=mode),
    st.integers(1, 500),
    st.sampled_from([None, 60, 120, 180, 240]),
    st.sampled_from(["candle", "askbid", "initial"]),
).filter(lambda price: price.mode == "askbid" or price.t is not None)
steps = st.lists(st.none() | prices, max_size=40)


@given(steps)
@settings(deadline=None)
def test_whatever_comes_the_last_text_is_the_last_state_and_no_end_of_a_candle_is_lost(
    steps: list[Price | None],
) -> None:
    """None stands for the moment of a publish. Nothing comes late: see ``test_intake``."""
    metrics._counts.clear()
    streamed, alone = streamed_of(), Snapshot(EURUSD)
    updates: list[Update] = []
    ends: dict[int | None, Any] = {}
    for number, step in enumerate([*steps, None]):
        if step is None:
            updates += streamed.take_updates()
        elif step.t is None or alone.t is None or step.t >= alone.t:
            assert streamed.merge(EURUSD, step, float(number)) == alone.merge(step)
            ends[alone.t] = state(alone)

    assert [update.seq for update in updates] == list(range(FIRST, FIRST + len(updates)))
    if updates:
        assert json.loads(updates[-1].text)["prices"] | {"mode": ""} == state(alone)
    if "stream_missed" not in counts():
        shown = {update.t: json.loads(update.text)["prices"] | {"mode": ""} for update in updates}
        assert {t: shown.get(t) for t in ends if t is not None} == {
            t: end for t, end in ends.items() if t is not None
        }


def state(snapshot: Snapshot) -> dict[str, Any]:
    update = Update.encode(EURUSD, snapshot.price("candle", seq=1, at=1.0), epoch=1)
    return dict(json.loads(update.text)["prices"]) | {"mode": ""}


def test_a_profile_that_hubs_would_refuse_is_not_sent() -> None:
    streamed = Streamed(epoch=7, markets=Markets())
    message = ProfileUpdate(symbol="FX:EURUSD", timeframe="1D", profile={"x": "x" * PROFILE_MAX})
    streamed.describe(EURUSD, message, 1.0)
    [notice] = streamed.take_notices()

    assert read_event(notice.event(), 1_766_361_600.0) == notice
    assert notice.profile == "" and notice.expected is not None
