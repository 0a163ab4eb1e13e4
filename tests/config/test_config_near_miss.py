"""What a sentence says of the names that there are."""

from __future__ import annotations

from provd.config.decode import near_miss


def test_the_nearest_name_is_told() -> None:
    assert near_miss("debian-12-servr", ["debian-12-server", "rocky-9-server"]) == "; did you mean 'debian-12-server'?"


def test_where_nothing_is_near_the_names_are_told_in_order() -> None:
    assert near_miss("zzz", ["b", "a"]) == "; known: a, b"
    assert near_miss("zzz", []) == ""


def test_of_many_names_the_beginning_is_told() -> None:
    told = near_miss("zzz", [f"profile-{number:03}" for number in range(200)])
    assert told.startswith("; known: profile-000, profile-001, ")
    assert told.endswith("profile-039, ... (200 in all)")
