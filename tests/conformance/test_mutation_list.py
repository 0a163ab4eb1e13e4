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


OF_THE_TREE = Mutation("D001", "program.py", "LIMIT = 16", "LIMIT = 17")
ITS_TESTS = [("test_program.py", "test_loose"), ("test_program.py", "test_strict")]


@pytest.fixture
def hashed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tree that hashes are of: nobody works on this one while the tests run."""
    monkeypatch.setattr("tests.conformance.mutations.ROOT", tree)
    monkeypatch.setattr("tests.conformance.mutations.TESTS", tree / "tests")
    return tree


def test_a_change_after_the_run_is_shown_as_such(hashed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"result": CAUGHT, "date": "2026-11-26", "hash": content_hash(OF_THE_TREE, ITS_TESTS)}
    monkeypatch.setattr(page, "mutations", lambda: {"D001": OF_THE_TREE, "D002": OF_THE_TREE})
    monkeypatch.setattr(page, "kept", lambda: {"D001": row})
    assert page.mutation_outcome("D001", ITS_TESTS) == "caught 2026-11-26"
    (hashed / "program.py").write_text("LIMIT = 16\nMORE = 1\n")
    assert page.mutation_outcome("D001", ITS_TESTS) == "stale: caught 2026-11-26"
    assert page.mutation_outcome("D002", ITS_TESTS) == "not run yet"
    assert page.mutation_outcome("Z01", ITS_TESTS) == "no mutation yet"


@pytest.mark.usefixtures("hashed")
def test_the_hash_follows_the_mutation_and_the_tests() -> None:
    before = content_hash(OF_THE_TREE, ITS_TESTS)
    assert content_hash(OF_THE_TREE, ITS_TESTS) == before
    assert content_hash(OF_THE_TREE, ITS_TESTS[1:]) != before
    assert content_hash(Mutation("D001", "program.py", OF_THE_TREE.old, "pass"), ITS_TESTS) != before


def test_the_hash_follows_what_the_tests_say(hashed: Path) -> None:
    before = content_hash(OF_THE_TREE, ITS_TESTS)
    file = hashed / "tests" / "test_program.py"
    file.write_text(file.read_text().replace("== 16", ">= 16"))
    assert content_hash(OF_THE_TREE, ITS_TESTS) != before
