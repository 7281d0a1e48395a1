"""What a fresh process has imported: a page needs no client, a stream no fan-out."""

from __future__ import annotations

import os
import subprocess
import sys

SETUP = "import django; django.setup(); "


def imported_by(code: str) -> set[str]:
    """Return the modules that a process of its own has imported after this code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())


def of(modules: set[str], *packages: str) -> set[str]:
    return {
        module
        for module in modules
        if any(module == package or module.startswith(f"{package}.") for package in packages)
    }


def test_pages_and_checks_need_neither_client_nor_stream_nor_fanout() -> None:
    modules = imported_by(
        SETUP
        + "from django_fcs.quotes import get_quote; get_quote('FX:EURUSD'); "
        + "from django_fcs.widgets import ticker; ticker('FX:EURUSD'); "
        + "import django_fcs.templatetags.fcs, django_fcs.jinja, django_fcs.urls; "
        + "from django.core.checks import run_checks; run_checks()"
    )

    assert of(modules, "django_fcs.conf")
    assert not of(
        modules,
        "websockets",
        "django_fcs.upstream",
        "django_fcs.simulator",
        "django_fcs.streaming",
        "django_fcs.fanout",
    )


def test_a_stream_needs_no_fanout_and_no_simulator() -> None:
    modules = imported_by(SETUP + "import django_fcs.management.commands.fcs_stream")

    assert of(modules, "django_fcs.streaming.stream")
    assert not of(modules, "django_fcs.fanout", "django_fcs.simulator")
    # It reads calendars in a thread, where the seconds that pandas takes delay nothing.
    assert not of(modules, "exchange_calendars", "pandas")


def test_a_client_of_the_feed_needs_nothing_of_a_site() -> None:
    modules = imported_by("from django_fcs.upstream import UpstreamClient")

    assert of(modules, "django_fcs.upstream.client")
    assert not of(
        modules, "django_fcs.prices", "django_fcs.layer", "django_fcs.widgets", "channels"
    )
