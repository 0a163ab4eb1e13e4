"""Writes docs/conformance.md from the rules and from the names of the tests: ``python -m tests.conformance.page``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from provd.config import toml
from tests.conformance.ids import ids_to_tests
from tests.conformance.mutate import CAUGHT, kept
from tests.conformance.mutations import content_hash, mutations

PAGE: Final = Path(__file__).parents[2] / "docs" / "conformance.md"
_RULES: Final = Path(__file__).with_name("rules.toml")

#: Rules that need what provd does not have yet, and what that is.
LATER: Final = {
    "I06": "no limits per relay port",
    "L09": "no shared networks",
}

#: Groups of rules, by the first letter of their ids, whose mutations are not written yet.
WITHOUT_MUTATION: Final = "TH"

_HEAD: Final = """# Conformance

Every protocol rule that provd keeps, where it is written, and the tests that hold it. This page is generated from the
names of the tests (`python -m tests.conformance.page`); a test fails when a rule has no test or this page is stale.

The last column says what became of the rule when it was switched off in a copy of the program (`make test-long`, or
`python -m tests.conformance.mutate --record`): *caught* means that its tests failed then, as they must; *stale* that the
program or the tests were changed since.
"""


def groups() -> dict[str, dict[str, Any]]:
    """Title and rules of each group, as the file has them."""
    return toml.read(_RULES)


def rules() -> dict[str, tuple[str, str]]:
    """Sentence and source of each rule."""
    return {
        rule: (row[0], row[1]) for group in groups().values() for rule, row in group.items() if isinstance(row, list)
    }


def page() -> str:
    """The page as it should be."""
    held = ids_to_tests()
    every = rules()
    outcomes = {rule: mutation_outcome(rule, held.get(rule, [])) for rule in every}
    done = sum(rule in held for rule in every)
    caught = sum(text.startswith(CAUGHT) for text in outcomes.values())
    parts = [_HEAD, f"Rules with tests: {done} of {len(every)}; switched off and caught: {caught}.\n"]
    for group in groups().values():
        parts.append(f"## {group['title']}\n")
        parts.append("| id | rule | source | tests | switched off |\n| --- | --- | --- | --- | --- |")
        for rule, row in group.items():
            if isinstance(row, list):
                parts.append(f"| {rule} | {row[0]} | {row[1]} | {_tests(rule, held)} | {outcomes[rule]} |")
        parts.append("")
    return "\n".join(parts)


def mutation_outcome(rule: str, tests: list[tuple[str, str]]) -> str:
    """What became of the rule's mutation in the last run that was kept."""
    mutation, row = mutations().get(rule), kept().get(rule)
    if mutation is None:
        return "no mutation yet"
    if row is None:
        return "not run yet"
    told = f"{row['result']} {row['date']}"
    return told if row["hash"] == content_hash(mutation, tests) else f"stale: {told}"


def _tests(rule: str, held: dict[str, list[tuple[str, str]]]) -> str:
    files: dict[str, list[str]] = {}
    for file, name in held.get(rule, ()):
        files.setdefault(file, []).append(f"`{name}`")
    if not files:
        return f"none: {LATER[rule]}" if rule in LATER else "none"
    return "<br>".join(f"{file}: {', '.join(names)}" for file, names in files.items())


if __name__ == "__main__":
    PAGE.write_text(page())
