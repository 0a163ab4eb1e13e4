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
LATER: Final[dict[str, str]] = {}

#: Groups of rules, by the first letter of their ids, whose mutations are not written yet.
WITHOUT_MUTATION: Final = "TH"

_HEAD: Final = """# Conformance

Every protocol rule that provd keeps, where it is written, and the tests that hold it. This page is generated from the
names of the tests (`python -m tests.conformance.page`); a test fails when a rule has no test or this page is stale.

The last column says what became of the rule when it was switched off in a copy of the program (`make test-long`, or
`python -m tests.conformance.mutate --record`): *caught* means that its tests failed then, as they must; *stale* that the
program or the tests were changed since.
"""


_CORRECTED: Final = """## Sections that were corrected

The list that these rules were collected in cited some sections wrongly. What the texts say:

| rule | was cited as | is |
| --- | --- | --- |
| D019 | RFC 4702 section 3 | sections 2.3 (the name) and 4 (servers) |
| O09 | RFC 2131 section 4.1 | section 4.3.1: what an address is chosen by; neither secs nor flags is named |
| R14 | RFC 2131 section 3.1, step 5 | step 4, and section 4.3.2 ("SHOULD NOT conflict") |
| R15 | RFC 2131 section 2 | section 2.1 (persistent storage), and section 3.1, step 4 |
| R16 | RFC 2131 section 4.3.2 | section 4.3.1: the previous, now expired binding |
| R02, R03 | RFC 2131 section 3.1, step 5 | step 4 |
| X02 | RFC 2131 section 4.4.4 | table 5, in section 4.4.1 |
| X06 | RFC 2131 section 4.3.5 | section 3.4 as well: no binding is looked for, the network address is checked |
| L06 | RFC 3527 section 4 | section 3 |
| L12 | RFC 8357 section 4 | section 5.1 |
| I03 | against RFC 2131 section 4.3.1, table 3 | RFC 6842 section 3 replaces that row of the table |

Two rules deliberately differ from the letter of RFC 2131: a lease is renewed with the configured time whether the client
asked for a time or not (section 4.3.1 would return the remaining time), and a class by option 60 may name the beginning
of the value (section 4.3.1 asks for an exact match), because firmware writes its version into it.
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
    return "\n".join([*parts, _CORRECTED])


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
