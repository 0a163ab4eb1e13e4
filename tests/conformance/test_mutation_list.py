"""Every rule can be switched off: the list of mutations is complete and fits the program as it is now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import page
from tests.conformance.ids import ids_to_tests
from tests.conformance.mutate import CAUGHT, SURVIVED, try_one
from tests.conformance.mutations import LIST, ROOT, Mutation, content_hash, mutations
from tests.conformance.page import WITHOUT_MUTATION, rules

EVERY = mutations()


def test_every_rule_that_is_kept_has_a_mutation() -> None:
    held = ids_to_tests()
    expected = {rule for rule in rules() if rule in held and rule[0] not in WITHOUT_MUTATION}
    assert sorted(expected - EVERY.keys()) == [], f"add a line to {LIST.relative_to(ROOT)}"
    assert sorted(EVERY.keys() - rules().keys()) == []


@pytest.mark.parametrize("rule", EVERY)
def test_its_text_stands_once_in_its_file(rule: str) -> None:
    assert EVERY[rule].fault() == ""


def test_no_two_rules_are_switched_off_by_the_same_change() -> None:
    changes = [(one.file, one.old, one.new) for one in EVERY.values()]
    assert len(set(changes)) == len(changes)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A program of one line, and a test that notices when it changes."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "program.py").write_text("LIMIT = 16\n")
    (tmp_path / "tests" / "test_program.py").write_text(
        "import program\n\n\ndef test_strict() -> None:\n    assert program.LIMIT == 16\n\n\n"
        "def test_loose() -> None:\n    assert program.LIMIT\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("test", "new", "result"),
    [
        ("test_strict", "LIMIT = 17", CAUGHT),
        ("test_loose", "LIMIT = 17", SURVIVED),
        ("test_nothing", "LIMIT = 17", "pytest ended with 4: "),
    ],
)
def test_a_mutation_is_tried_and_taken_back(tree: Path, test: str, new: str, result: str) -> None:
    outcome = try_one(Mutation("D001", "program.py", "LIMIT = 16", new), [("test_program.py", test)], tree)
    assert outcome.result.startswith(result)
    assert (tree / "program.py").read_text() == "LIMIT = 16\n"


def test_a_mutation_that_does_not_apply_is_told(tree: Path) -> None:
    gone = Mutation("D001", "program.py", "LIMIT = 99", "LIMIT = 1")
    assert "stands 0 times in program.py" in try_one(gone, [("test_program.py", "test_strict")], tree).result
    assert "no test bears its id" in try_one(Mutation("D001", "program.py", "16", "17"), [], tree).result
    with pytest.raises(ValueError, match=r"there is no nowhere\.py"):
        Mutation("D001", "nowhere.py", "a", "b").apply(tree)


def test_a_change_after_the_run_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = ids_to_tests()["D001"]
    row = {"result": CAUGHT, "date": "2026-11-26", "hash": content_hash(EVERY["D001"], tests)}
    for hash_, told in ((row["hash"], "caught 2026-11-26"), ("other", "stale: caught 2026-11-26")):
        monkeypatch.setattr(page, "kept", lambda hash_=hash_: {"D001": {**row, "hash": hash_}})
        assert page.mutation_outcome("D001", tests) == told
    assert page.mutation_outcome("D002", tests) == "not run yet"
    assert page.mutation_outcome("Z01", tests) == "no mutation yet"


def test_the_hash_follows_the_mutation_and_the_tests() -> None:
    one = EVERY["D001"]
    tests = ids_to_tests()["D001"]
    before = content_hash(one, tests)
    assert content_hash(one, tests) == before
    assert content_hash(one, tests[1:]) != before
    assert content_hash(Mutation("D001", one.file, one.old, "pass"), tests) != before
