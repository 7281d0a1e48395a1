"""Where a site keeps last values."""

from __future__ import annotations

from collections import UserDict

import pytest
from django.test import override_settings
from django.utils.functional import lazy
from django.utils.translation import get_language, override

from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError
from django_fcs.prices.store import CacheStore, MemoryStore
from django_fcs.site import name_to_show, site_store
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


# -- names


def test_the_site_names_an_instrument_or_else_the_table_does() -> None:
    with override_settings(FCS_NAMES={"NASDAQ:AAPL": "Apple", "FX:EURUSD": "The euro"}):
        assert name_to_show("NASDAQ:AAPL") == "Apple"
        assert name_to_show("FX:EURUSD") == "The euro"
        assert name_to_show("ONA:EURUSD") == "Euro / US dollar"
        assert name_to_show("NASDAQ:MSFT") == "MSFT"
    with override_settings(FCS_NAMES="NASDAQ:AAPL=Apple Inc."):
        assert name_to_show("NASDAQ:AAPL") == "Apple Inc."
    assert name_to_show("NASDAQ:AAPL") == "AAPL"


def test_a_name_may_be_a_translation_that_follows_the_language() -> None:
    name = lazy(lambda: {"de": "Apfel"}.get(get_language() or "", "Apple"), str)()
    with override_settings(FCS_NAMES={"NASDAQ:AAPL": name}):
        assert name_to_show("NASDAQ:AAPL") == "Apple"
        with override("de"):
            assert name_to_show("NASDAQ:AAPL") == "Apfel"


def fail() -> str:
    raise LookupError


@pytest.mark.parametrize("wrong", [None, "", "a" * 101, "a\nb", 7, lazy(fail, str)()])
def test_a_name_that_cannot_be_used_costs_that_name_alone_and_is_logged_once(
    wrong: object, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(FCS_NAMES={"NASDAQ:AAPL": "Apple", "FX:EURUSD": wrong}):
        for _ in range(2):
            assert name_to_show("FX:EURUSD") == "Euro / US dollar"
            assert name_to_show("NASDAQ:AAPL") == "Apple"
        with pytest.raises(ConfigurationError, match="FCS_NAMES must be"):
            _ = conf.FCS_NAMES
    assert len(caplog.records) <= 1


@pytest.mark.parametrize("wrong", [7, ["NASDAQ:AAPL"], "NASDAQ:AAPL", None])
def test_names_that_cannot_be_read_at_all_are_those_of_the_table(wrong: object) -> None:
    with override_settings(FCS_NAMES=wrong):
        assert name_to_show("FX:EURUSD") == "Euro / US dollar"


class Counted(UserDict[str, str]):
    read = 0

    def __getitem__(self, key: str) -> str:
        self.read += 1
        return super().__getitem__(key)


def test_a_page_reads_only_the_names_that_it_shows() -> None:
    names = Counted({f"NASDAQ:S{number}": f"Share {number}" for number in range(5000)})
    with override_settings(FCS_NAMES=names):
        assert [name_to_show(f"NASDAQ:S{number}") for number in range(3)][2] == "Share 2"
    assert names.read == 3
