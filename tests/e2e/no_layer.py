"""A site whose developer has not heard of channel layers yet."""

from __future__ import annotations

from example_project.settings import *  # noqa: F403

CHANNEL_LAYERS = {}
