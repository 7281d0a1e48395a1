"""Checks of who serves the socket, and of who may open it."""

from __future__ import annotations

import inspect
import os
from urllib.parse import urlsplit

from channels.routing import ProtocolTypeRouter
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.checks import CheckMessage, Error, Warning
from django.core.handlers.asgi import ASGIHandler
from django.core.management import find_commands, load_command_class
from django.core.management.commands.runserver import Command as Runserver
from django.utils.module_loading import import_string

from django_fcs.conf import conf
from django_fcs.values.hosts import hosts_of_site, strange_hosts
from django_fcs.values.kinds import shown

__all__ = [
    "check_application",
    "check_hosts_of_site",
    "check_import",
    "check_open_door",
    "check_runserver",
    "check_socket_path",
]

_OURS = "django_fcs.asgi.application"
_APPLICATION = f'ASGI_APPLICATION = "{_OURS}"'
_ROUTE = "/ws/fcs/"
_APPS = 'INSTALLED_APPS = ["daphne", *your_own_apps, "channels", "django_fcs"]'


def check_application() -> list[CheckMessage]:
    """Check that ``ASGI_APPLICATION`` serves sockets, as far as its type tells."""
    path = getattr(settings, "ASGI_APPLICATION", None)
    if not path or not isinstance(path, str):
        hint = f"Add {_APPLICATION} to your settings."
        text = "ASGI_APPLICATION is not set, so the site cannot serve WebSockets."
        return [Error(text, hint, id="fcs.E002")]
    try:
        application = None if path == _OURS else import_string(path)
    except Exception:  # Servers report it, and so does the check of the deployment.
        return []
    if path != _OURS and not _is_application(application):
        return [_not_usable(path, "is not an ASGI application: async (scope, receive, send)")]
    if not _serves_pages_only(application):
        return []
    hint = (
        f"Set {_APPLICATION}, or add django_fcs.routing.websocket_urlpatterns under "
        '"websocket" to your own ProtocolTypeRouter.'
    )
    text = f"ASGI_APPLICATION {path!r} serves pages only, not WebSockets."
    return [Error(text, hint, id="fcs.E009")]


def check_import() -> list[CheckMessage]:
    """Check that ``ASGI_APPLICATION`` can be imported."""
    path = getattr(settings, "ASGI_APPLICATION", None)
    if not path or not isinstance(path, str):
        return []
    try:
        import_string(path)
    except Exception as error:  # The site's own module may raise anything.
        return [_not_usable(path, f"cannot be imported: {error}")]
    return []


def check_socket_path() -> list[CheckMessage]:
    """Compare ``FCS_SOCKET_URL`` with the one route of our own application."""
    url = conf.FCS_SOCKET_URL
    if getattr(settings, "ASGI_APPLICATION", None) != _OURS or not url.startswith("/"):
        return []
    # A site may be served below any path.
    if url.startswith("//") or urlsplit(url).path.endswith(_ROUTE):
        return []
    text = f"FCS_SOCKET_URL is {shown(url)}, but {_OURS} serves the socket at {_ROUTE} only."
    hint = (
        f'Set FCS_SOCKET_URL = "{_ROUTE}", or remove it. If a proxy changes the path, silence this '
        "check. For another path, use your own ProtocolTypeRouter."
    )
    return [Warning(text, hint, id="fcs.W019")]


def _not_usable(path: str, reason: str) -> CheckMessage:
    hint = f"Correct the path, or the imports of its module. Ours is {_APPLICATION}."
    return Error(f"ASGI_APPLICATION {path!r} {reason}", hint, id="fcs.E011")


def _is_application(thing: object) -> bool:
    """Return whether a server could call this, as far as its signature tells.

    A class that takes the scope alone is the older form, which servers also accept.
    """
    if not callable(thing) or inspect.isbuiltin(thing):
        return False
    try:
        parameters = inspect.signature(thing)
    except (TypeError, ValueError):  # Compiled code may have no signature.
        return True
    return any(_takes(parameters, count) for count in (1, 3))


def _takes(parameters: inspect.Signature, count: int) -> bool:
    try:
        parameters.bind(*[None] * count)
    except TypeError:
        return False
    return True


def check_runserver() -> list[CheckMessage]:
    """Check which app's ``runserver`` is used: that of the first app that has one.

    Daphne also checks the order, but only for staticfiles, and without the line to paste.
    """
    names = [config.name for config in apps.get_app_configs()]
    if "daphne" not in names:
        text = "daphne is not in INSTALLED_APPS, so runserver does not serve WebSockets."
        hint = f"Put it first: {_APPS}."
        return [Warning(text, hint, id="fcs.W002")] if settings.DEBUG else []
    first = _first_with_runserver()
    if first == "daphne" or not _serves_wsgi(first):
        return []
    text = f"daphne comes after {first}, whose runserver does not serve WebSockets."
    return [Error(text, f"Put it first: {_APPS}.", id="fcs.E006")]


def _first_with_runserver() -> str:
    return next(
        config.name
        for config in apps.get_app_configs()
        if "runserver" in find_commands(os.path.join(config.path, "management"))
    )


def _serves_wsgi(app: str) -> bool:
    """Return whether an app's ``runserver`` is Django's, without Daphne's in between."""
    try:
        kinds = type(load_command_class(app, "runserver")).__mro__
    except Exception:  # Django reports it when the command is used.
        return False
    return Runserver in kinds and not any(kind.__module__.startswith("daphne.") for kind in kinds)


def _serves_pages_only(application: object) -> bool:
    while isinstance(application, ASGIStaticFilesHandler):
        application = application.application
    if isinstance(application, ProtocolTypeRouter):
        return "websocket" not in application.application_mapping
    return isinstance(application, ASGIHandler)


def check_hosts_of_site() -> list[CheckMessage]:
    """Look for entries of ``ALLOWED_HOSTS`` on which Django ends requests with an error."""
    if not (strange := strange_hosts()):
        return []
    text = f"ALLOWED_HOSTS has {shown(strange[0])}, which is not a string: requests end with 500."
    hint = 'Write each host as a string: ALLOWED_HOSTS = ["www.example.com"].'
    return [Error(text, hint, id="fcs.E020")]


def check_open_door() -> list[CheckMessage]:
    """Look for a socket that pages of any site may open."""
    origins = conf.FCS_ALLOWED_ORIGINS
    if settings.DEBUG or "*" not in (hosts_of_site() if origins is None else origins):
        return []
    name = "ALLOWED_HOSTS" if origins is None else "FCS_ALLOWED_ORIGINS"
    text = f'{name} has "*", so pages of any site can open the socket on behalf of your visitors.'
    hint = 'Set FCS_ALLOWED_ORIGINS = [] for your own pages only, or ["https://www.example.com"].'
    return [Warning(text, hint, id="fcs.W009")]
