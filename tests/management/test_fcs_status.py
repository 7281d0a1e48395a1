"""``manage.py fcs_status`` and ``fcs_stream --check``: how the stream does, from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from django_fcs import quotes
from django_fcs.management.commands import fcs_status, fcs_stream
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.store import CacheStore, LastValue
from django_fcs.protocol import Price, serialise
from django_fcs.rooms import Room
from django_fcs.site import site_store
from tests.support.layers import SharedLayer

pytestmark = pytest.mark.versions

KEY = "a-key-of-the-tests"
NOW = 1_795_305_700.0
EURUSD, USDJPY = Room("FX:EURUSD", "1D"), Room("FX:USDJPY", "1D")


class Status(fcs_status.Command):
    """The command, which waits for no second heartbeat: the time of these tests has passed."""

    heartbeat_seconds = 0.0


class StreamCommand(fcs_stream.Command):
    """The command, which waits for no second heartbeat either."""

    heartbeat_seconds = 0.0


COMMANDS = {"fcs_status": Status, "fcs_stream": StreamCommand}


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (fcs_status, fcs_stream, quotes):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: NOW))


@pytest.fixture
def site(shared_layer: type[SharedLayer], tmp_path: Path) -> Iterator[CacheStore]:
    """A site of many processes, whose cache they share."""
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": tmp_path}}):
        store = site_store()
        assert isinstance(store, CacheStore)
        yield store


def report(*rooms: Room, **fields: Any) -> Report:
    known = {
        **{"at": NOW, "epoch": 1_795_305_600_123, "rooms": tuple(map(str, rooms))},
        **{"joined": len(rooms), "updates_per_second": 31.04, "last_at": NOW - 0.2},
        **{"leader": True, "counts": {"stream_updates": 1234567, "upstream_lost": 2}},
        **fields,
    }
    return Report(**known)


def value(room: Room, *, age: float, delay: int | None = None) -> LastValue:
    price = Price(
        symbol=room.symbol,
        timeframe=room.timeframe,
        mode="candle",
        c=1.5,
        delay=delay,
        seq=1,
        at=NOW - age,
    )
    return LastValue(serialise(price))


async def keep(
    store: CacheStore,
    *rooms: Room,
    age: float = 0,
    silence: float = 0,
    online: bool = True,
    **fields: Any,
) -> None:
    reason = "" if online else "too many connections"
    beat = PathReport(NOW - age, online, reason, silence=silence)
    await store.asave({EURUSD: value(EURUSD, age=1.5)}, beat, report(*rooms, **fields))


def run(command: str, *arguments: str) -> tuple[int, str]:
    """Run a command; its exit code and the reason it gives."""
    try:
        call_command(COMMANDS[command](), *arguments)
    except CommandError as error:
        assert "\n" not in str(error)
        return error.returncode, str(error)
    return 0, ""


BOTH = pytest.mark.parametrize("command", [("fcs_stream", "--check"), ("fcs_status",)], ids=str)


# -- the verdict of both


@BOTH
async def test_a_stream_that_beats_and_is_online_is_well(
    site: CacheStore, command: tuple[str, ...]
) -> None:
    await keep(site, EURUSD)

    assert run(*command) == (0, "")


@BOTH
def test_a_stream_that_never_ran_is_told(site: CacheStore, command: tuple[str, ...]) -> None:
    assert run(*command) == (1, "no heartbeat from the stream")


@BOTH
async def test_a_stream_that_is_silent_is_told(site: CacheStore, command: tuple[str, ...]) -> None:
    await keep(site, EURUSD, age=11)
    assert run(*command) == (1, "no heartbeat from the stream")

    with override_settings(FCS_OFFLINE_AFTER_SECONDS=60):
        assert run(*command) == (0, "")


@BOTH
async def test_a_beat_from_the_future_is_no_sign_of_life(
    site: CacheStore, command: tuple[str, ...]
) -> None:
    await keep(site, EURUSD, age=-3600)
    assert run(*command) == (1, "no heartbeat from the stream")

    # Two machines are never quite of one time.
    await keep(site, EURUSD, age=-2)
    assert run(*command) == (0, "")


@BOTH
async def test_a_stream_without_the_vendor_is_told_with_the_cause(
    site: CacheStore, command: tuple[str, ...]
) -> None:
    await keep(site, EURUSD, online=False)
    reason = "the stream has no connection to the vendor: too many connections"

    assert run(*command) == (1, reason)


@BOTH
async def test_a_stream_whose_line_was_cut_need_not_know_it_yet(
    site: CacheStore, command: tuple[str, ...]
) -> None:
    await keep(site, EURUSD, silence=13.1)

    assert run(*command) == (1, "the stream has no connection to the vendor")


@BOTH
def test_a_cache_that_does_not_answer_is_told_and_not_taken_for_silence(
    shared_layer: type[SharedLayer], command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    backend = "django.core.cache.backends.redis.RedisCache"
    location = "redis://127.0.0.1:9/0"
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": location}}):
        code, reason = run(*command)

    assert code == 1
    assert reason.startswith("the cache does not answer: ")
    assert capsys.readouterr().err == ""


@BOTH
def test_in_one_process_the_web_process_has_to_be_asked(command: tuple[str, ...]) -> None:
    code, reason = run(*command)

    assert code == 2
    assert "in-memory" in reason and "fcs/health/" in reason


@BOTH
def test_a_cache_that_no_other_process_sees_is_wrong_use(
    shared_layer: type[SharedLayer], command: tuple[str, ...]
) -> None:
    code, reason = run(*command)

    assert code == 2
    assert "keeps values in one process" in reason and "CACHES = " in reason


@BOTH
def test_a_site_without_a_channel_layer_is_told_what_to_paste(command: tuple[str, ...]) -> None:
    with override_settings(CHANNEL_LAYERS={}):
        code, reason = run(*command)

    assert code == 2
    assert "CHANNEL_LAYERS has no 'default'" in reason


@BOTH
async def test_the_key_is_nowhere(
    site: CacheStore, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    for online in (True, False):
        await keep(site, EURUSD, online=online)
        assert KEY not in run(*command)[1]
    read = capsys.readouterr()

    assert KEY not in read.out + read.err


# -- --check


def test_a_check_starts_nothing_and_says_nothing_where_all_is_well(
    site: CacheStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **keywords: object) -> None:
        raise AssertionError("a check starts no stream")

    monkeypatch.setattr(fcs_stream, "run_until_signal", refuse)
    site.save({}, PathReport(NOW, online=True, reason=""))
    assert run("fcs_stream", "--check", "--metrics-port", "0") == (0, "")

    read = capsys.readouterr()
    assert (read.out, read.err) == ("", "")


@pytest.mark.parametrize(("online", "code"), [(True, 0), (False, 1)])
def test_a_probe_gets_an_exit_code_and_one_line(
    online: bool, code: int, site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    site.save({}, PathReport(NOW, online, ""))
    try:
        StreamCommand().run_from_argv(["manage.py", "fcs_stream", "--check"])
        ended = 0
    except SystemExit as error:
        ended = int(error.code or 0)

    assert ended == code
    assert len(capsys.readouterr().err.splitlines()) == code


# -- fcs_status


async def test_figures_and_rooms_are_a_table_that_people_read(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(site, EURUSD, USDJPY, joined=1)
    assert run("fcs_status") == (0, "")
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "streaming"
    figures = {line[:18].strip(): line[18:] for line in lines[1 : lines.index("")]}
    assert {label: figure.strip() for label, figure in figures.items()} == {
        "last heartbeat": "0.0 s ago",
        "last price": "0.2 s ago",
        "rooms joined": "1/2",
        "only rendered": "0",
        "with history": "0",
        "epoch": "1795305600123",
        "leader": "yes",
        "updates/s": "31.0",
        "updates": "1,234,567",
        "merged": "0",
        "missed": "0",
        "late": "0",
        "malformed": "0",
        "reconnects": "2",
        "stalled feed": "0",
        "silent rooms": "0",
        "layer reconnects": "0",
    }
    assert len({len(figure) for figure in figures.values()}) == 1
    assert lines[lines.index("") + 1 :] == [
        "room          state      age",
        "FX:USDJPY_1D  waiting      -",
        "FX:EURUSD_1D  live     1.5 s",
    ]


async def test_where_the_stream_is_silent_no_room_is_live(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(site, EURUSD, USDJPY, age=60)
    assert run("fcs_status")[0] == 1
    out = capsys.readouterr().out

    assert out.startswith("not streaming: no heartbeat from the stream\n")
    assert "live" not in out and "waiting" not in out
    assert "FX:USDJPY_1D  offline      -" in out


async def test_what_comes_from_the_future_is_shown_to_be_ahead(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(site, EURUSD, age=-3600, last_at=NOW + 3600)
    run("fcs_status")
    lines = capsys.readouterr().out.splitlines()
    run("fcs_status", "--json")
    told = json.loads(capsys.readouterr().out)

    assert [line.split(maxsplit=2)[2] for line in lines[1:3]] == ["3,600.0 s ahead"] * 2
    assert told["beat_age_seconds"] == told["last_tick_age_seconds"] == 3600


async def test_a_long_list_is_cut_and_what_is_wrong_comes_first(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = [Room(f"FX:A{number:03}", "1D") for number in range(40)]
    await keep(site, EURUSD, *rooms)
    run("fcs_status")
    lines = capsys.readouterr().out.splitlines()

    assert lines[-1] == "… and 11 more"
    table = lines[lines.index("") + 2 : -1]
    assert len(table) == fcs_status.ROOMS_SHOWN
    assert not [line for line in table if "live" in line]


async def test_programs_get_every_room_and_nothing_else_on_stdout(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = [Room(f"FX:A{number:03}", "1D") for number in range(40)]
    await keep(site, EURUSD, *rooms)
    assert run("fcs_status", "--json") == (0, "")
    told = json.loads(capsys.readouterr().out)

    assert len(told.pop("rooms")) == told.pop("rooms_wanted") == 41
    assert told == {
        "status": "ok",
        "reason": "",
        "beat_age_seconds": 0.0,
        "clock_offset_seconds": 0.0,
        "report_age_seconds": 0.0,
        "last_tick_age_seconds": 0.2,
        "epoch": 1_795_305_600_123,
        "leader": True,
        "rooms_joined": 41,
        "rooms_rendered": 0,
        "rooms_with_history": 0,
        "rest": None,
        "updates_per_second": 31.0,
        "counts": {"stream_updates": 1234567, "upstream_lost": 2},
    }


async def test_a_delayed_price_is_not_called_live(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    beat = PathReport(NOW, online=True, reason="")
    await site.asave({EURUSD: value(EURUSD, age=1.5, delay=900)}, beat, report(EURUSD))

    run("fcs_status")
    assert "FX:EURUSD_1D  900 s late  1.5 s" in capsys.readouterr().out
    run("fcs_status", "--json")
    [room] = json.loads(capsys.readouterr().out)["rooms"]
    assert (room["state"], room["delay_seconds"]) == ("live", 900)


def test_programs_are_told_of_a_stream_that_never_ran(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fcs_status", "--json")[0] == 1
    told = json.loads(capsys.readouterr().out)

    assert told["status"] == "error"
    assert told["reason"] == "no heartbeat from the stream"
    assert told["rooms"] == [] and told["epoch"] is None


async def test_what_is_no_room_is_not_shown(
    site: CacheStore, capsys: pytest.CaptureFixture[str]
) -> None:
    beat = PathReport(NOW, online=True, reason="")
    await site.asave({}, beat, report(rooms=("\x1b[2Jjunk", "FX:EURUSD_1D")))
    assert run("fcs_status")[0] == 0
    shown = capsys.readouterr().out

    assert "FX:EURUSD_1D" in shown
    assert "junk" not in shown
