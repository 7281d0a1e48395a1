"""The site with paying members of docs/permissions.md, built from the page's own examples."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import re
import urllib.error
import urllib.request
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from django_fcs.simulator import Simulator
from tests.e2e.site import SERVERS
from tests.support.network import HOST, free_port
from tests.support.serving import ROOT, python

PAGE = ROOT / "docs/permissions.md"

#: What stands around the examples in any site.
AROUND = {
    "members/__init__.py": "",
    "members/settings.py": """
import os
from pathlib import Path

from example_project.settings import *

INSTALLED_APPS += [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions")]
INSTALLED_APPS += ["members"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(__file__).parent / "db.sqlite3",
    }
}
MIGRATION_MODULES = dict.fromkeys(("auth", "contenttypes", "sessions"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "members.site"
ASGI_APPLICATION = "members.asgi.application"
""",
    "members/asgi.py": """
from django_fcs.asgi import application
""",
    "members/site.py": """
from datetime import timedelta

from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import include, path
from django.utils import timezone

from .models import Membership
from .views import sign_out


def sign_in(request, name):
    user, _ = User.objects.get_or_create(username=name)
    ends_at = timezone.now() + timedelta(days=1)
    Membership.objects.update_or_create(user=user, defaults={"ends_at": ends_at})
    login(request, user)
    return HttpResponse("in")


def expire(request):
    Membership.objects.filter(user=request.user).update(ends_at=timezone.now())
    return HttpResponse("expired")


def sign_out_silently(request):
    logout(request)
    return HttpResponse("out")


urlpatterns = [
    path("fcs/", include("django_fcs.urls")),
    path("sign-in/<name>/", sign_in),
    path("expire/", expire),
    path("sign-out/", sign_out),
    path("sign-out-silently/", sign_out_silently),
]
""",
    "members/other.py": """
import asyncio
import time

from django.utils import timezone

from . import prices
from .models import Membership


async def may_see(scope, room):
    if room.symbol == "FX:USDJPY":
        return "no"
    if room.symbol.startswith("BINANCE:"):
        await asyncio.sleep(0.12)
        return True
    return await prices.may_see(scope, room)


def may_see_later(scope, room):
    if room.symbol == "FX:GBPUSD":
        time.sleep(12)
        return True
    user = scope["user"]
    if not user.is_authenticated:
        return False
    return Membership.objects.filter(user=user, ends_at__gt=timezone.now()).exists()
""",
}


Serving = Callable[..., contextlib.AbstractAsyncContextManager["Members"]]


def build(place: Path) -> None:
    """Write the site's files and make its database."""
    examples = re.findall(r"^```python\n# (\S+)\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    files = {**AROUND, **dict(examples)}
    files["members/settings.py"] += files.pop("settings.py")
    files["members/settings.py"] += "globals().update(fcs_settings(os.environ))\n"
    for name, text in files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)


class Members:
    """One server of this site."""

    def __init__(self, port: int) -> None:
        self.port = port

    def visitor(self) -> Visitor:
        return Visitor(self.port)


class Visitor:
    """A browser's cookies."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self._jar)
        )

    async def visit(self, path: str) -> None:
        await to_thread(self._visit, f"http://{HOST}:{self._port}/{path}/")

    async def status(self, path: str) -> int:
        """Return the HTTP status of an address."""
        try:
            await to_thread(self._visit, f"http://{HOST}:{self._port}/{path}")
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        return 200

    def _visit(self, url: str) -> None:
        with self._opener.open(url, timeout=60) as response:
            assert response.status == 200

    @property
    def headers(self) -> dict[str, str]:
        """What a browser sends with the handshake of a socket."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)
        return {"Cookie": cookies}


@contextlib.asynccontextmanager
async def members(place: Path, simulator: Simulator, **env: str) -> AsyncIterator[Serving]:
    """Build the site and its database; yield what serves it."""
    build(place)
    around = {
        "DJANGO_SETTINGS_MODULE": "members.settings",
        "PYTHONPATH": os.pathsep.join([str(place), str(ROOT)]),
        "FCS_URL": simulator.url,
        "FCS_API_KEY": "a-key-of-the-tests",
        "FCS_ALLOWED_SYMBOLS": "FX:*,NASDAQ:*,BINANCE:*",
        **env,
    }
    async with python("manage.py", "migrate", "--run-syncdb", "-v0", env=around) as process:
        assert await process.wait() == 0

    @contextlib.asynccontextmanager
    async def serving(server: str, **more: str) -> AsyncIterator[Members]:
        port = free_port()
        command = [part.replace("tests.e2e.asgi", "members.asgi") for part in SERVERS[server]]
        async with python(*command, str(port), env={**around, **more}):
            yield Members(port)

    yield serving
