"""Try one thing after the other, each under a time limit, and name the cure.

A probe is a plain function that returns what it found. It runs in a daemon thread of
its own, so one that hangs (a resolver, a Redis whose packets vanish) holds up neither
the next one nor the end of the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from django_fcs.conf import conf
from django_fcs.exceptions import FCSError
from django_fcs.tools.redaction import without_secrets

__all__ = ["Finding", "Outcome", "Probe", "broken", "examine", "ok", "skipped", "warning"]

#: How long one probe may take; what it waits for itself has to be shorter.
PROBE_SECONDS = 25.0


class Outcome(str, Enum):
    """How a probe ended."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One line for a person: what is so, and what to change."""

    outcome: Outcome
    text: str
    cure: str = ""
    id: str = ""
    """Of the system check that said it, for probes that need it to be well."""


@dataclass(frozen=True)
class Probe:
    """Something to try."""

    name: str
    run: Callable[[], list[Finding]]
    cure: str
    """For what it does not expect: an exception, or no end in time."""
    needs: tuple[str, ...] = ()
    """Probes and ids of system checks without which it cannot run."""


def ok(text: str) -> list[Finding]:
    """Find all well."""
    return [Finding(Outcome.OK, text)]


def warning(text: str, cure: str) -> list[Finding]:
    """Find what works and should not stay so."""
    return [Finding(Outcome.WARNING, text, cure)]


def broken(text: str, cure: str) -> list[Finding]:
    """Find what does not work."""
    return [Finding(Outcome.BROKEN, text, cure)]


def skipped(reason: str) -> list[Finding]:
    """Find nothing; the reason reads on after "skipped"."""
    return [Finding(Outcome.SKIPPED, reason)]


def examine(
    probes: Iterable[Probe], *, seconds: float = PROBE_SECONDS
) -> Iterator[tuple[str, Finding]]:
    """Run the probes in order; yield each one's name with what it found.

    A probe that needs another which is broken, or did not run, is skipped. No text
    holds the API key or the credentials of an address.
    """
    unmet: set[str] = set()
    for probe in probes:
        missing = [need for need in probe.needs if need in unmet]
        findings = skipped(f"because of {missing[0]}") if missing else _in_time(probe, seconds)
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
            findings.extend(broken(f"{type(error).__name__}: {error}", probe.cure))

    thread = threading.Thread(target=work, name=f"fcs_doctor {probe.name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return broken(f"no answer in {seconds:g} s", probe.cure)
    return findings


def _discreet(finding: Finding) -> Finding:
    return replace(finding, text=_in_one_line(finding.text), cure=_in_one_line(finding.cure))


def _in_one_line(text: str) -> str:
    return " ".join(without_secrets(text, conf.FCS_API_KEY).split())
