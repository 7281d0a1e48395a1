"""A Redis that does not lend the lease: the stream and the doctor say why, and what to change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers
from django.test import override_settings
from redis.asyncio import Redis
from redis.connection import DefaultParser

from django_fcs.doctor.site_probes import probe_redis
from django_fcs.layer.bus import lease_line
from django_fcs.streaming.lease import Lease, lease_keys
from django_fcs.streaming.redis_errors import sentence_of
from django_fcs.tools.texts import REASON_MAX
from tests.support.network import free_port
from tests.support.redis import redis_server
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop", "needs_redis")

LAYERS = ("pubsub.RedisPubSubChannelLayer", "core.RedisChannelLayer")


def site(address: str, *, layer: str = LAYERS[0], prefix: str = "site") -> Any:
    """Return the settings of a site with such a channel layer."""
    config = {"hosts": [address], "prefix": prefix}
    backend = {"BACKEND": f"channels_redis.{layer}", "CONFIG": config}
    return override_settings(CHANNEL_LAYERS={"default": backend})


@asynccontextmanager
async def lease_at(address: str, **options: str) -> AsyncIterator[Lease]:
    with site(address, **options):
        channel_layers.backends.clear()
        found = lease_line()
    assert found is not None
    async with Lease(found[0], seconds=1, prefix=found[1]) as lease:
        yield lease


async def trouble_at(address: str, **options: str) -> str:
    """Return what a stream says that asks for the lease in vain."""
    async with lease_at(address, **options) as lease:
        asking = asyncio.ensure_future(lease.acquire())
        await eventually(lambda: lease.trouble)
        asking.cancel()
        return lease.trouble


async def doctor_at(address: str, **options: str) -> tuple[str, str, str]:
    """Return what the doctor finds: outcome, text and fix."""
    with site(address, **options):
        channel_layers.backends.clear()
        [finding] = await asyncio.to_thread(probe_redis)
    return finding.outcome.value, finding.text, finding.fix


# -- Redis in cluster mode


@asynccontextmanager
async def node(folder: Path) -> AsyncIterator[tuple[int, Redis]]:
    """Run a Redis in cluster mode, without slots; yield its port and a client."""
    port, bus = free_port(), free_port()
    _make(folder)
    options = ("--cluster-enabled", "yes", "--cluster-port", str(bus))
    async with redis_server(port, folder, *options), Redis(port=port) as admin:
        yield port, admin


def _make(folder: Path) -> None:
    folder.mkdir()


async def is_ready(admin: Redis) -> bool:
    said = await admin.execute_command("CLUSTER INFO")
    # Older releases of redis-py return the text.
    return "cluster_state:ok" in (
        said.decode() if isinstance(said, bytes) else f"cluster_state:{said['cluster_state']}"
    )


@asynccontextmanager
async def one_node(folder: Path) -> AsyncIterator[tuple[str, Redis]]:
    async with node(folder) as (port, admin):
        await admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        await eventually(lambda: is_ready(admin))
        yield f"redis://127.0.0.1:{port}", admin


@pytest.mark.parametrize("layer", LAYERS)
async def test_a_cluster_of_one_node_lends_and_the_doctor_says_so(
    layer: str, tmp_path: Path
) -> None:
    async with one_node(tmp_path / "node") as (address, admin):
        assert (await doctor_at(address, layer=layer))[0] == "ok"
        assert await admin.keys() == []
        async with lease_at(address, layer=layer) as lease:
            assert await asyncio.wait_for(lease.acquire(), 30)
            assert (await doctor_at(address, layer=layer))[0] == "ok"
            assert lease.is_held


async def test_braces_in_the_prefix_that_scatter_the_keys_are_named(tmp_path: Path) -> None:
    async with one_node(tmp_path / "node") as (address, _):
        outcome, text, fix = await doctor_at(address, prefix="a{}")
        trouble = await trouble_at(address, prefix="a{}")

    assert (outcome, fix) == ("broken", 'Remove the braces from "prefix" in CHANNEL_LAYERS.')
    assert "CROSSSLOT" in text and "CROSSSLOT" in trouble
    assert trouble.endswith(fix)


async def test_a_database_in_cluster_mode_is_said_not_to_exist(tmp_path: Path) -> None:
    async with one_node(tmp_path / "node") as (address, _):
        outcome, text, fix = await doctor_at(f"{address}/1")

    assert (outcome, "only database 0" in text, "FCS_SITE" in fix) == ("broken", True, True)


async def test_a_cluster_of_two_nodes_is_said_to_be_unsupported(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        ports, nodes = zip(
            *[await stack.enter_async_context(node(tmp_path / name)) for name in "ab"], strict=True
        )
        for admin, (first, last) in zip(nodes, [(0, 8191), (8192, 16383)], strict=True):
            await admin.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        bus = await nodes[1].config_get("cluster-port")
        meet = ("CLUSTER", "MEET", "127.0.0.1", ports[1], int(bus["cluster-port"]))
        await nodes[0].execute_command(*meet)
        for admin in nodes:
            await eventually(lambda admin=admin: is_ready(admin))
        slot = await nodes[0].execute_command("CLUSTER", "KEYSLOT", lease_keys("site")[0])
        other = f"redis://127.0.0.1:{ports[0 if slot > 8191 else 1]}"
        outcome, text, fix = await doctor_at(other)
        trouble = await trouble_at(other)

    assert outcome == "broken"
    assert "several nodes, which is not supported" in text and "MOVED" in text
    assert "several nodes, which is not supported" in trouble and trouble.endswith(fix)


# -- a Redis that refuses


async def _no_rights(admin: Redis) -> None:
    await admin.acl_setuser("default", enabled=True, commands=["-eval"])


async def _no_rights_in_the_script(admin: Redis) -> None:
    await admin.acl_setuser("default", enabled=True, commands=["-pexpire"])


async def _no_rights_on_the_keys(admin: Redis) -> None:
    await admin.acl_setuser("default", enabled=True, reset_keys=True, keys=["other:*"])


async def _a_password(admin: Redis) -> None:
    await admin.config_set("requirepass", "secret")


async def _a_replica(admin: Redis) -> None:
    await admin.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))


async def _no_replicas(admin: Redis) -> None:
    await admin.config_set("min-replicas-to-write", 1)


async def _no_memory(admin: Redis) -> None:
    await admin.config_set("maxmemory", 1)


REFUSALS: dict[Callable[[Redis], Any], tuple[str, str]] = {
    _no_rights: ("lacks rights", "EVAL, GET, SET"),
    _no_rights_on_the_keys: ("lacks rights", "begin with the layer's prefix"),
    _a_password: ("does not accept the user or the password", "Correct user and password"),
    _a_replica: ("is a replica", "the master"),
    _no_replicas: ("too few replicas", "min-replicas-to-write"),
    _no_memory: ("out of memory", "Raise maxmemory"),
}


@pytest.mark.parametrize("refuse", REFUSALS, ids=lambda refuse: refuse.__name__.strip("_"))
async def test_a_refusal_is_named_with_its_fix_in_the_doctor_and_in_the_log(
    refuse: Callable[[Redis], Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    async with redis_server(port, tmp_path), Redis(port=port) as admin:
        await refuse(admin)
        outcome, text, fix = await doctor_at(f"redis://127.0.0.1:{port}")
        trouble = await trouble_at(f"redis://127.0.0.1:{port}")

    meaning, change = REFUSALS[refuse]
    assert outcome == "broken"
    assert meaning in text and meaning in trouble
    assert change in fix and trouble.endswith(fix)
    assert f"cannot request the lease reason={trouble}" in caplog.text


async def test_a_database_that_redis_does_not_have_is_named(tmp_path: Path) -> None:
    port = free_port()
    async with redis_server(port, tmp_path):
        outcome, text, fix = await doctor_at(f"redis://127.0.0.1:{port}/99")
        trouble = await trouble_at(f"redis://127.0.0.1:{port}/99")

    assert (outcome, "does not have this database" in text) == ("broken", True)
    assert 'Raise "databases"' in fix and trouble.endswith(fix)


async def test_a_key_of_another_program_is_named(tmp_path: Path) -> None:
    port = free_port()
    async with redis_server(port, tmp_path), Redis(port=port) as admin:
        await admin.execute_command("LPUSH", lease_keys("site")[0], "x")
        trouble = await trouble_at(f"redis://127.0.0.1:{port}")

    assert "another program stores other values" in trouble


async def test_a_right_that_only_renewing_needs_is_missed_by_the_doctor_too(tmp_path: Path) -> None:
    port = free_port()
    async with redis_server(port, tmp_path), Redis(port=port) as admin:
        await _no_rights_in_the_script(admin)
        outcome, text, fix = await doctor_at(f"redis://127.0.0.1:{port}")

    assert (outcome, "lacks rights" in text, "PEXPIRE" in fix) == ("broken", True, True)


async def test_a_redis_without_eval_is_named(tmp_path: Path) -> None:
    port = free_port()
    async with redis_server(port, tmp_path, "--rename-command", "EVAL", ""):
        outcome, text, fix = await doctor_at(f"redis://127.0.0.1:{port}")

    assert (outcome, "does not run scripts" in text) == ("broken", True)
    assert fix.startswith("Allow EVAL there")


async def test_the_doctor_leaves_no_key_and_no_lease(tmp_path: Path) -> None:
    port = free_port()
    async with redis_server(port, tmp_path), Redis(port=port) as admin:
        assert (await doctor_at(f"redis://127.0.0.1:{port}"))[0] == "ok"
        assert await admin.keys() == []


async def test_no_redis_at_all_is_no_lease(caplog: pytest.LogCaptureFixture) -> None:
    outcome, text, fix = await doctor_at(f"redis://127.0.0.1:{free_port()}")

    assert outcome == "broken"
    assert text.startswith("no stream can lead: Redis does not lend the lease (")
    assert "Start Redis, or correct hosts" in fix


def test_in_memory_there_is_no_lease_to_try() -> None:
    [finding] = probe_redis()

    assert finding.outcome.value == "ok"


# -- texts


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("ERR Error running script: @user_script: 5: -NOPERM this user", "lacks rights"),
        ("NOPERM User x has no permissions to run the 'eval' command", "lacks rights"),
        ("This user has no permissions to access a key", "lacks rights"),
        ("ERR Protocol error: unauthenticated multibulk length", "user or the password"),
        ("ASK 3999 127.0.0.1:6381", "several nodes"),
        ("You can't write against a read only replica.", "is a replica"),
        ("WRONGPASS invalid username-password pair", "user or the password"),
        ("ERR unknown command 'EVAL', with args beginning with:", "does not run scripts"),
        ("Unknown Redis command called from script", "does not run scripts"),
        ("command 'eval' is disabled", "does not run scripts"),
        ("ERR scripting disabled by the administrator", "does not run scripts"),
        ("MISCONF Redis is configured to save RDB snapshots", "cannot save"),
        ("ERR max number of clients reached", "too many clients"),
        ("ERR SELECT is not allowed in cluster mode", "only database 0"),
        ("ERR unknown command 'SELECT', with args beginning with: '1'", "only database 0"),
        ("ERR unknown command `SELECT`", "only database 0"),
        ("DB index is out of range", "does not have this database"),
        ("ERR invalid DB index", "does not have this database"),
        (
            "AUTH <password> called without any password configured for the default user. Are you "
            "sure your configuration is correct?",
            "has no password",
        ),
        ("Client sent AUTH, but no password is set", "has no password"),
        ("wrong number of arguments for 'auth' command", "user or the password"),
        ("LOADING Redis is loading the dataset in memory", "still loading"),
        ("Redis is loading the dataset in memory", "still loading"),
        ("BUSY Redis is busy running a script.", "keeps Redis busy"),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", "other values"),
    ],
)
def test_errors_are_known_by_code_or_by_the_words_of_redis_py(text: str, meaning: str) -> None:
    assert meaning in sentence_of(text) and text in sentence_of(text)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("CROSSSLOT Keys in request don't hash to the same slot", "several hash slots"),
        ("MOVED 866 127.0.0.1:7001", "several nodes"),
        ("ASK 866 127.0.0.1:7001", "several nodes"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "several nodes"),
        ("CLUSTERDOWN Hash slot not served", "does not serve all hash slots"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "out of memory"),
        ("MASTERDOWN Link with MASTER is down", "its master is down"),
        ("LOADING Redis is loading the dataset in memory", "still loading"),
        ("READONLY You can't write against this one.", "accepts no writes"),
        ("NOPERM not for you", "lacks rights"),
        ("WRONGPASS no", "user or the password"),
        ("ERR invalid password", "user or the password"),
        ("ERR Client sent AUTH, but no password is set", "has no password"),
        ("ERR DB index is out of range", "does not have this database"),
    ],
)
def test_errors_are_known_as_redis_py_raises_them(text: str, meaning: str) -> None:
    # An instance: in older releases this is no class method.
    error = DefaultParser(65536).parse_error(text)

    assert meaning in sentence_of(error)


@pytest.mark.parametrize(
    "text",
    [
        "ERR This instance has cluster support disabled",
        "Unix socket disabled by firewall",
        "Error 111 connecting to scripts.disabled.example:6379. Connection refused.",
    ],
)
def test_not_all_that_is_disabled_is_scripts(text: str) -> None:
    assert sentence_of(text) == text


def test_other_errors_keep_their_text_in_one_short_line() -> None:
    said = sentence_of("SOMETHING\n2026 CRITICAL forged " + "x" * 1000)

    assert said.startswith("SOMETHING 2026 CRITICAL forged xxx")
    assert len(said) == REASON_MAX
