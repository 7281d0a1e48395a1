"""Two sites in one database: stream, status and doctor of the second say so."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from django_fcs.doctor import site_probes
from django_fcs.doctor.examine import Outcome
from django_fcs.layer.bus import lease_line
from django_fcs.management.commands import fcs_status
from django_fcs.prices.paths import PathReport
from django_fcs.sharing.fingerprint import fingerprint
from django_fcs.site import site_store
from django_fcs.streaming.lease import Lease
from django_fcs.streaming.neighbours import is_shared
from django_fcs.tools.tasks import end
from tests.sharing.test_databases import layers
from tests.sharing.test_two_sites import OWN, a_site, leading
from tests.support.checked import PUBSUB
from tests.support.network import black_hole, free_port
from tests.support.redis import redis_server
from tests.support.waiting import eventually
from tests.test_checks import CORE

pytestmark = pytest.mark.usefixtures("clean_loop", "needs_redis")

SHARED = "another site uses this database: set FCS_SITE"
ONE, TWO = {"FCS_API_KEY": "key-of-one"}, {"FCS_API_KEY": "key-of-two"}
both_layers = pytest.mark.parametrize("backend", [PUBSUB, CORE], ids=["pubsub", "core"])


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    port = free_port()
    async with redis_server(port, tmp_path):
        yield port


@contextmanager
def beating_site(port: int, **settings: Any) -> Iterator[None]:
    """A site to whose cache a stream reports."""
    with a_site(port, 0, PUBSUB, **settings):
        path = PathReport(at=time.time(), online=True, reason="")
        site_store().save({}, path)
        yield


@both_layers
@pytest.mark.parametrize(
    "differs", [TWO, {**ONE, "FCS_URL": "wss://another.invalid/ws"}], ids=["key", "address"]
)
async def test_what_differs_is_noticed(differs: dict[str, str], backend: str, port: int) -> None:
    async with leading(port, 0, backend, ONE):
        with a_site(port, 0, backend, **ONE):
            assert not is_shared()
        with a_site(port, 0, backend, **differs):
            assert is_shared()
        with a_site(port, 0, backend, **differs, FCS_SITE="two"):
            assert not is_shared()
        with a_site(port, 0, backend, FCS_API_KEY=""):
            assert not is_shared(), "a web process need not have the key"


async def test_where_nobody_leads_nothing_differs(port: int) -> None:
    with a_site(port, 0, PUBSUB, **TWO):
        assert not is_shared()


async def test_a_stream_of_the_second_site_waits_and_says_so(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with leading(port, 0, PUBSUB, ONE):
        with a_site(port, 0, PUBSUB, **TWO):
            found = lease_line()
            assert found is not None
            line, prefix = found
            async with Lease(line, seconds=20, prefix=prefix, site=fingerprint()) as second:
                waiting = asyncio.ensure_future(second.acquire())
                await eventually(lambda: second.trouble == SHARED)
                assert not second.is_held
                await end(waiting)

    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert SHARED in record.getMessage()
    assert "key-of" not in caplog.text


async def test_the_status_of_the_second_site_says_so(port: int) -> None:
    async with leading(port, 0, PUBSUB, ONE):
        with beating_site(port, **ONE):
            assert status()["reason"] == ""
        with beating_site(port, **TWO):
            assert status()["reason"] == SHARED
        with a_site(port, 0, PUBSUB, **TWO):
            site_store().save({}, PathReport(at=0, online=True, reason=""))
            assert status()["reason"] == f"{SHARED}; no heartbeat from the stream"


class Impatient(fcs_status.Command):
    """The command, which does not wait long for Redis."""

    ask_seconds = 0.05


def status(command: fcs_status.Command | None = None) -> Any:
    out = io.StringIO()
    try:
        call_command(command or "fcs_status", "--json", stdout=out)
    except CommandError as error:
        assert str(error) == json.loads(out.getvalue())["reason"]
    return json.loads(out.getvalue())


def test_a_redis_that_does_not_answer_keeps_the_status_from_nothing(port: int) -> None:
    with black_hole() as (host, hole), beating_site(port, **ONE):
        with override_settings(CHANNEL_LAYERS=layers([f"redis://{host}:{hole}"])):
            channel_layers.backends.clear()
            assert status(Impatient())["reason"] == ""


async def test_the_doctor_of_the_second_site_says_so(port: int) -> None:
    async with leading(port, 0, PUBSUB, ONE):
        with a_site(port, 0, PUBSUB, **ONE):
            (finding,) = site_probes.probe_site()
            assert (finding.outcome, finding.text) == (Outcome.OK, "no mark is needed")
        with a_site(port, 0, PUBSUB, **TWO):
            (finding,) = site_probes.probe_site()
            assert (finding.outcome, finding.text) == (Outcome.BROKEN, SHARED)
            assert 'FCS_SITE = "' in finding.fix and "restart fcs_stream" in finding.fix
    with a_site(port, 1, PUBSUB):
        (finding,) = site_probes.probe_site()
        assert (finding.outcome, "'db1'" in finding.text) == (Outcome.OK, True)


async def test_the_doctor_says_that_a_layer_opens_another_database(port: int) -> None:
    with a_site(port, 1, OWN[PUBSUB]):
        (finding,) = site_probes.probe_site()

    assert finding.outcome is Outcome.BROKEN
    assert "database 1" in finding.text and "FCS_SITE" in finding.fix
