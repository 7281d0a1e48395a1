"""The hash that tells two sites in one database apart."""

from __future__ import annotations

import re

import pytest
from django.test import override_settings

from django_fcs.exceptions import ConfigurationError
from django_fcs.sharing.fingerprint import fingerprint

KEY = "a-key-of-this-test"


def of(key: object, url: object = "wss://vendor/ws") -> str:
    with override_settings(FCS_API_KEY=key, FCS_URL=url):
        return fingerprint()


def test_it_depends_on_key_and_address() -> None:
    assert of(KEY) == of(KEY)
    assert len({of(KEY), of("another"), of(KEY, "wss://other/ws")}) == 3


def test_it_is_short_so_that_far_too_many_keys_fit_to_tell_one() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}", of(KEY))


def test_a_site_without_a_key_has_none() -> None:
    assert of("") == ""


@pytest.mark.parametrize("value", [None, 5, "\udc80"])
def test_a_key_or_an_address_that_cannot_be_used_is_told(value: object) -> None:
    with pytest.raises(ConfigurationError, match="FCS_API_KEY must be"):
        of(value)
    with pytest.raises(ConfigurationError, match="FCS_URL must be"):
        of(KEY, value)
