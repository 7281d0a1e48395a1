"""Complaints: once of each client and kind, whatever anybody does."""

from __future__ import annotations

from django_fcs.tools.complaints import CLIENTS_MAX, FORGET_SECONDS, KINDS_MAX, Complaints


def test_a_kind_is_new_once_of_each_client() -> None:
    complaints = Complaints()
    asked = [("a", "bad"), ("a", "bad"), ("a", "worse"), ("b", "bad"), ("a", "bad")]

    assert [complaints.is_new(*one) for one in asked] == [True, False, True, True, False]


def test_one_client_is_worth_so_many_kinds_and_no_more() -> None:
    complaints = Complaints()
    new = [complaints.is_new("a", f"origin {number}") for number in range(KINDS_MAX + 50)]

    assert sum(new) == KINDS_MAX
    assert complaints.is_new("b", "origin 0")


def test_the_client_known_longest_is_forgotten_when_there_are_too_many() -> None:
    complaints = Complaints()
    for number in range(CLIENTS_MAX + 1):
        assert complaints.is_new(f"client {number}", "bad")

    assert not complaints.is_new(f"client {CLIENTS_MAX}", "bad")
    assert complaints.is_new("client 0", "bad")
    assert len(complaints._kinds) == CLIENTS_MAX


def test_what_goes_on_is_told_again_later() -> None:
    now = 0.0
    complaints = Complaints(monotonic=lambda: now)
    assert complaints.is_new("a", "bad")
    now = FORGET_SECONDS - 1
    assert not complaints.is_new("a", "bad")
    now = FORGET_SECONDS

    assert complaints.is_new("a", "bad")
    assert not complaints.is_new("a", "bad")
