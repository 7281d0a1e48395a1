"""Find out what is wrong with this site, and how to fix it."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_fcs.doctor import feed_probes, page_probes, site_probes, stream_probes
from django_fcs.doctor.examine import Finding, Outcome, examine
from django_fcs.doctor.waits import PATIENT
from django_fcs.management.running import quiet
from django_fcs.tools.redaction import site_keys, without_secrets

_WIDTH = 10


class Command(BaseCommand):
    """Test everything on the path of prices, and name the fix for what fails."""

    help = (
        "Test key, feed, channel layer, cache, origins and web server; print what is wrong and "
        "how to fix it. The command opens its own connections to the FCS API, one after the other."
    )
    # The command runs them itself, so that it also starts if one of them fails.
    requires_system_checks = []
    waits = PATIENT

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--url", default="", help="a running web server, as in http://127.0.0.1:8000"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every probe; fail if one finds something broken."""
        url = _checked(options["url"])
        probes = (
            *(*site_probes.BEFORE, *feed_probes.probes(self.waits)),
            *site_probes.after(url, self.waits),
            *(*stream_probes.PROBES, *page_probes.after(url)),
        )
        outcomes: Counter[Outcome] = Counter()
        try:
            with quiet("channels_redis"):
                for name, finding in examine(probes, seconds=self.waits.probe):
                    self._print(name, finding)
                    outcomes[finding.outcome] += 1
        except KeyboardInterrupt:
            raise CommandError("interrupted") from None
        if outcomes[Outcome.BROKEN]:
            raise CommandError(f"{outcomes[Outcome.BROKEN]} broken: see the fixes above")

    def _print(self, name: str, finding: Finding) -> None:
        outcome = f"{finding.outcome.value:<{_WIDTH - 1}}"
        self.stdout.write(f"{outcome} {name:<{_WIDTH}} {finding.text}")
        if finding.fix:
            self.stdout.write(f"{'':{2 * _WIDTH + 1}}-> {finding.fix}")
        self.stdout.flush()


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = not url or (parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        shown = without_secrets(url, *site_keys())
        text = f"--url {shown!r} is not an address such as http://127.0.0.1:8000"
        raise CommandError(text, returncode=2)
    return url
