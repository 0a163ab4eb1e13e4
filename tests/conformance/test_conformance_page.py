"""docs/conformance.md says what the tests hold."""

from __future__ import annotations

from tests.conformance.ids import ids_to_tests
from tests.conformance.page import LATER, PAGE, page, rules


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.conformance.page"


def test_every_rule_has_a_test() -> None:
    held = ids_to_tests()
    every = rules()
    assert len(every) == 138
    assert sorted(every.keys() - held.keys() - LATER.keys()) == []
    assert sorted(LATER.keys() & held.keys()) == [], "has a test now: it is no longer for later"


def test_every_rule_names_its_source() -> None:
    for rule, (sentence, source) in rules().items():
        assert sentence.endswith("."), rule
        assert source, rule
