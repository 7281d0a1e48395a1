"""Valid and invalid output of a vendor's server: an HTTP answer, then frames."""

from __future__ import annotations

from itertools import accumulate, takewhile
from random import Random
from typing import Any

from lab.kit import grammar

from .line import ACCEPT

__all__ = ["connection"]

_UPGRADE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n\r\n"
)
_HEAD_LINES = (
    *(b"Upgrade: h2c", b"Connection: close", b"Sec-WebSocket-Accept: x", b"Transfer-Encoding: x"),
    *(b"Sec-WebSocket-Extensions: permessage-deflate", b"Sec-WebSocket-Protocol: x", b"X: \xff"),
    *(b"Content-Length: 9999999999999", b"Content-Length: -1", b"Content-Length: x", b"no colon"),
    *(b"Transfer-Encoding: chunked", b": x", b"X" * 9000 + b": 1", b"Sec-WebSocket-Extensions: ;"),
    *(b"Content-Encoding: gzip", b"Set-Cookie: a=b; Path=/", b"Retry-After: -5", b"\x00: \x00"),
)
_STATUSES = (
    *(
        b"101 Switching Protocols",
        b"200 OK",
        b"204 No Content",
        b"400 Bad Request",
        b"100 Continue",
    ),
    *(b"401 Unauthorized", b"403 Forbidden", b"404 ", b"426 Upgrade Required", b"429 Slow Down"),
    *(b"500 x", b"502 Bad Gateway", b"503 \xff", b"999 x", b"0 x", b"-1 x", b"x y", b"", b"1e3 x"),
)
_REDIRECTS = (b"301 x", b"302 Found", b"307 x", b"308 x")
_LOCATIONS = (
    *(b"/", b"", b"ws://vendor.example/ws", b"wss://other.example/", b"http://other.example/"),
    *(b"//[::1", b"ws://[x]/", b"ws://vendor.example:99999/", b"ws://vendor.example:x/", b"\xff"),
    *(b"ws://user:pass@x/", b"javascript:1", b"ws:///", b"?access_key=x", b"ws://xn--/", b"#x"),
    *(b"ws://" + b"a" * 300 + b"/", b"ws://a..b/", b"ws://\xc3\xa9/", b"ws://x:0/", b"wss:x"),
)
_TALK = (
    *('{"type":"welcome"}', '{"type":"welcome","timestamp":1766411426000}', '{"type":"pong"}'),
    *('{"type":"ping","timestamp":1766411426000}', '{"type":"error","short":"x","message":"y"}'),
    '{"type":"message","short":"notice","message":"maintenance"}',
    '{"type":"error","short":"authentication_failed","message":"a-key-that-nobody-may-tell"}',
)
_ENDS = ("close", "close", "reset", "reset", "silence", "refused")
_PAUSES = (0.0, 0.0, 0.0, 0.0, 0.01, 1.0, 30.0)
_SHORT_PAUSES = (0.0, 0.0, 0.01)
_CLOSE_CODES = (1000, 1001, 1002, 1006, 1011, 1015, 4001, 4003, 4999, 0, 999, 65535)

#: Lengths near those at which the form of a frame's header changes.
_LENGTHS = (1, 40, 105, 106, 107, 65_515, 65_516)

#: Lengths that a header may claim although little or no data follows.
_CLAIMS = (0, 1, 125, 126, 127, 65535, 65536, 2**20, 2**20 + 1, 2**31, 2**32, 2**63 - 1, 2**63)

_TEXT, _CONTINUATION, _BINARY, _CLOSE, _PING, _PONG = 0x1, 0x0, 0x2, 0x8, 0x9, 0xA
_FIN = 0x80


def connection(random: Random) -> dict[str, Any]:
    """Draw one connection.

    ``texts`` are the texts that a client must receive, or ``None`` if it is not valid.
    """
    rooms = sorted({_room(random) for _ in range(random.choice((0, 1, 2, 3, 12)))})
    case: dict[str, Any] = {"rooms": rooms, "end": "close", "texts": None}
    case["fresh"] = random.random() < 0.1
    if random.random() < 0.35:
        case["texts"], data = _sound(random)
    elif random.random() < 0.15:
        data = _answer(random) + b"".join(_any_frame(random) for _ in range(random.randrange(3)))
    else:
        data = _UPGRADE + _session(random)
    if case["texts"] is None:
        case["end"] = random.choice(_ENDS)
    elif random.random() < 0.5:
        case["end"] = "reset"
    pauses = _PAUSES if case["texts"] is None else _SHORT_PAUSES
    case["data"], case["cuts"] = data, _cuts(random, len(data), pauses)
    return case


def _room(random: Random) -> str:
    ticker = "EURUSD" if random.random() < 0.5 else f"P{random.randrange(100)}"
    return f"FX:{ticker}_{random.choice(grammar.TIMEFRAMES)}"


def _cuts(random: Random, size: int, pauses: tuple[float, ...]) -> list[tuple[int, float]]:
    """Return up to 30 positions at which to cut ``size`` bytes, each with a pause."""
    kind = random.random()
    if kind < 0.2:
        sizes = []
    elif kind < 0.4:
        sizes = [1] * 30
    else:
        sizes = [random.choice((1, 2, 3, 9, 100, 600, 70_000)) for _ in range(12)]
    stops = accumulate([*sizes, size])
    return [(stop, random.choice(pauses)) for stop in takewhile(lambda stop: stop < size, stops)]


# -- handshakes


def _answer(random: Random) -> bytes:
    """Return an almost valid answer to the handshake, or something else."""
    kind = random.random()
    if kind < 0.3:
        return grammar.damaged(random, _UPGRADE)
    if kind < 0.4:
        return random.randbytes(random.randrange(200))
    if kind < 0.45:
        return b"HTTP/1.1 101 Switching Protocols\r\n" + b"X-Long: y\r\n" * random.randrange(300)
    lines = [b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Accept: " + ACCEPT]
    if kind < 0.7:
        status = random.choice(_REDIRECTS)
        lines.append(b"Location: " + random.choice(_LOCATIONS))
    else:
        status = random.choice(_STATUSES)
    lines += random.sample(_HEAD_LINES, random.randrange(4))
    body = random.choice((b"", b"x" * 50, b"5\r\nhello\r\n0\r\n\r\n", b"\xff" * 3))
    return b"HTTP/1.1 " + b"\r\n".join([status, *lines]) + b"\r\n\r\n" + body


# -- frames


def _sound(random: Random) -> tuple[list[str], bytes]:
    """Return the texts that a client must receive, and a valid connection that sends them."""
    texts = ['{"type":"welcome"}']
    data = [_UPGRADE, _whole(texts[0].encode())]
    for _ in range(random.choice((0, 1, 5, 30))):
        text = _sound_text(random)
        texts.append(text)
        payload = text.encode()
        data.append(_whole(payload) if random.random() < 0.85 else _fragmented(random, payload))
        if random.random() < 0.1:
            data.append(_header(_FIN | random.choice((_PING, _PONG)), 3) + b"abc")
    return texts, b"".join(data)


def _sound_text(random: Random) -> str:
    if random.random() < 0.7:
        return grammar.price(random, '"FX:EURUSD"', f'"{random.choice(grammar.TIMEFRAMES)}"')
    if random.random() < 0.5:
        return random.choice(_TALK[1:-1])
    return f'{{"type":"x","of":"{random.choice(_LENGTHS) * "e"}"}}'


def _session(random: Random) -> bytes:
    """Return data to send after a handshake: usually a welcome, then random frames."""
    parts = [_whole(_TALK[0].encode())] if random.random() < 0.8 else []
    parts += [_any_frame(random) for _ in range(random.choice((0, 1, 3, 8, 20)))]
    data = b"".join(parts)
    return grammar.damaged(random, data) if random.random() < 0.2 else data


def _any_frame(random: Random) -> bytes:
    kind = random.random()
    if kind < 0.55:
        return _whole(_payload(random))
    if kind < 0.7:
        return _fragmented(random, _payload(random))
    if kind < 0.78:
        return _control(random)
    if kind < 0.86:
        return _header(random.randrange(256), random.choice(_CLAIMS), random) + b"x" * 9
    if kind < 0.9:
        # Fragments without a beginning or without an end.
        first = random.choice((_TEXT, _CONTINUATION, _FIN | _CONTINUATION, _BINARY))
        return _header(first, 4) + b"abcd"
    if kind < 0.93:
        return _header(_FIN | _BINARY, 4) + b"\xff\x00\xfe\x01"
    if kind < 0.935:
        return _whole(b"[" * random.choice((2**16, 2**20, 2**20 + 1)))
    if kind < 0.96:
        return _whole(b"\xff" + _payload(random))
    return random.randbytes(random.randrange(60))


def _payload(random: Random) -> bytes:
    kind = random.random()
    if kind < 0.2:
        return random.choice(_TALK).encode()
    if kind < 0.35:
        return _encoded(_confirmation(random))
    if kind < 0.5:
        return grammar.price(random).encode()
    if kind < 0.6:
        return b"[" + b",".join(_payload(random) for _ in range(random.randrange(4))) + b"]"
    return _encoded(grammar.frame(random))


def _encoded(text: str | bytes) -> bytes:
    return text.encode(errors="surrogatepass") if isinstance(text, str) else text


def _confirmation(random: Random) -> str:
    symbol = grammar.symbol(random) if random.random() < 0.3 else '"EURUSD"'
    frame = random.choice(grammar.TIMEFRAMES)
    suffix = random.choice(("_0s", "_1s", "", "_x", "_0s_0s"))
    return (
        '{"type":"message","short":"joined_room","success":true,"message":"x",'
        f'"room":"FX:EURUSD_{frame}{suffix}","symbol":{symbol},"timeframe":"{frame}"}}'
    )


def _whole(payload: bytes) -> bytes:
    return _header(_FIN | _TEXT, len(payload)) + payload


def _fragmented(random: Random, payload: bytes) -> bytes:
    """Return one text as several frames, with control frames between them."""
    parts = [_TEXT]
    cuts = sorted(random.randrange(len(payload) + 1) for _ in range(random.randrange(1, 4)))
    data = b""
    for start, stop in zip([0, *cuts], [*cuts, len(payload)], strict=True):
        is_last = stop == len(payload) and start == (cuts[-1] if cuts else 0)
        data += _header((_FIN if is_last else 0) | parts[0], stop - start) + payload[start:stop]
        parts = [_CONTINUATION]
        if is_last:
            break
        if random.random() < 0.3:
            data += _header(_FIN | _PING, 2) + b"hi"
    return data


def _control(random: Random) -> bytes:
    kind = random.random()
    if kind < 0.3:
        code = random.choice(_CLOSE_CODES).to_bytes(2, "big")
        reason = random.choice((b"", b"bye", b"\xff", b"x" * 123, b"x" * 200))
        payload = random.choice((b"", b"\x03", code + reason, code + reason))
        return _header(_FIN | _CLOSE, len(payload)) + payload
    opcode = random.choice((_PING, _PONG))
    size = random.choice((0, 4, 125, 126, 3000))
    return _header(random.choice((_FIN, _FIN, 0)) | opcode, size) + b"p" * size


def _header(first: int, size: int, random: Random | None = None) -> bytes:
    """Return a frame's header; with ``random`` it may be masked or longer than needed."""
    mask = 0x80 if random and random.random() < 0.3 else 0
    form = random.random() if random else 0.0
    if size < 126 and form < 0.8:
        return bytes((first, mask | size))
    if size < 65536 and form < 0.9:
        return bytes((first, mask | 126)) + size.to_bytes(2, "big")
    return bytes((first, mask | 127)) + size.to_bytes(8, "big")
