"""Where a site keeps last values."""

from __future__ import annotations

import pytest
from django.test import override_settings

from django_fcs.exceptions import ConfigurationError
from django_fcs.prices.store import CacheStore, MemoryStore
from django_fcs.site import site_store
from tests.support.layers import SharedLayer

CACHES = {
    name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    for name in ("default", "prices")
}


def test_a_site_in_one_process_keeps_last_values_in_memory() -> None:
    assert isinstance(site_store(), MemoryStore)
    assert site_store() is site_store()


@override_settings(CACHES=CACHES)
def test_a_site_of_many_processes_keeps_them_in_its_cache(
    shared_layer: type[SharedLayer],
) -> None:
    store = site_store()

    assert isinstance(store, CacheStore)
    assert site_store() is store
    with override_settings(FCS_CACHE="prices"):
        assert site_store() is not store


@override_settings(FCS_CACHE="nowhere")
def test_a_cache_that_is_not_there_is_told_by_its_setting(shared_layer: type[SharedLayer]) -> None:
    with pytest.raises(ConfigurationError, match="FCS_CACHE names 'nowhere'"):
        site_store()
