"""Run one probe after the other, each with a time limit, and name the fixes.

A probe is a plain function that returns what it found. It runs in its own daemon thread,
so that a probe that hangs (a resolver, a Redis whose packets are lost) does not block the
next probe or the end of the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from django_fcs.exceptions import FCSError
from django_fcs.tools.redaction import site_keys, without_secrets

from .waits import PATIENT

__all__ = ["Finding", "Outcome", "Probe", "broken", "examine", "ok", "skipped", "warning"]

#: How long a line may be, in characters; the longest fix has half of them.
TEXT_MAX = 1000


class Outcome(str, Enum):
    """How a probe ended."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One line for people: what was found, and what to change."""

    outcome: Outcome
    text: str
    fix: str = ""
    id: str = ""
    """The id of the system check that reported it; other probes may need that check to pass."""


@dataclass(frozen=True)
class Probe:
    """Something to test."""

    name: str
    run: Callable[[], list[Finding]]
    fix: str
    """The fix if the probe raises an exception or does not end in time."""
    needs: tuple[str, ...] = ()
    """Probes and ids of system checks that must pass before it can run."""


def ok(text: str) -> list[Finding]:
    """Return one finding: this works."""
    return [Finding(Outcome.OK, text)]


def warning(text: str, fix: str) -> list[Finding]:
    """Return one finding: this works, but should be changed."""
    return [Finding(Outcome.WARNING, text, fix)]


def broken(text: str, fix: str) -> list[Finding]:
    """Return one finding: this does not work."""
    return [Finding(Outcome.BROKEN, text, fix)]


def skipped(reason: str) -> list[Finding]:
    """Return one finding: the probe did not run; the reason is read after "skipped"."""
    return [Finding(Outcome.SKIPPED, reason)]


def examine(
    probes: Iterable[Probe], *, seconds: float = PATIENT.probe
) -> Iterator[tuple[str, Finding]]:
    """Run the probes in order, each for ``seconds`` at most; yield its name and what it found.

    A probe is skipped if one that it needs is broken or did not run. The texts do not
    contain the API key or the credentials of an address.
    """
    unmet: set[str] = set()
    for probe in probes:
        missing = [need for need in probe.needs if need in unmet]
        if missing:
            findings = skipped(f"not tested, because it needs {missing[0]}")
        else:
            findings = _in_time(probe, seconds)
        for finding in findings:
            if finding.outcome in (Outcome.BROKEN, Outcome.SKIPPED):
                unmet |= {finding.id or probe.name}
            yield probe.name, _discreet(finding)


def _in_time(probe: Probe, seconds: float) -> list[Finding]:
    findings: list[Finding] = []

    def work() -> None:
        try:
            findings.extend(probe.run())
        except FCSError as error:
            findings.extend(broken("not set up", str(error)))
        except Exception as error:  # Anything may be wrong with a site.
            findings.extend(broken(f"{type(error).__name__}: {error}", probe.fix))

    thread = threading.Thread(target=work, name=f"fcs_doctor {probe.name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return broken(f"no answer in {seconds:g} s", probe.fix)
    return findings


def _discreet(finding: Finding) -> Finding:
    return replace(finding, text=_in_one_line(finding.text), fix=_in_one_line(finding.fix))


def _in_one_line(text: str) -> str:
    return without_secrets(" ".join(text.split()), *site_keys(), limit=TEXT_MAX)
