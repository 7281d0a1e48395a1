"""Entries of the cache: a malformed one counts as missing, and no other is affected."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from django_fcs.prices import entries
from django_fcs.prices.entries import decode, encode, found_in
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.states import Expectation
from django_fcs.prices.store import LastValue
from django_fcs.prices.updates import TEXT_MAX
from django_fcs.protocol.bounds import TIME_MAX
from django_fcs.tools.metrics import counts

PATH = PathReport(1700000000.25, online=False, reason="no route")
VALUE = LastValue("{}", Expectation(True, 90.0, 1e9, 2e9))
REPORT = Report(
    at=1700000000.5,
    epoch=1700000000000,
    rooms=("FX:EURUSD_1D",),
    joined=1,
    updates_per_second=2.5,
    last_at=None,
    leader=True,
    counts={"stream_merged": 3},
)

HUGE = 10**400
ODD_NAMES: tuple[Any, ...] = (["x" * 1000], [5], "FX:EURUSD", None)
ODD_COUNTS: tuple[Any, ...] = ({"x": 2**62}, {"x": -1}, {"x" * 1000: 1}, [])
ODD_TIMES: tuple[Any, ...] = (1e300, -1e300, HUGE, 2 * TIME_MAX, "soon", [])
DEEP = "[" * 100_000


class Unreadable:
    """An object that fails however it is looked at, such as one of another version."""

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")

    def __len__(self) -> int:
        raise RuntimeError("no length")


def changed(value: Any, **changes: Any) -> str:
    return json.dumps({**json.loads(encode(value)), **changes})


@pytest.mark.parametrize("value", [PATH, VALUE, REPORT])
def test_what_is_encoded_is_decoded(value: Any) -> None:
    assert decode(encode(value), type(value)) == value
    assert decode(encode(value).encode(), type(value)) == value
    assert "store_malformed" not in counts()


def test_a_missing_entry_is_no_fault() -> None:
    assert decode(None, LastValue) is None
    assert "store_malformed" not in counts()


@pytest.mark.parametrize(
    "found",
    [
        *("", "junk", "[]", '{"text":5}', '{"text":"\ud800"}', '{"text":"\\ud800"}', DEEP),
        *(b"\xff", 5, 5.0, True, ["x"], {"text": "x"}, object(), Unreadable(), VALUE),
        *(float("nan"), '{"text":"x","expected":{"patience":NaN}}', "x" * 9_000_000),
        changed(VALUE, text="x" * (TEXT_MAX + 1)),
        *(
            changed(VALUE, expected={name: odd})
            for name in ("patience", "since", "until")
            for odd in ODD_TIMES
        ),
    ],
    ids=lambda found: type(found).__name__,
)
def test_a_malformed_value_counts_as_missing(
    found: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert decode(found, LastValue) is None
    assert counts()["store_malformed"] == 1
    assert len(caplog.messages[0]) < 1000


@pytest.mark.parametrize(
    "changes",
    [
        *({"at": odd} for odd in (*ODD_TIMES, None)),
        {"silence": 1e300},
        {"outage": {"lost_at": 1e300}},
        {"online": "yes"},
        {"reason": 5},
    ],
)
def test_so_does_a_malformed_heartbeat(changes: dict[str, Any]) -> None:
    assert decode(changed(PATH, **changes), PathReport) is None


@pytest.mark.parametrize(
    "changes",
    [
        *({name: odd} for name in ("at", "last_at") for odd in ODD_TIMES),
        *({name: odd} for name in ("epoch", "joined") for odd in (-1, 2**62, HUGE, 1.5, None)),
        *({"updates_per_second": odd} for odd in (1e300, -1, HUGE, None)),
        *({"rooms": odd} for odd in ODD_NAMES),
        *({"counts": odd} for odd in ODD_COUNTS),
    ],
)
def test_so_does_a_malformed_report(changes: dict[str, Any]) -> None:
    assert decode(changed(REPORT, **changes), Report) is None


def test_the_reason_of_a_heartbeat_is_cut_and_escaped() -> None:
    path = decode(changed(PATH, reason="\x1b[31mno\nroute" + "x" * 200_000), PathReport)

    assert path is not None
    assert path.reason.startswith("\\x1b[31mno\\nroutexxx")
    assert len(path.reason) == 200


def test_a_flood_of_malformed_entries_is_no_flood_of_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(100):
        decode("junk", LastValue)

    assert counts()["store_malformed"] == 100
    assert len(caplog.messages) == 7


# -- caches


class PickyCache:
    """A cache that cannot unpickle some of its contents."""

    def __init__(self, bad: str, *, works: bool = True) -> None:
        self.bad = bad
        self.works = works

    def get(self, key: str) -> Any:
        if key == self.bad or not self.works:
            raise AttributeError(f"no class for {key}")
        return None if key == entries._NEVER_WRITTEN else f"content of {key}"

    def get_many(self, keys: Iterable[str]) -> Any:
        return {key: self.get(key) for key in keys}


def test_a_content_that_cannot_be_unpickled_is_the_only_one_that_is_missing() -> None:
    found = found_in(PickyCache(bad="b"), ["a", "b", "c"])

    assert found == {"a": "content of a", "c": "content of c"}
    assert counts()["store_malformed"] == 1


def test_a_cache_that_does_not_work_raises_its_error() -> None:
    with pytest.raises(AttributeError, match="no class for a"):
        found_in(PickyCache(bad="b", works=False), ["a", "b", "c"])
    assert "store_malformed" not in counts()


@pytest.mark.parametrize("answer", [None, [], "x", 5])
def test_a_cache_that_answers_with_no_mapping_has_found_nothing(
    answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PickyCache, "get_many", lambda self, keys: answer)

    assert found_in(PickyCache(bad=""), ["a"]) == {}
