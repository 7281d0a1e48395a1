"""``manage.py fcs_doctor`` and what it asks another process of the site."""

from __future__ import annotations

from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from django_fcs.doctor.waits import Waits
from django_fcs.simulator import RandomWalk, Simulator
from tests.doctor.conftest import no_vendor
from tests.doctor.doctors import KEY, LONELY, NOTHING, Line, examined
from tests.e2e.site import season
from tests.support.layers import SHARED
from tests.support.network import answers, free_port
from tests.support.redis import redis_server
from tests.support.serving import python
from tests.support.waiting import eventually

__all__ = ["no_vendor"]


#: Another process of the site has to start first, on a machine that may be busy.
WAITS = Waits(welcome=0.5, hear=0.2, ask=60, layer=90, probe=120)


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let other processes of the site have these settings too."""

    def settings(**settings: Any) -> dict[str, Any]:
        lines = [f"{name} = {value!r}" for name, value in settings.items()]
        module = tmp_path / "settings_of_another.py"
        module.write_text("\n".join(["from tests.settings import *", *lines]))
        return settings

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "settings_of_another")
    return settings


@pytest.mark.usefixtures("no_vendor", "shared_layer")
def test_a_layer_and_a_cache_in_memory_with_two_processes(another: Any) -> None:
    report = examined(waits=WAITS, **another(CHANNEL_LAYERS=SHARED, CACHES=LONELY))

    assert report["layer"].outcome == "ok"
    assert report["processes"].outcome == "broken"
    assert "channels_redis.pubsub.RedisPubSubChannelLayer" in report["processes"].fix
    assert "another process does not find" in report["cache"].text
    assert "django.core.cache.backends.redis.RedisCache" in report["cache"].fix


@pytest.mark.usefixtures("no_vendor", "shared_layer")
def test_a_cache_that_all_processes_share(another: Any, tmp_path: Path) -> None:
    files = {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(tmp_path / "cache"),
    }
    report = examined(waits=WAITS, **another(CHANNEL_LAYERS=SHARED, CACHES={"default": files}))

    assert report["cache"] == Line("ok", "'default' keeps values for all processes", "")
    assert not list((tmp_path / "cache").glob("*.djcache"))


@pytest.mark.usefixtures("no_vendor", "shared_layer")
def test_a_cache_that_keeps_nothing(another: Any) -> None:
    report = examined(waits=WAITS, **another(CHANNEL_LAYERS=SHARED, CACHES=NOTHING))

    assert "keeps nothing" in report["cache"].text
    assert "django.core.cache.backends.redis.RedisCache" in report["cache"].fix


@pytest.mark.usefixtures("no_vendor", "shared_layer")
@pytest.mark.parametrize("settings", ["raise RuntimeError('no luck')", "import os; os._exit(3)"])
def test_another_process_that_cannot_start(settings: str, another: Any, tmp_path: Path) -> None:
    site = another(CHANNEL_LAYERS=SHARED, CACHES=LONELY)
    (tmp_path / "settings_of_another.py").write_text(settings)
    report = examined(waits=WAITS, **site)

    assert report["processes"].outcome == report["cache"].outcome == "broken"
    reason = "RuntimeError: no luck" if "raise" in settings else "exit code 3"
    assert reason in report["processes"].text
    assert reason in report["cache"].text


@pytest.mark.usefixtures("no_vendor", "shared_layer")
def test_another_process_that_takes_for_ever(another: Any, tmp_path: Path) -> None:
    site = another(CHANNEL_LAYERS=SHARED, CACHES=LONELY)

    assert (
        "no answer in 0.05 s" in examined(waits=replace(WAITS, ask=0.05), **site)["processes"].text
    )


# -- with a real Redis and a real web server


@asynccontextmanager
async def whole_site(folder: Path) -> AsyncIterator[tuple[int, dict[str, str]]]:
    """Run everything that the example project needs in production."""
    redis, port = free_port(), free_port()
    async with redis_server(redis, folder), Simulator(RandomWalk(rate=0)) as simulator:
        await season(redis)
        env = {
            "DJANGO_DEBUG": "0",
            "FCS_REDIS_URL": f"redis://127.0.0.1:{redis}/0",
            "FCS_URL": simulator.url,
            "FCS_API_KEY": KEY,
        }
        server = ("-m", "uvicorn", "--log-level", "warning", "--port", str(port))
        async with (
            python(*server, "example_project.asgi:application", env=env),
            python("manage.py", "fcs_stream", env=env, stderr=DEVNULL),
        ):
            await eventually(lambda: answers(port) and simulator.connections, within=30)
            await streaming(env)
            yield port, env


async def streaming(env: dict[str, str]) -> None:
    """Wait until a stream runs and is online."""
    check, code = ("manage.py", "fcs_stream", "--check"), 1
    while code:  # The time limit is that of the test.
        async with python(*check, env=env, stderr=DEVNULL) as process:
            code = await process.wait()


@pytest.mark.usefixtures("needs_redis")
async def test_a_whole_site_is_well_and_the_command_ends_with_0(tmp_path: Path) -> None:
    async with whole_site(tmp_path) as (port, env):
        doctor = ("manage.py", "fcs_doctor", "--url", f"http://127.0.0.1:{port}")
        async with python(*doctor, env=env, stderr=PIPE) as process:
            out, complaint = await process.communicate()

    lines = out.decode().splitlines()
    assert {line.split()[0] for line in lines} == {"ok"}, out.decode()
    assert {line.split()[1] for line in lines} >= {"site", "stream", "server"}
    assert (process.returncode, complaint) == (0, b"")
    assert KEY not in out.decode()
