"""The protocol: what the vendor and others send, and what we write."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from django_fcs import protocol as face
from django_fcs.exceptions import FCSError, ProtocolError
from django_fcs.protocol import (
    Candle,
    Heartbeat,
    Join,
    Joined,
    Leave,
    Message,
    Notice,
    Ping,
    Pong,
    Price,
    ProfileUpdate,
    Rate,
    Refusal,
    RemoveAll,
    RoomState,
    Token,
    Unknown,
    Welcome,
    frames as protocol,
    messages,
    parse,
    parse_wishes,
    serialise,
)

CONFIRMATION = (
    '{"type":"message","success":true,'
    '"message":"Successfully joined room: BINANCE:BTCUSDT_1D_0s",'
    '"room":"BINANCE:BTCUSDT_1D_0s","symbol":"BTCUSDT","timeframe":"1D","short":"joined_room"}'
)
PROFILE = (
    '{"type":"price","symbol":"BINANCE:BTCUSDT","timeframe":"1D","prices":{"mode":"profile",'
    '"profile":{"current_session":"market","timezone":"Etc/UTC","pro_name":"BINANCE:BTCUSDT",'
    '"update_mode":"streaming"}}}'
)
CANDLE = (
    '{"type":"price","symbol":"BINANCE:BTCUSDT","timeframe":"1D","prices":{"mode":"candle",'
    '"t":1766361600,"o":88658.87,"h":90588.23,"l":87900,"c":89962.61,"v":8192.70,'
    '"a":89962.62,"b":89962.61}}'
)
ASKBID = (
    '{"type":"price","symbol":"BINANCE:BTCUSDT","timeframe":"1D","prices":{"mode":"askbid",'
    '"update":1766411426,"c":89962.61,"a":89962.62,"b":89962.61,"t":1766361600}}'
)


def only(text: str | bytes) -> Message:
    (message,) = parse(text)
    return message


def price_of(prices: str, *, around: str = "") -> Message:
    head = '"type":"price","symbol":"FX:EURUSD","timeframe":"1D"'
    return only(f'{{{head},"prices":{{{prices}}}{around}}}')


# -- what the vendor documents


def test_the_vendors_confirmation_is_read() -> None:
    assert only(CONFIRMATION) == Joined(
        message="Successfully joined room: BINANCE:BTCUSDT_1D_0s",
        room="BINANCE:BTCUSDT_1D_0s",
        symbol="BTCUSDT",
        timeframe="1D",
    )


def test_the_vendors_profile_is_read() -> None:
    profile = only(PROFILE)

    assert isinstance(profile, ProfileUpdate)
    assert (profile.symbol, profile.timeframe) == ("BINANCE:BTCUSDT", "1D")
    assert profile.profile["update_mode"] == "streaming"


def test_the_vendors_candle_is_read() -> None:
    price = Price(symbol="BINANCE:BTCUSDT", timeframe="1D", mode="candle", t=1766361600)
    price = replace(price, o=88658.87, h=90588.23, l=87900.0, c=89962.61, v=8192.70)

    assert only(CANDLE) == replace(price, a=89962.62, b=89962.61)


def test_the_vendors_askbid_is_read() -> None:
    askbid = only(ASKBID)

    assert isinstance(askbid, Price)
    assert (askbid.mode, askbid.update, askbid.t) == ("askbid", 1766411426, 1766361600)
    assert (askbid.o, askbid.h, askbid.l, askbid.v) == (None, None, None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"welcome"}', Welcome()),
        ('{"type":"welcome","timestamp":1766411426000}', Welcome(timestamp=1766411426000)),
        ('{"type":"ping"}', Ping()),
        ('{"type":"ping","timestamp":1766411426000}', Ping(timestamp=1766411426000)),
        ('{"type":"pong","timestamp":1766411426000.5}', Pong(timestamp=1766411426000)),
        ('{"type":"join_symbol","symbol":"FX:EURUSD"}', Join(symbol="FX:EURUSD")),
        ('{"type":"join_symbol"}', Join(symbol="")),
        (
            '{"type":"join_symbol","symbol":"FX:EURUSD","timeframe":60,"token":"x"}',
            Join(symbol="FX:EURUSD", timeframe="60", token="x"),
        ),
        (
            '{"type":"leave_symbol","symbol":"FX:EURUSD","timeframe":"60"}',
            Leave(symbol="FX:EURUSD", timeframe="60"),
        ),
        ('{"type":"leave_symbol"}', Leave(symbol="")),
        ('{"type":"remove_all"}', RemoveAll()),
        ('{"type":"error","short":"x","message":"y"}', Refusal(short="x", message="y")),
        ('{"type":"error","msg":"y"}', Refusal(short="", message="y")),
        ('{"type":"error"}', Refusal(short="")),
        ('{"type":"rate","frames_per_second":"4"}', Rate(frames_per_second=4)),
        ('{"type":"beat","timestamp":5}', Heartbeat(timestamp=5)),
        ('{"type":"beat"}', Heartbeat(timestamp=0)),
        ('{"type":"token","symbol":"FX:EURUSD","token":"x"}', Token(symbol="FX:EURUSD", token="x")),
        ('{"type":"token"}', Token(symbol="", token="")),
        (
            '{"type":"state","symbol":"FX:EURUSD","timeframe":"1D","state":"live"}',
            RoomState(symbol="FX:EURUSD", timeframe="1D", state="live"),
        ),
        (
            '{"type":"state","state":"closed","until":1766361600}',
            RoomState(symbol="", timeframe="", state="closed", until=1766361600),
        ),
        ('{"type":"state"}', RoomState(symbol="", timeframe="", state="")),
        ('{"type":"news","symbol":"FX:EURUSD"}', Unknown(name="news")),
    ],
)
def test_every_other_message_is_read(text: str, message: Message) -> None:
    assert only(text) == message
    assert only(text.encode()) == message


# -- what others send


def test_a_confirmation_without_a_room_is_one_by_its_symbol() -> None:
    text = '{"type":"message","short":"joined_room","symbol":"FX:EURUSD","timeframe":60}'

    assert only(text) == Joined(symbol="FX:EURUSD", timeframe="60")


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ('{"type":"message","short":"left_room","room":"A:B_1_0s"}', Notice(short="left_room")),
        ('{"type":"message","short":"joined_room"}', Notice(short="joined_room")),
        ('{"type":"message","msg":"hello"}', Notice(message="hello")),
    ],
)
def test_any_other_message_is_a_notice(text: str, notice: Notice) -> None:
    assert only(text) == notice


def test_numbers_may_come_as_strings() -> None:
    candle = json.loads(CANDLE)
    candle["prices"] = {name: str(value) for name, value in candle["prices"].items()}

    assert only(json.dumps(candle)) == only(CANDLE)


def test_a_frame_may_be_an_array_of_messages() -> None:
    assert parse(f" [{CANDLE},{ASKBID}]") == [only(CANDLE), only(ASKBID)]
    assert parse(f" [{CANDLE}]".encode()) == [only(CANDLE)]
    assert parse("[]") == []


@pytest.mark.parametrize("place", ["prices", "frame"])
def test_history_is_read_in_either_place(place: str) -> None:
    history = '"history":[{"t":1,"c":1.5,"more":[]},{"t":2,"o":"1","h":3,"l":0.5,"c":2,"v":0}]'
    inside, around = (f",{history}", "") if place == "prices" else ("", f",{history}")
    price = price_of(f'"c":1{inside}', around=around)

    assert isinstance(price, Price)
    assert price.history == [Candle(t=1, c=1.5), Candle(t=2, o=1, h=3, l=0.5, c=2, v=0)]


@pytest.mark.parametrize(
    "history",
    [
        *('{"a":1}', "[1,2]", "5", "null", "[]", '[{"t":1.5,"c":1}]', '[{"c":"x"}]'),
        '[{"c":1e999}]',
    ],
)
def test_a_history_of_another_shape_is_none_and_the_price_counts(history: str) -> None:
    price = price_of(f'"c":1.5,"history":{history}')

    assert isinstance(price, Price)
    assert (price.c, price.history) == (1.5, None)


@pytest.mark.parametrize(
    ("prices", "mode"),
    [
        ('"mode":"initial","t":1,"o":1,"h":1,"l":1,"c":1', "initial"),
        ('"mode":"close","t":1,"o":1,"h":1,"l":1,"c":1', "close"),
        ('"mode":"candle","t":1,"o":1,"h":1,"l":1,"c":1', "candle"),
        ('"t":1,"o":1,"h":1,"l":1,"c":1', "candle"),
        ('"mode":"surprise","t":1,"o":1,"h":1,"l":1,"c":1', "candle"),
        ('"mode":"askbid","t":1,"o":1,"h":1,"l":1,"c":1', "askbid"),
        ('"mode":"candle","c":1', "askbid"),
        ('"mode":"candle","o":1,"h":1,"l":1,"c":1', "askbid"),
        ('"c":1,"a":2,"b":0.5', "askbid"),
        ('"a":2', "askbid"),
        ('"b":2', "askbid"),
    ],
)
def test_the_mode_says_what_the_frame_carries(prices: str, mode: str) -> None:
    price = price_of(prices)

    assert isinstance(price, Price)
    assert price.mode == mode


def test_a_profile_beside_a_price_does_not_hide_the_price() -> None:
    price = price_of('"mode":"askbid","c":1.5,"profile":{}')

    assert isinstance(price, Price) and price.c == 1.5


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "null", "5", '"text"', "{}", "{", "[1]", "[[]]", '{"type":5}', "not JSON"),
        *('{"type":null}', '{"type":"price"}', '{"type":"price","symbol":"FX:EURUSD"}'),
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D"}',
        '{"type":"price","symbol":"FX:EURUSD","prices":{"c":1}}',
        '{"type":"price","symbol":"","timeframe":"1D","prices":{"c":1}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"v":1}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"c":"one"}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"c":true}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"c":"nan"}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"c":1e999}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"c":1,"t":"inf"}}',
        *('{"type":"rate"}', '{"type":"rate","frames_per_second":0}'),
        *('{"type":"rate","frames_per_second":-1}', '{"type":"rate","frames_per_second":"nan"}'),
        *('{"type":"rate","frames_per_second":"inf"}', '{"type":"ping","timestamp":"nan"}'),
        *(
            '{"type":"\\ud800"}',
            "\ud800",
            '{"type":"\ud800"}',
            "\ufeff{}",
            b"\xff",
            b'{"type":"\xff"}',
        ),
    ],
)
def test_what_is_no_frame_is_refused_in_one_line(text: str | bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(text)

    assert str(caught.value).isprintable()
    assert isinstance(caught.value, FCSError) and isinstance(caught.value, ValueError)


def test_an_array_is_taken_whole_or_not_at_all() -> None:
    with pytest.raises(ProtocolError):
        parse(f'[{CANDLE},{{"type":"price"}}]')


# -- what is written


def test_a_price_is_written_as_the_page_on_the_protocol_shows_it() -> None:
    price = Price(symbol="FX:EURUSD", timeframe="1D", mode="candle", t=1700000000)
    price = replace(price, o=1.1, h=1.3, l=1.0, c=1.2, a=1.21, b=1.19)
    price = replace(price, pc=1.15, ch=0.05, chp=4.3478, digits=5, delay=900)
    price = replace(price, update=1700000099, seq=7, at=1700000100.25)

    assert serialise(price) == (
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"mode":"candle",'
        '"t":1700000000,"o":1.1,"h":1.3,"l":1.0,"c":1.2,"a":1.21,"b":1.19,"update":1700000099,'
        '"pc":1.15,"ch":0.05,"chp":4.3478,"digits":5,"delay":900},"seq":7,"at":1700000100.25}'
    )


def test_a_confirmation_is_written_with_every_field_that_the_vendors_clients_ask_for() -> None:
    joined = Joined(room="FX:EURUSD_1D_0s", symbol="FX:EURUSD", timeframe="1D")

    assert json.loads(serialise(joined)) == {
        **{"type": "message", "success": True, "message": "", "short": "joined_room"},
        **{"room": "FX:EURUSD_1D_0s", "symbol": "FX:EURUSD", "timeframe": "1D"},
    }


def test_what_a_message_leaves_out_is_left_out_on_the_wire() -> None:
    assert serialise(Welcome()) == '{"type":"welcome"}'
    assert serialise(RemoveAll()) == '{"type":"remove_all"}'
    assert serialise(Join(symbol="A:B")) == '{"type":"join_symbol","symbol":"A:B"}'


def test_messages_cannot_be_changed_by_who_reads_them() -> None:
    message, field = only(CANDLE), "c"

    with pytest.raises(AttributeError):
        setattr(message, field, 1)


def test_the_protocol_hands_out_every_message_there_is() -> None:
    assert set(messages.__all__) < set(face.__all__)
    assert all(getattr(face, name) is getattr(messages, name) for name in messages.__all__)


def test_a_candle_that_opens_after_the_year_3000_is_no_candle() -> None:
    text = (
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1","prices":{"c":1,"t":1766361600000}}'
    )

    with pytest.raises(ProtocolError, match="unix seconds"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"welcome","timestamp":"2025-12-22T10:00:00Z"}', Welcome()),
        ('{"type":"welcome","message":{"hello":1},"success":null}', Welcome()),
        ('{"type":"error","short":401,"message":"no"}', Refusal(short="", message="no")),
        (
            '{"type":"error","short":"authentication_failed","message":["no"]}',
            Refusal(short="authentication_failed"),
        ),
    ],
)
def test_what_a_server_says_beside_prices_may_have_fields_of_any_type(
    text: str, message: Message
) -> None:
    assert parse(text) == [message]
    assert parse(f"[{text}]") == [message]


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"join_symbol","symbol":5,"timeframe":"1"}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1","prices":{"c":"much"}}',
        '[{"type":"welcome","success":null},{"type":"rate","frames_per_second":"many"}]',
    ],
)
def test_prices_and_wishes_do_not_bend(text: str) -> None:
    with pytest.raises(ProtocolError, match="not an FCS frame"):
        parse(text)


# -- browsers


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"join_symbol","symbol":"FX:EURUSD","timeframe":60,"token":"x"}',
        '[{"type":"ping","timestamp":"1"},{"type":"rate","frames_per_second":"4"}]',
    ],
)
def test_wishes_of_browsers_are_read_as_any_other_frame(text: str) -> None:
    assert parse_wishes(text) == parse(text)


@pytest.mark.parametrize(
    "text", ['{"type":"pong","timestamp":"now"}', '[{"type":"error"},[[[[]]]]]']
)
def test_what_is_odd_about_them_is_not_looked_at_twice(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "_decode_leniently", lambda *_: pytest.fail("it was"))

    with pytest.raises(ProtocolError, match="not an FCS frame"):
        parse_wishes(text)
