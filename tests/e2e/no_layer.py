"""A site whose developer has not heard of channel layers yet."""

from __future__ import annotations

from tests.e2e.settings import *  # noqa: F403

CHANNEL_LAYERS = {}
