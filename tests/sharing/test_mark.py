"""The mark of a site, and the names that carry it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings
from hypothesis import example, given, strategies as st

from django_fcs.exceptions import ConfigurationError
from django_fcs.quotes import get_quote
from django_fcs.rooms import Room
from django_fcs.sharing.mark import marked, site_mark
from django_fcs.site import site_store
from django_fcs.streaming.lease import lease_keys
from django_fcs.widgets import ticker
from tests.sharing.test_databases import layers
from tests.support.layers import SHARED

EURUSD = Room("FX:EURUSD", "1D")
LEGAL_GROUP = re.compile(r"[A-Za-z0-9._-]{1,99}")


def in_database(number: int) -> dict[str, Any]:
    return layers([f"redis://r/{number}"])


@pytest.mark.parametrize(
    ("settings", "mark"),
    [
        ({}, ""),
        ({"CHANNEL_LAYERS": in_database(0)}, ""),
        ({"CHANNEL_LAYERS": in_database(1)}, "db1"),
        ({"CHANNEL_LAYERS": in_database(2**31 - 1)}, "db2147483647"),
        ({"CHANNEL_LAYERS": in_database(1), "FCS_SITE": "shop"}, "shop"),
        ({"CHANNEL_LAYERS": in_database(1), "FCS_SITE": None}, "db1"),
        ({"CHANNEL_LAYERS": in_database(1), "FCS_SITE": ""}, "db1"),
        ({"FCS_SITE": "shop2"}, "shop2"),
        ({"FCS_SITE": "a" * 16}, "a" * 16),
    ],
)
def test_it_is_fcs_site_else_the_database_of_the_layer(settings: dict[str, Any], mark: str) -> None:
    with override_settings(**settings):
        assert site_mark() == mark


WRONG: list[Any] = [
    *("Shop", "my shop", "my-shop", "a" * 17, "shop\n", "größe", "１", "a.b", " "),
    *(5, True, b"a", ["a"]),
]


@pytest.mark.parametrize("site", WRONG)
def test_what_is_no_mark_is_told_in_one_line(site: Any) -> None:
    with override_settings(FCS_SITE=site):
        with pytest.raises(ConfigurationError, match=r"^FCS_SITE must be .*$"):
            site_mark()


@override_settings(FCS_SITE="My shop", CHANNEL_LAYERS=SHARED)
def test_a_wrong_mark_ends_no_page() -> None:
    with pytest.raises(ConfigurationError):
        site_store()
    assert get_quote("FX:EURUSD") is None
    assert "fcs-ticker" in ticker("FX:EURUSD")


@override_settings(FCS_SITE="My shop", CHANNEL_LAYERS=SHARED)
def test_a_stream_with_a_wrong_mark_ends_with_one_line() -> None:
    with pytest.raises(CommandError, match=r"^FCS_SITE must be [^\n]*$") as caught:
        call_command("fcs_stream")
    assert caught.value.returncode == 2


def test_the_group_of_a_room_follows_the_settings_of_the_moment() -> None:
    """The cache of group names must not remember the mark of another test or site."""
    assert EURUSD.group == "fcs.FX.EURUSD.1D"
    with override_settings(CHANNEL_LAYERS=in_database(1)):
        assert EURUSD.group == "fcs-db1.FX.EURUSD.1D"
    with override_settings(FCS_SITE="shop"):
        assert EURUSD.group == "fcs-shop.FX.EURUSD.1D"
    assert EURUSD.group == "fcs.FX.EURUSD.1D"


symbols = st.builds(
    "{}:{}".format,
    st.from_regex(r"[A-Z0-9_]{1,20}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Ll"]), min_size=1, max_size=40),
).filter(lambda symbol: symbol.count(":") == 1)
marks = st.from_regex(r"[a-z0-9]{0,16}", fullmatch=True)


@given(symbols, marks)
@example(f"{'X' * 20}:{'中' * 40}", "a" * 16)
@example(f"{'X' * 20}:{'A' * 40}", "a" * 16)
def test_a_marked_group_is_legal_in_every_channel_layer(symbol: str, mark: str) -> None:
    assert LEGAL_GROUP.fullmatch(Room(symbol, "240").group_of(mark))


@given(symbols, symbols, marks, marks)
@example("A:B", "A:B", "", "a")
@example("A:" + "中" * 39 + "A", "A:" + "中" * 39 + "B", "a" * 16, "a" * 16)
def test_no_two_sites_share_a_group(one: str, two: str, mark: str, other: str) -> None:
    same = (one, mark) == (two, other)
    groups = {Room(one, "1D").group_of(mark), Room(two, "1D").group_of(other)}

    assert len(groups) == (1 if same else 2)


def test_names_without_a_mark_stay_as_they_are() -> None:
    assert marked("fcs.hubs", "") == "fcs.hubs"
    assert marked("fcs.hubs", "db1") == "fcs-db1.hubs"


def test_the_keys_of_the_lease_carry_the_mark() -> None:
    assert lease_keys("asgi")[0] == b"asgi:{fcs}:lease"
    with override_settings(FCS_SITE="shop"):
        assert lease_keys("asgi")[0] == b"asgi:{fcs-shop}:lease"
