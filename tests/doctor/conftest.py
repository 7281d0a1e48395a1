"""The vendor of a site that the doctor examines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from django_fcs.simulator import RandomWalk, Simulator
from tests.support.beside import simulator_beside
from tests.support.network import free_port


@pytest.fixture
def vendor() -> Iterator[Simulator]:
    with simulator_beside(RandomWalk(rate=0)) as simulator:
        with override_settings(FCS_URL=simulator.url):
            yield simulator


@pytest.fixture
def no_vendor() -> Iterator[None]:
    """For tests without a feed: connections are refused at once."""
    with override_settings(FCS_URL=f"ws://127.0.0.1:{free_port()}"):
        yield
