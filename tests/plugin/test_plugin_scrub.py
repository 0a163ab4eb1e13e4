"""What of a value is shown: a secret is hidden, and that there is none is no secret."""

from __future__ import annotations

import pytest

from provd.model.scrub import HIDDEN
from provd.plugin.scrub import scrub_value


@pytest.mark.parametrize("value", ["geheim", "", {"file": "/etc/x"}, ["a"], 5])
def test_what_a_secret_key_has_is_hidden(value: object) -> None:
    assert scrub_value({"entry": [{"password": value}]}) == {"entry": [{"password": HIDDEN}]}


def test_a_secret_key_that_has_nothing_says_so() -> None:
    assert scrub_value({"password": None, "title": "x"}) == {"password": None, "title": "x"}
