"""A timeline row describes events whatever type their details have."""

from __future__ import annotations

from provd.model.event import Event
from provd.service.inspect import describe


def test_lists_and_empty_details_are_described() -> None:
    event = Event("install.log", 0.0, fields={"lines": ["one", "two"], "left_out": 0, "empty": "", "none": None})
    assert describe(event) == "installer says: lines ['one', 'two'], left_out 0"
