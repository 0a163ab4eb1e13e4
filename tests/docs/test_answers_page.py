"""The page about answers is what the installers do with them."""

from __future__ import annotations

import re

from provd.core.answer_shapes import answer_fault
from tests.docs.answers_page import FAMILIES, PAGE, PROBES, keys, page
from tests.plugins.test_shipped_answers import catalogue, installers


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.docs.answers_page"


def test_every_answer_of_every_installer_is_on_it() -> None:
    assert {catalogue().distros[distro].installer for distro in FAMILIES} == set(installers())
    assert {name: keys(one) - set(PROBES) for name, one in installers().items() if keys(one) - set(PROBES)} == {}


def test_every_key_of_a_user_is_on_it() -> None:
    _, _, rows = page().partition("| key of `users` |")
    named = re.findall(r"^\| `(\w+)` \|", rows.partition("\n## ")[0], re.MULTILINE)
    assert answer_fault({"users": [dict.fromkeys([*named[:1]], "ada")]}) == ""
    for key in named:
        assert "is not known" not in answer_fault({"users": [{"name": "ada", key: 0}]})
    assert answer_fault({"users": [{"name": "ada", "zz": 0}]}).endswith(f"a user has {', '.join(named)}")
