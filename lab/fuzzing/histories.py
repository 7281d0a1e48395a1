"""The target for the answers of the vendor's REST API: any HTTP status, headers and bytes."""

from __future__ import annotations

from random import Random
from typing import Any

from django_fcs.candles.answers import CREDITS_MAX, Answer, Refused, read_answer
from django_fcs.candles.bars import is_sound
from django_fcs.protocol.address import RestAddress
from django_fcs.protocol.bounds import VOLUME_MAX
from lab.kit import grammar

__all__ = ["Histories"]

_KEY = "a-key-that-nobody-may-tell"
_NOW = 1_764_576_100
_AHEAD_MAX = 2 * 86_400

#: The longest reason, because reasons are logged and sent to browsers.
_REASON_MAX = 400

_STATUSES = (200, 200, 200, 200, 204, 301, 400, 401, 403, 404, 429, 500, 503, 599)
_PAUSES = ("", "60", "soon", "9" * 400, "Sun, 06 Nov 1994 08:49:37 GMT", "-1", "\ud800", "nan")


class Histories:
    """Reads answers; it keeps no state between them."""

    def __enter__(self) -> Histories:
        self._address = RestAddress("https://vendor.example/", _KEY)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @staticmethod
    def draw(random: Random) -> dict[str, Any]:
        """Draw one input; ``candles`` is the number of sound ones, if that is known."""
        rows = [_row(random) for _ in range(random.randrange(1, 6))]
        candles = None if random.random() < 0.5 else len(rows)
        if candles is None:
            rows.insert(random.randrange(len(rows) + 1), _odd_row(random))
        body: str | bytes = _envelope(random, rows, is_sound=candles is not None)
        if candles is None and random.random() < 0.3:
            body = grammar.damaged(random, body)
        return {
            "body": body if isinstance(body, bytes) else body.encode(errors="surrogatepass"),
            "status": 200 if candles is not None else random.choice(_STATUSES),
            "headers": {"Retry-After": random.choice(_PAUSES), "Date": random.choice(_PAUSES)},
            "timeframe": random.choice(grammar.TIMEFRAMES),
            "candles": candles,
        }

    def feed(self, case: dict[str, Any]) -> None:
        """Read an answer; raises an error if the result is wrong."""
        try:
            answer = read_answer(
                case["body"],
                status=case["status"],
                headers=case["headers"],
                address=self._address,
                timeframe=case["timeframe"],
                now=_NOW,
            )
        except Refused as refusal:
            text = str(refusal)
            assert case["candles"] is None, f"refused sound candles: {text}"
            assert text.isprintable() and len(text) <= _REASON_MAX, f"reason: {text!r}"
            assert _KEY not in text, "the reason contains the key"
            assert refusal.retry_after is None or 0 < refusal.retry_after <= 86_400
            return
        _assert_bounds(answer)
        if case["candles"] is not None:
            assert len(answer.bars) == case["candles"], f"read {len(answer.bars)} of {case}"


def _assert_bounds(answer: Answer) -> None:
    assert answer.dropped >= 0
    assert answer.credits is None or 0 <= answer.credits <= CREDITS_MAX
    assert answer.server_time is None or abs(answer.server_time - _NOW) <= 86_400
    for bar in answer.bars:
        assert is_sound(bar), f"not a candle: {bar}"
        assert type(bar.t) is int and 0 <= bar.t <= _NOW + _AHEAD_MAX, f"time of {bar}"
        assert bar.v is None or 0 <= bar.v <= VOLUME_MAX, f"volume of {bar}"


def _row(random: Random) -> str:
    """Return a sound candle, as numbers or texts."""
    low = round(random.uniform(0.1, 1000), 5)
    t = _NOW - random.randrange(10**8)
    row = [t, low * 1.5, low * 2, low, low * 1.2, random.randrange(10**6)]
    if random.random() < 0.5:
        return "[" + ",".join(map(str, row)) + "]"
    names = zip("tohlcv", row, strict=True)
    return "{" + ",".join(f'"{name}":"{value}"' for name, value in names) + "}"


def _odd_row(random: Random) -> str:
    values = [grammar.odd_number(random, str(_NOW)) for _ in range(random.randrange(3, 8))]
    if random.random() < 0.5:
        return "[" + ",".join(values) + "]"
    names = zip("tohlcvxy", values, strict=False)
    return "{" + ",".join(f'"{name}":{value}' for name, value in names) + "}"


def _envelope(random: Random, rows: list[str], *, is_sound: bool) -> str:
    response = "[" + ",".join(rows) + "]"
    if random.random() < 0.3:
        response = "{" + ",".join(f'"{_NOW + n}":{row}' for n, row in enumerate(rows)) + "}"
    if is_sound:
        return f'{{"status":true,"code":200,"response":{response},"info":{{"credit_count":1}}}}'
    if random.random() < 0.2:
        response = random.choice((grammar.value(random), grammar.nested(random)))
    said = random.choice((grammar.value(random), f'"Invalid access_key {_KEY} of the account"'))
    status = random.choice(("true", "true", "false", grammar.value(random)))
    code = random.choice(("200", "101", "429", grammar.number(random)))
    info = f'{{"credit_count":{grammar.number(random)},"server_time":{grammar.value(random)}}}'
    info = random.choice((info, grammar.value(random)))
    return f'{{"status":{status},"code":{code},"msg":{said},"response":{response},"info":{info}}}'
