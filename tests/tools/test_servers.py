"""A server that ends while clients connect."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

from django_fcs.simulator import RandomWalk, Simulator


async def test_a_simulator_that_ends_while_clients_connect_leaks_no_connection() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        for turns in range(40):
            simulator = Simulator(RandomWalk(rate=0))
            async with simulator:
                port = int(simulator.url.rpartition(":")[2])
                clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
                for client in clients:
                    client.close()
                for _ in range(turns % 4):
                    await asyncio.sleep(0)
        gc.collect()
    assert [str(warning.message) for warning in caught if "transport" in str(warning.message)] == []
