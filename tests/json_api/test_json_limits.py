"""What a client may ask of the JSON API at once."""

from __future__ import annotations

import pytest

from tests.json_api.api_server import ApiServer


@pytest.mark.parametrize("kinds", ["a*" * 600, "a," * 600, "&kind=a".join(["a"] * 600)])
def test_patterns_of_live_events_are_short(api: ApiServer, kinds: str) -> None:
    told = api.ask("GET", f"/v1/events?kind={kinds}", role="read")
    assert told.status == 400
