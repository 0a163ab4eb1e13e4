"""The page about answers is what the installers do with them."""

from __future__ import annotations

from tests.docs.answers_page import FAMILIES, PAGE, PROBES, keys, page
from tests.plugins.test_shipped_answers import catalogue, installers


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.docs.answers_page"


def test_every_answer_of_every_installer_is_on_it() -> None:
    assert {catalogue().distros[distro].installer for distro in FAMILIES} == set(installers())
    assert {name: keys(one) - set(PROBES) for name, one in installers().items() if keys(one) - set(PROBES)} == {}
