"""Each server, with its line of docs/servers.md, does what the table of that page says."""

from __future__ import annotations

import sys

import pytest

from django_fcs.consumers import CLOSE_FOREIGN_ORIGIN, MERGE_PROTOCOL
from tests.e2e.servers import GROWTH_MAX, PAGE, SERVERS, row, visit


@pytest.mark.parametrize("server", SERVERS)
async def test_a_server_does_what_the_table_says(server: str) -> None:
    seen = await visit(server)

    assert seen.subprotocol == MERGE_PROTOCOL
    assert seen.foreign.code == seen.renamed.code == CLOSE_FOREIGN_ORIGIN
    assert "origin" in seen.foreign.told and "Host" in seen.renamed.told
    assert seen.growth < GROWTH_MAX or server == "Hypercorn"
    if sys.version_info < (3, 12):
        # Hypercorn stops there: https://github.com/pgjones/hypercorn/issues/308
        seen = seen._replace(stopped=seen.stopped if server != "Hypercorn" else None)
    assert row(server, seen) in PAGE.read_text().splitlines()
