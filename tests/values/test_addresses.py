"""Which addresses may be those of a proxy."""

from __future__ import annotations

import pytest

from django_fcs.values.addresses import is_internal


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.17.0.1", "192.168.1.1", "169.254.0.1", "100.64.0.1"),
        *("::/64", "fd00:1:2:3::/64", "fe80::/64", "::1"),
    ],
)
def test_addresses_of_this_machine_and_of_private_networks(address: str) -> None:
    assert is_internal(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2a00:1450:4001:80b::/64", "testclient", "", "1.2.3.4.5", "x" * 5000]
)
def test_other_addresses_and_what_is_none(address: str) -> None:
    assert not is_internal(address)
