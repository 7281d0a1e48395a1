"""The lease at a real Redis, reached as the site's channel layer reaches it."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import itertools
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import override_settings
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from django_fcs.layer.bus import lease_line
from django_fcs.layer.line import Line
from django_fcs.streaming.lease import _SERVER, Lease
from django_fcs.tools.metrics import counts
from django_fcs.tools.tasks import running
from tests.streaming.leases import FakeRedis
from tests.support.network import free_port
from tests.support.redis import redis_server, sentinel
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop", "needs_redis")

LAYERS = {
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "core": "channels_redis.core.RedisChannelLayer",
}
KEYS = tuple(f"site:{{fcs}}:{name}" for name in ("lease", "epoch", "waiting", "server", "site"))


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    port = free_port()
    async with redis_server(port, tmp_path):
        yield port


@asynccontextmanager
async def lent(*hosts: Any, layer: str = "pubsub", seconds: float = 1.0) -> AsyncIterator[Lease]:
    """A process of a site with such a channel layer."""
    config = {"hosts": list(hosts), "prefix": "site"}
    layers = {"default": {"BACKEND": LAYERS[layer], "CONFIG": config}}
    with override_settings(CHANNEL_LAYERS=layers):
        channel_layers.backends.clear()
        found = lease_line()
    assert found is not None
    line, prefix = found
    async with Lease(line, seconds=seconds, prefix=prefix) as lease:
        yield lease


@asynccontextmanager
async def patient(address: str) -> AsyncIterator[Lease]:
    """One whose questions a machine that stands still for a second or two does not fail."""
    async with lent(address, seconds=6) as lease:
        await know(lease)
        yield lease


# -- how it is reached


async def _by_url(stack: AsyncExitStack, folder: Path, port: int) -> Any:
    return f"redis://127.0.0.1:{port}/3"


async def _by_host_and_password(stack: AsyncExitStack, folder: Path, port: int) -> Any:
    async with Redis(port=port) as admin:
        await admin.config_set("requirepass", "secret")
    return {"host": "127.0.0.1", "port": port, "password": "secret"}


async def _by_tls(stack: AsyncExitStack, folder: Path, port: int) -> Any:
    own = free_port()
    paths = certificate(folder)
    options = [("tls-port", own), ("tls-cert-file", paths[0]), ("tls-key-file", paths[1])]
    options += [("tls-ca-cert-file", paths[0]), ("tls-auth-clients", "no")]
    arguments = [part for name, value in options for part in (f"--{name}", str(value))]
    await stack.enter_async_context(redis_server(0, folder, *arguments, answers_at=own))
    return {"address": f"rediss://127.0.0.1:{own}", "ssl_ca_certs": str(paths[0])}


async def _by_sentinel(stack: AsyncExitStack, folder: Path, port: int) -> Any:
    own = free_port()
    await stack.enter_async_context(sentinel(own, folder, of=port))
    return {"sentinels": [("127.0.0.1", own)], "master_name": "site"}


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "redis.crt", folder / "redis.key"
    encoding = serialization.Encoding.PEM
    paths[0].write_bytes(signed.public_bytes(encoding))
    paths[1].write_bytes(
        key.private_bytes(
            encoding,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("way", [_by_url, _by_host_and_password, _by_tls, _by_sentinel])
async def test_it_is_lent_wherever_the_layer_finds_its_redis(
    way: Callable[..., Any],
    layer: str,
    port: int,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "django_fcs")
    async with AsyncExitStack() as stack:
        host = await way(stack, tmp_path, port)
        first = await stack.enter_async_context(lent(host, layer=layer, seconds=6))
        second = await stack.enter_async_context(lent(host, layer=layer, seconds=6))
        # Else it would lend to nobody for the first 6 s.
        await asyncio.wait_for(know(first), 20)
        before = await asyncio.wait_for(first.acquire(), 20)
        waiting = asyncio.ensure_future(second.acquire())
        await stack.enter_async_context(running(first.keep()))
        await eventually(lambda: "standing by" in caplog.text)
        assert first.is_held and not second.is_held
        assert await first.release()
        assert await asyncio.wait_for(waiting, 20) > before


async def know(lease: Lease) -> None:
    """Be a Redis that has lent before."""
    run = await lease._redis.ask(b"EVAL", _SERVER + b"return server", b"0")
    assert isinstance(run, bytes) and len(run) == 40
    await lease._redis.ask(b"MSET", KEYS[1].encode(), b"1", KEYS[3].encode(), run)


def test_other_layers_have_no_place_for_it() -> None:
    assert lease_line() is None


async def test_of_several_servers_the_first_lends(port: int) -> None:
    async with lent(f"redis://127.0.0.1:{port}", f"redis://127.0.0.1:{free_port()}") as lease:
        assert await asyncio.wait_for(lease.acquire(), 60)


# -- what the scripts do


async def test_the_scripts_do_what_the_tests_believe(port: int) -> None:
    """Any order of calls: the model that the properties are proved on answers alike."""
    line = Line(Redis(port=port).connection_pool)
    async with Redis(port=port) as admin:
        model = FakeRedis(lambda: 0.0)
        lease = Lease(line, seconds=60, prefix="site")
        scripts = list(model._scripts)
        server = (await admin.info("server"))["run_id"]
        for known, step in itertools.product(range(3), range(3**5)):
            await admin.flushall()
            model.lose_all()
            if known:
                await admin.set(KEYS[1], 5)
                model.epoch = 5
            if known == 2:
                await admin.set(KEYS[3], server)
                model.know(5)
            for digit in (step // 3**place % 3 for place in range(5)):
                for token in (b"one", b"other")[: 1 + digit % 2]:
                    script = scripts[digit]
                    # The other stream is of another site in every second sequence.
                    site = b"site of " + token if step % 2 else b"site"
                    words = (b"EVAL", script, b"5", *lease._keys, token, b"60000", site)
                    said, believed = await line.ask(*words), model.obey(*words)
                    assert isinstance(said, bytes)
                    assert meaning(said) == meaning(believed), (step, script, token)
    await line.close()


def meaning(reply: bytes) -> tuple[int | str, bytes]:
    """Times differ, of course."""
    number, _, site = reply.partition(b" ")
    answer = int(number)
    if answer < -1:
        return "later", site
    return ("epoch", b"") if answer > 1 else (answer, site)


async def test_an_epoch_is_above_any_that_redis_ever_knew(port: int) -> None:
    async with Redis(port=port, decode_responses=True) as admin:
        ahead = int(time.time() * 1000) + 86_400_000
        await admin.set(KEYS[1], ahead)
        async with lent(f"redis://127.0.0.1:{port}") as lease:
            assert await lease.acquire() == ahead + 1
            assert await admin.get(KEYS[1]) == str(ahead + 1)
            await admin.flushall()
            seconds, micros = await admin.time()
            assert await lease.acquire() >= seconds * 1000 + micros // 1000


async def test_a_redis_that_starts_from_a_snapshot_lends_to_nobody_while_one_may_lead(
    tmp_path: Path,
) -> None:
    port = free_port()
    address = f"redis://127.0.0.1:{port}"
    async with lent(address, seconds=4) as leader, lent(address, seconds=4) as other:
        async with redis_server(port, tmp_path) as process, Redis(port=port) as admin:
            before = await leader.acquire()
            await leader.release()
            await admin.save()
            assert await leader.acquire() > before
            process.kill()
            await process.wait()
        async with redis_server(port, tmp_path):
            assert leader.is_held
            assert await asyncio.wait_for(other.acquire(), 20) > before
            assert not leader.is_held


async def test_a_redis_that_has_kept_the_lease_and_runs_anew_is_known_again(port: int) -> None:
    address = f"redis://127.0.0.1:{port}"
    async with Redis(port=port, decode_responses=True) as admin, patient(address) as lease:
        await lease.acquire()
        run = await admin.get(KEYS[3])
        assert isinstance(run, str)
        await admin.set(KEYS[3], "the run before")
        async with running(lease.keep()):
            await eventually(lambda: is_at(admin, KEYS[3], run))
        assert lease.is_held


async def is_at(admin: Redis, key: str, value: str) -> bool:
    return await admin.get(key) == value


async def test_where_it_may_not_be_asked_for_its_run_it_lends_all_the_same(port: int) -> None:
    address = f"redis://127.0.0.1:{port}"
    async with Redis(port=port) as admin:
        await admin.acl_setuser("default", enabled=True, commands=["-info"])
        async with lent(address) as lease, lent(address, seconds=10) as other:
            before = await asyncio.wait_for(lease.acquire(), 20)
            assert await admin.get(KEYS[3]) == b""
            await lease.release()
            began = time.monotonic()
            assert await asyncio.wait_for(other.acquire(), 20) > before
            assert time.monotonic() - began < 10, "it is not taken for one that runs again"


async def test_a_leader_goes_on_where_redis_is_out_of_memory(port: int) -> None:
    address = f"redis://127.0.0.1:{port}"
    async with Redis(port=port) as admin, patient(address) as lease, patient(address) as other:
        await lease.acquire()
        await admin.config_set("maxmemory", 1)
        keeping = asyncio.ensure_future(lease.keep())
        waiting = asyncio.ensure_future(other.acquire())
        left = [await admin.pttl(KEYS[0])]
        await eventually(lambda: grown(admin, left), what="a lease that is renewed")
        assert (lease.trouble, other.trouble) == ("", "")
        await lease.release()
        await keeping
        await eventually(lambda: "OOM" in other.trouble)
        await admin.config_set("maxmemory", 0)
        assert await asyncio.wait_for(waiting, 60)


async def grown(admin: Redis, left: list[int]) -> bool:
    left.append(await admin.pttl(KEYS[0]))
    return left[-1] > left[-2]


async def test_a_connection_that_is_lost_is_replaced_in_time(port: int) -> None:
    async with Redis(port=port) as admin, patient(f"redis://127.0.0.1:{port}") as lease:
        await lease.acquire()
        keeping = asyncio.ensure_future(lease.keep())
        assert await admin.client_kill_filter(skipme=True, _type="normal") == 1
        await eventually(lambda: counts().get("stream_lease_failures"))
        left = [await admin.pttl(KEYS[0])]
        await eventually(lambda: grown(admin, left), what="a lease that is renewed")
        assert lease.is_held
        await lease.release()
        await keeping


# -- one connection for questions


async def test_who_gives_up_waiting_leaves_no_answer_to_the_next(tmp_path: Path) -> None:
    own = free_port()
    async with redis_server(own, tmp_path) as process:
        line = Line(Redis(port=own).connection_pool)
        assert await line.ask(b"ECHO", b"one") == b"one"
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(line.ask(b"ECHO", b"two"), 0.05)
        process.send_signal(signal.SIGCONT)
        assert await line.ask(b"ECHO", b"three") == b"three"
        process.kill()
        await process.wait()
        for _ in range(2):
            with pytest.raises((ConnectionError, RedisConnectionError)):
                await line.ask(b"ECHO", b"four")
        await line.close()


async def test_who_asks_meanwhile_waits_and_opens_no_second_connection(port: int) -> None:
    line = Line(Redis(port=port).connection_pool)
    words = [str(number).encode() for number in range(20)]
    answers = await asyncio.gather(*(line.ask(b"ECHO", word) for word in words))
    async with Redis(port=port) as admin:
        assert len(await admin.client_list()) == 2
    await line.close()

    assert answers == words


@pytest.mark.parametrize("stored", ["nonsense", "nan", "inf", str(2**62), "9000000000000"])
async def test_an_epoch_that_none_can_follow_counts_as_lost(port: int, stored: str) -> None:
    async with Redis(port=port) as redis, lent(f"redis://127.0.0.1:{port}") as lease:
        await know(lease)
        await redis.set(KEYS[1], stored)
        epoch = await asyncio.wait_for(lease.acquire(), 60)

    assert abs(epoch - time.time() * 1000) < 3_600_000
