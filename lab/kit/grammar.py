"""Random frames: valid FCS v4, almost valid, damaged, or something else.

Functions return text or bytes as they would come from a socket, drawn from ``random``.
Drawing a frame takes about 10 µs.
"""

from __future__ import annotations

import json
from random import Random

__all__ = [
    *("as_text", "damaged", "frame", "message", "nested", "odd_number", "odd_value", "price"),
    *("stored", "symbol", "timeframe", "value", "wish"),
]

SYMBOLS = ("FX:EURUSD", "FX:USDJPY", "BINANCE:BTCUSDT", "NASDAQ:AAPL")
_ODD_SYMBOLS = (
    *("", ":", "FX:", ":EURUSD", "FX:EUR USD", "fx:eurusd", "FX:A:B", "FX:\\u0000", "FX:\\ud800"),
    *(
        "FX:M&M",
        "FX:BRK.B",
        "FX:ES1!",
        "FX:币安人生",
        "FX:É",
        "FX:" + "X" * 41,
        "É:X",
        "FX:EURUSD_1D",
    ),
    *("NOWHERE:" + "A" * 9, "FX:‮RLO", "FX:\\n", "FX:A_0s", "FX:*", "FX:[1]", "F" * 300),
)
TIMEFRAMES = ("1", "5", "15", "30", "60", "240", "1D", "1W", "1M")
_ODD_TIMEFRAMES = ("1h", "D", "1m", "2h", "", "1d", "60 ", "None", "1D_0s", "９", "1" * 300)

TYPES = (
    *("price", "price", "price", "message", "welcome", "ping", "pong", "error"),
    *("join_symbol", "leave_symbol", "remove_all", "rate", "state", "beat"),
)
_ODD_TYPES = ("", "Price", "profile", "fcs.price", "unknown", "\\ud800", "x" * 300)
_MODES = ("initial", "candle", "askbid", "close", "profile", "", "CANDLE", "history")
_SHORTS = ("joined_room", "authentication_failed", "unknown_symbol", "", "bad_message", "x" * 99)

_NUMBERS = (
    *("0", "-0", "1", "-1", "0.1", "-0.0", "1e-320", "5e-324", "1e308", "-1e308", "1e309", "1e999"),
    *("-1e999", "1E400", "9007199254740993", "18446744073709551616", "-9223372036854775809"),
    *("1766361600", "1766361600000", "32503680001", "4e9", "1e22", "0.30000000000000004"),
    *("1" * 400, "0." + "0" * 400 + "1", "1" + "0" * 308, "-" + "9" * 5000, "1e" + "9" * 30),
)
#: Prices and volumes near and far beyond what any instrument has.
_MAGNITUDES = (
    *("0", "-0.0", "1.1", "1.1", "1.15", "1.2", "-1.1", "-37.63", "10.01", "1.0000000001", "17.85"),
    *("1e29", "1e41", "1e18", "1e15", "1.1e15", "-1e15", "1e-15", "9e-16", "1e-300", "1e300"),
    *("0.000012395678", "1.234e-10", "0.30000000000000004", '"1e29"', '"1.1"', '"0"', "5e-324"),
)
#: Times in other units, of the far future and past. NOW is replaced by the time of the input.
_TIMES = (
    *("NOW", "NOW", "NOW", "NOW123", "NOW.5", '"NOW"', "4102444800", "253402300799", "9e12", "0"),
    *("-1", "-62135596801", "32503680000", "32503680001", "1e300", "8.64e15", "1766361600"),
)
_DELAYS = (
    *("streaming", "delayed_streaming_900", "delayed_streaming_99999999999", "endofday"),
    *("delayed_streaming_" + "9" * 310, "delayed_streaming_" + "9" * 5000, "delayed_streaming_-5"),
    *("delayed_streaming_٩", "delayed_streaming_", "\\ud800"),
)

_NO_NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "+1", "01", "1.", ".5", "0x10", "1_000", "１", "--1", "1e"),
    *('"1"', '"1.5"', '" 1"', '"1e5"', '"NaN"', '"inf"', '"-"', '""', '"0x1"', '"1e999"'),
)
_WORDS = (
    *('""', '"x"', '"é"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"'),
    *('"\\x"', '"\\"', '"', '"\t"', "'x'", '"' + "x" * 5000 + '"', '"' + "\\u00e9" * 500 + '"'),
    *('"\\u2028"', '"💱"', '"</script>"', '"%s"', '"{}"', "\ud800", '"\ud800"', '"\udfff"'),
)
_CONSTANTS = ("null", "true", "false", "None", "undefined", "nul", "TRUE", "")
_FIELDS = (
    *("symbol", "timeframe", "prices", "seq", "at", "history", "timestamp", "token", "success"),
    *("short", "message", "msg", "room", "state", "reason", "frames_per_second", "type", "extra"),
)
_PRICE_FIELDS = (
    *("mode", "t", "o", "h", "l", "c", "v", "a", "b", "update", "pc", "ch", "chp", "digits"),
    *("delay", "history", "profile", "x"),
)
_FILLINGS = (
    *(b"", b"null", b'"', b"-", b"e9", b"[[[", b"}", b"]", b",", b":", b"\\", b"\x00", b"\xff"),
    *(b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"9" * 400, b"{" * 40),
    *(b"\\ud800", b"\\u", b"1e999", b'"type":"ping",', b'"c":', b"[" * 1100, b" " * 3000),
)
#: Depths around the limits of parsers, and far beyond.
_DEPTHS = (1, 2, 5, 50, 200, 500, 900, 990, 1000, 1010, 1024, 1100, 2000)
_ABYSS = (10_000, 100_000)

#: Longer texts are not damaged further, because they would only become longer.
_DAMAGED_MAX = 20_000


def value(random: Random, depth: int = 3) -> str:
    """Return some JSON, or something that is almost JSON."""
    kind = random.random()
    if kind < 0.3:
        return number(random)
    if kind < 0.5:
        return random.choice(_WORDS)
    if kind < 0.6 or depth == 0:
        return random.choice(_CONSTANTS[:3] if kind < 0.55 else _CONSTANTS)
    if kind < 0.8:
        return f"[{','.join(value(random, depth - 1) for _ in range(random.randrange(4)))}]"
    names = (_field(random, _FIELDS) for _ in range(random.randrange(4)))
    return f"{{{','.join(f'{name}:{value(random, depth - 1)}' for name in names)}}}"


def number(random: Random) -> str:
    """Return a number, in most cases a possible price."""
    kind = random.random()
    if kind < 0.6:
        return f"{random.random() * 10 ** random.randrange(6):.{random.randrange(9)}f}"
    if kind < 0.85:
        return random.choice(_NUMBERS)
    if kind < 0.95:
        return random.choice(_NO_NUMBERS)
    return str(random.getrandbits(random.choice((8, 53, 64, 200))))


def odd_number(random: Random, now: str) -> str:
    """Return a price, a time, or something else in the place of a number.

    ``now`` stands for the time at which it is sent.
    """
    kind = random.random()
    if kind < 0.5:
        return random.choice(_MAGNITUDES)
    if kind < 0.75:
        return random.choice(_TIMES).replace("NOW", now)
    return number(random) if kind < 0.9 else value(random, 1)


def nested(random: Random, *, abyss: bool = True) -> str:
    """Return nested arrays or objects, closed or not."""
    depth = random.choice(_ABYSS if abyss and random.random() < 0.1 else _DEPTHS)
    opening, closing = random.choice((("[", "]"), ('{"x":', "}"), ('[{"history":', "}]")))
    inner = random.choice(("", "1", "null", '"x"'))
    return opening * depth + inner + closing * random.choice((depth, depth, depth - 1, 0))


def symbol(random: Random) -> str:
    """Return a symbol in quotation marks, or another value instead."""
    kind = random.random()
    if kind < 0.75:
        return f'"{random.choice(SYMBOLS)}"'
    if kind < 0.85:
        return f'"FX:P{random.randrange(100)}"'
    return f'"{random.choice(_ODD_SYMBOLS)}"' if kind < 0.97 else value(random, 1)


def timeframe(random: Random) -> str:
    """Return a timeframe in quotation marks, or another value instead."""
    kind = random.random()
    if kind < 0.8:
        return f'"{random.choice(TIMEFRAMES)}"'
    return f'"{random.choice(_ODD_TIMEFRAMES)}"' if kind < 0.95 else value(random, 1)


def price(random: Random, name: str | None = None, frame: str | None = None) -> str:
    """Return a price in the vendor's form, for the given room or a random one."""
    name = f'"{random.choice(SYMBOLS)}"' if name is None else name
    frame = f'"{random.choice(TIMEFRAMES)}"' if frame is None else frame
    t = 1766361600 + 60 * random.randrange(1000)
    low = random.randrange(1, 10**6) / 1000
    top, close = low * 1.01, low * 1.005
    sides = f'"a":{close * 1.0001:.5f},"b":{close:.5f}'
    if random.random() < 0.4:
        prices = f'"mode":"askbid",{sides},"update":{t + 0.25}'
    else:
        mode = random.choice(_MODES[:4])
        prices = (
            f'"mode":"{mode}","t":{t},"o":{low:.5f},"h":{top:.5f},"l":{low:.5f},"c":{close:.5f},'
            f'"v":{random.randrange(9999)},{sides},"update":{t + 0.5}'
        )
    return f'{{"type":"price","symbol":{name},"timeframe":{frame},"prices":{{{prices}}}}}'


def odd_price(random: Random) -> str:
    """Return a price in which some fields are missing, repeated, or of a wrong type."""
    names = [name for name in _PRICE_FIELDS if random.random() < 0.6]
    fields = ",".join(f'"{name}":{_price_field(random, name)}' for name in names)
    rest = f',"{random.choice(_FIELDS)}":{value(random)}' if random.random() < 0.3 else ""
    head = f'"type":"price","symbol":{symbol(random)},"timeframe":{timeframe(random)}'
    return f'{{{head},"prices":{{{fields}}}{rest}}}'


def odd_value(random: Random, now: str) -> str:
    """Return a valid price, or a profile, some of whose values are out of bounds.

    ``now`` stands for the time at which it is sent.
    """
    head = f'"symbol":"{random.choice(SYMBOLS)}","timeframe":"{random.choice(TIMEFRAMES)}"'
    if random.random() < 0.1:
        profile = f'{{"update_mode":"{random.choice(_DELAYS)}","current_session":"market"}}'
        return f'{{"type":"price",{head},"prices":{{"mode":"profile","profile":{profile}}}}}'
    fields = {"mode": f'"{random.choice(_MODES[:4])}"', "t": now, "v": "10", "update": now}
    fields |= {"o": "1.1", "h": "1.2", "l": "1.05", "c": f"1.1{random.randrange(100)}"}
    fields |= {"a": fields["c"] + "2", "b": fields["c"]}
    for _ in range(random.choice((0, 0, 1, 1, 2, 9))):
        name = random.choice("tohlcvab") if random.random() < 0.9 else "update"
        fields[name] = random.choice(_TIMES if name in ("t", "update") else _MAGNITUDES)
    if random.random() < 0.1:
        fields["history"] = f'[{{"t":0,"c":{random.choice(_MAGNITUDES)}}}]'
    names = [name for name in fields if random.random() < 0.97]
    prices = ",".join(f'"{name}":{fields[name].replace("NOW", now)}' for name in names)
    return f'{{"type":"price",{head},"prices":{{{prices}}}}}'


def stored(random: Random) -> str:
    """Return what a cache may hold in place of a last value."""
    if random.random() < 0.2:
        return damaged(random, price(random)).decode(errors="replace")
    prices = odd_value(random, "1766361600").removesuffix("}}")
    at = random.choice(_TIMES).replace("NOW", "1766411426")
    text = json.dumps(f'{prices},"digits":{_odd(random)}}},"seq":1,"at":{at}}}')
    times = ",".join(f'"{name}":{_odd(random)}' for name in ("since", "until", "patience"))
    closed = random.choice(("true", "false"))
    return f'{{"text":{text},"expected":{{"closed":{closed},{times}}}}}'


def _odd(random: Random) -> str:
    return random.choice(("5", "99", "-1", "1e300", "1766361600", "253402300799", "9e12", "null"))


def _price_field(random: Random, name: str) -> str:
    if random.random() < 0.1:
        return nested(random, abyss=False) if random.random() < 0.05 else value(random)
    if name == "mode":
        return f'"{random.choice(_MODES)}"'
    if name == "history":
        return f"[{','.join(_candle(random) for _ in range(random.randrange(4)))}]"
    if name == "profile":
        mode = random.choice(_DELAYS)
        return f'{{"session":{value(random, 2)},"update_mode":"{mode}","x":{value(random, 2)}}}'
    if name in ("t", "update"):
        return random.choice(_TIMES).replace("NOW", "1766361600")
    return random.choice(_MAGNITUDES) if random.random() < 0.2 else number(random)


def _candle(random: Random) -> str:
    fields = (f'"{name}":{number(random)}' for name in "tohlcv" if random.random() < 0.9)
    return f"{{{','.join(fields)}}}"


def message(random: Random) -> str:
    """Return an object with a type, whose fields may or may not fit it."""
    kind = random.choice(TYPES if random.random() < 0.95 else _ODD_TYPES)
    if kind == "price" and random.random() < 0.9:
        return odd_price(random)
    fields = "".join(
        f",{_field(random, _FIELDS)}:{_fitting(random)}" for _ in range(random.randrange(6))
    )
    return f'{{"type":"{kind}"{fields}}}'


def _fitting(random: Random) -> str:
    kind = random.random()
    if kind < 0.3:
        return symbol(random)
    if kind < 0.5:
        return timeframe(random)
    return f'"{random.choice(_SHORTS)}"' if kind < 0.7 else value(random)


def wish(random: Random) -> str:
    """Return a message of a browser: in most cases a valid join or leave."""
    kind = random.random()
    if kind < 0.6:
        name = random.choice(("join_symbol", "join_symbol", "leave_symbol"))
        token = f',"token":{value(random, 1)}' if random.random() < 0.2 else ""
        frame = f',"timeframe":{timeframe(random)}' if random.random() < 0.9 else ""
        return f'{{"type":"{name}","symbol":{symbol(random)}{frame}{token}}}'
    if kind < 0.7:
        return f'{{"type":"rate","frames_per_second":{number(random)}}}'
    if kind < 0.9:
        stamp = f',"timestamp":{number(random)}' if random.random() < 0.5 else ""
        return f'{{"type":"{random.choice(("ping", "pong"))}"{stamp}}}'
    return '{"type":"remove_all"}'


def damaged(random: Random, text: str | bytes) -> bytes:
    """Delete, insert or overwrite parts of a text, one to three times."""
    data = _as_bytes(text)
    for _ in range(random.randrange(1, 4)):
        if len(data) > _DAMAGED_MAX:
            return data
        start = random.randrange(len(data) + 1)
        stop = min(len(data), start + random.choice((0, 1, 1, 2, 8, len(data))))
        filling = random.choice(_FILLINGS)
        if random.random() < 0.3:
            filling = random.randbytes(random.randrange(5))
        elif random.random() < 0.2:
            filling = data[start:stop] * 2
        data = data[:start] + filling + data[stop:]
    return data


def frame(random: Random) -> str | bytes:
    """Return one random frame, as text or bytes."""
    text = _frame(random)
    if isinstance(text, str) and random.random() < 0.4:
        return _as_bytes(text)
    if isinstance(text, bytes) and random.random() < 0.4:
        return text.decode(errors=random.choice(("replace", "surrogateescape")))
    return text


def _frame(random: Random) -> str | bytes:
    kind = random.random()
    if kind < 0.15:
        return price(random)
    if kind < 0.45:
        return message(random)
    if kind < 0.5:
        return wish(random)
    if kind < 0.85:
        whole = price(random) if random.random() < 0.5 else message(random)
        return damaged(random, whole)
    if kind < 0.93:
        blank = random.choice(("", "", " ", "\n\t", "\ufeff"))
        return f"{blank}[{','.join(message(random) for _ in range(random.randrange(5)))}]"
    if kind < 0.97:
        return value(random, 5)
    if kind < 0.975:
        return nested(random)
    return random.randbytes(random.choice((0, 1, 2, 7, 40, 300)))


def _field(random: Random, names: tuple[str, ...]) -> str:
    return f'"{random.choice(names)}"' if random.random() < 0.97 else random.choice(_WORDS)


def _as_bytes(text: str | bytes) -> bytes:
    return text.encode(errors="surrogatepass") if isinstance(text, str) else text


def as_text(frame: str | bytes) -> str:
    """Return a frame as text, as servers pass it on: they reject invalid UTF-8 themselves."""
    data = frame.encode(errors="replace") if isinstance(frame, str) else frame
    return data.decode(errors="replace")
