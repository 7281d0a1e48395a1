"""How the doctor goes about it: one probe after the other, in time, without secrets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import quote_plus

import pytest
from django.test import override_settings

from django_fcs.doctor.examine import Finding, Outcome, Probe, broken, examine, ok, skipped, warning
from django_fcs.exceptions import ConfigurationError

KEY = "a key/with+signs"


def probe(
    name: str, run: Callable[[], list[Finding]], needs: tuple[str, ...] = (), fix: str = "mend it"
) -> Probe:
    return Probe(name, run, fix, needs)


def outcomes(*probes: Probe, seconds: float = 10) -> dict[str, tuple[str, str]]:
    found = examine(probes, seconds=seconds)
    return {name: (finding.outcome.value, finding.text) for name, finding in found}


def test_probes_run_in_their_order_and_each_tells_what_it_found() -> None:
    found = outcomes(
        probe("first", lambda: ok("well")), probe("second", lambda: warning("so so", "change it"))
    )

    assert list(found.items()) == [("first", ("ok", "well")), ("second", ("warning", "so so"))]


def test_a_probe_is_skipped_where_one_that_it_needs_is_broken_or_was_skipped() -> None:
    found = outcomes(
        probe("first", lambda: broken("gone", "start it")),
        probe("second", lambda: ok("never asked"), needs=("first",)),
        probe("third", lambda: ok("never asked"), needs=("second",)),
        probe("fourth", lambda: ok("well")),
    )

    assert found["second"] == ("skipped", "not tested, because it needs first")
    assert found["third"] == ("skipped", "not tested, because it needs second")
    assert found["fourth"] == ("ok", "well")


def test_a_warning_keeps_no_other_probe_from_running() -> None:
    found = outcomes(
        probe("first", lambda: warning("so so", "change it")),
        probe("second", lambda: ok("well"), needs=("first",)),
    )

    assert found["second"] == ("ok", "well")


def test_what_a_system_check_found_keeps_only_those_from_running_that_name_it() -> None:
    check = Finding(Outcome.BROKEN, "no such room", "mend it", id="fcs.E003")
    found = outcomes(
        probe("settings", lambda: [check]),
        probe("rooms", lambda: ok("never asked"), needs=("fcs.E003",)),
        probe("others", lambda: ok("well"), needs=("settings", "fcs.E001")),
    )

    assert found["rooms"] == ("skipped", "not tested, because it needs fcs.E003")
    assert found["others"] == ("ok", "well")


def test_a_probe_that_hangs_holds_up_neither_the_next_one_nor_the_end() -> None:
    never = threading.Event()

    def hang() -> list[Finding]:
        never.wait()
        return ok("at last")

    found = list(
        examine(
            [probe("slow", hang, fix="unplug it"), probe("next", lambda: ok("well"))],
            seconds=3.0,
        )
    )
    threads = [one for one in threading.enumerate() if one.name == "fcs_doctor slow"]
    never.set()

    assert found[0] == ("slow", Finding(Outcome.BROKEN, "no answer in 3 s", "unplug it"))
    assert found[1][1].outcome is Outcome.OK
    assert [one.daemon for one in threads] == [True]


def test_an_exception_that_no_probe_expects_is_a_finding_with_a_fix() -> None:
    def fail() -> list[Finding]:
        raise ZeroDivisionError("by zero")

    [(_, finding)] = examine([probe("odd", fail)])

    assert finding == Finding(Outcome.BROKEN, "ZeroDivisionError: by zero", "mend it")


def test_an_error_of_this_project_says_by_itself_what_to_change() -> None:
    def fail() -> list[Finding]:
        raise ConfigurationError("FCS_CACHE names 'x': CACHES has no 'x'")

    [(_, finding)] = examine([probe("cache", fail)])

    assert finding.outcome is Outcome.BROKEN
    assert finding.fix == "FCS_CACHE names 'x': CACHES has no 'x'"


@pytest.mark.parametrize("key", [KEY, quote_plus(KEY)])
def test_no_text_shows_the_key_however_it_is_written(key: str) -> None:
    with override_settings(FCS_API_KEY=KEY):
        [(_, finding)] = examine([probe("leak", lambda: broken(f"url {key}", f"not {key}!"))])

    assert finding == Finding(Outcome.BROKEN, "url [key]", "not [key]!")


@pytest.mark.parametrize("credentials", ["me:secret", ":it's-secret", 'me:se"cret', "a/b:c@d"])
def test_no_text_shows_the_credentials_of_an_address(credentials: str) -> None:
    text = f"redis://{credentials}@host:6379/0 answers"
    [(_, finding)] = examine([probe("leak", lambda: ok(text))])

    assert finding.text == "redis://[hidden]@host:6379/0 answers"


def test_what_a_probe_says_is_one_line() -> None:
    [(_, finding)] = examine([probe("long", lambda: skipped("because\n  of   much"))])

    assert finding.text == "because of much"
