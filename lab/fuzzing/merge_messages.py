"""Random frames for a page: the merge protocol, with values far out of bounds."""

from __future__ import annotations

from random import Random

from lab.kit import grammar

__all__ = ["SEQ", "TIMEFRAMES", "merge_frame"]

#: The timeframes of the page's rooms.
TIMEFRAMES = ("1D", "60")

#: Stands for the next number of a price, which is known when the frame is sent.
SEQ = "SEQ"

_NOW = "1766361600"
_KINDS = (
    *("price",) * 6,
    *("state", "state", "error", "message", "welcome", "beat", "ping", "pong", "rate", "profile"),
    *("token", "refresh", "", "constructor", "__proto__"),
)
_MODES = ("initial", "candle", "candle", "askbid", "close", "profile", "", "history")
_STATES = ("live", "waiting", "closed", "stale", "offline", "", "LIVE", "constructor", "toString")
_SHORTS = ("joined_room", "refused", "rate_limited", "bad_timeframe", "unknown_symbol", "token")
_FIELDS = ("o", "h", "l", "c", "a", "b", "v", "t", "update", "ch", "chp", "digits", "delay")
_DIGITS = ("0", "2", "5", "20", "21", "99", "-1", "1e300", "2.5", "null", '"5"', "1e-300")

#: Texts and objects where a page expects a word or a number.
_ODD = (
    *("null", "[]", "{}", "true", "-0", "1e300", '"\\ud800"', '"\\u0000"', '"__proto__"'),
    *('"constructor"', '{"toString":1,"valueOf":1}', '{"length":-1}', '["FX:EURUSD"]', "[[1]]"),
    *('{"__proto__":null}', '"<b>x</b>"', '"\\u202e"', "NESTED", "LONG"),
)
_LONG = 100_000
_DEEP = 20_000


def merge_frame(random: Random) -> str:
    """Return a frame; in most cases an array of up to four messages."""
    kind = random.random()
    if kind < 0.1:
        return grammar.as_text(grammar.frame(random))
    if kind < 0.2:
        return f"[{grammar.odd_value(random, _NOW)}]"
    if kind < 0.25:
        return grammar.damaged(random, _message(random)).decode(errors="replace")
    return f"[{','.join(_message(random) for _ in range(random.choice((1, 1, 2, 4))))}]"


def _message(random: Random) -> str:
    kind = random.choice(_KINDS)
    fields = {"type": f'"{kind}"', **_room(random)}
    if kind == "price":
        fields |= {"prices": _prices(random), "seq": SEQ, "at": _NOW}
    elif kind == "state":
        fields |= {"state": f'"{random.choice(_STATES)}"', "reason": '"x"', "until": _NOW}
    elif kind in ("message", "error"):
        fields |= _answer(random)
    elif kind in ("welcome", "beat", "ping", "pong"):
        fields["timestamp"] = grammar.odd_number(random, f"{_NOW}000")
    for name in ("seq", "at", "until"):
        if name in fields and random.random() < 0.25:
            fields[name] = grammar.odd_number(random, _NOW)
    if random.random() < 0.3:
        fields[random.choice([*fields, "token", "x"])] = _odd(random)
    return _object(fields)


def _room(random: Random) -> dict[str, str]:
    if random.random() < 0.1:
        return {"symbol": grammar.symbol(random), "timeframe": grammar.timeframe(random)}
    symbol, timeframe = random.choice(grammar.SYMBOLS), random.choice(TIMEFRAMES)
    return {"symbol": f'"{symbol}"', "timeframe": f'"{timeframe}"'}


def _prices(random: Random) -> str:
    fields = {"mode": f'"{random.choice(_MODES)}"', "t": _NOW, "update": _NOW, "digits": "5"}
    fields |= {name: f"1.{random.randrange(10**5):05}" for name in "ohlcab"}
    fields |= {"v": "10", "ch": "0.01", "chp": "-0.5"}
    for _ in range(random.choice((0, 1, 2, 9))):
        name = random.choice(_FIELDS)
        is_digits = name == "digits" and random.random() < 0.8
        fields[name] = random.choice(_DIGITS) if is_digits else grammar.odd_number(random, _NOW)
    if random.random() < 0.2:
        fields[random.choice([*_FIELDS, "mode", "x"])] = _odd(random)
    return _object({name: text for name, text in fields.items() if random.random() < 0.95})


def _answer(random: Random) -> dict[str, str]:
    symbol, timeframe = random.choice(grammar.SYMBOLS), random.choice(TIMEFRAMES)
    words = f'"{symbol}_{timeframe}_0s, {symbol}: no"'
    return {
        "short": f'"{random.choice(_SHORTS)}"',
        "room": f'"{symbol}_{timeframe}_0s"' if random.random() < 0.7 else _odd(random),
        "message": words if random.random() < 0.7 else _odd(random),
    }


def _odd(random: Random) -> str:
    odd = random.choice(_ODD)
    if odd == "NESTED":
        return "[" * _DEEP + "]" * _DEEP if random.random() < 0.5 else grammar.nested(random)
    return f'"{"x" * _LONG}"' if odd == "LONG" else odd


def _object(fields: dict[str, str]) -> str:
    inner = ",".join(f'"{name}":{text}' for name, text in fields.items())
    return f"{{{inner}}}"
