"""The vendor's own Python client, as its README uses it; prints what it gets.

Usage: python tests/e2e/vendor_client.py URL SYMBOL TIMEFRAME [SYMBOL TIMEFRAME …]
"""

from __future__ import annotations

import json
import sys
from typing import Any

from fcs_client_lib import FCSClient  # type: ignore[import-untyped]


def main(url: str, *rooms: str) -> None:
    client = FCSClient("the-key-of-a-visitor", url)

    def tell(**what: Any) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()

    def join() -> None:
        for symbol, timeframe in zip(rooms[::2], rooms[1::2], strict=True):
            client.join(symbol, timeframe)

    client.onconnected = join
    client.onreconnect = lambda: tell(reconnected=True)
    client.onmessage = lambda data: tell(message=data)
    client.connect()
    client.run_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
