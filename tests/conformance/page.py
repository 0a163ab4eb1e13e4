"""Writes docs/conformance.md from the rules and from the names of the tests: ``python -m tests.conformance.page``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from provd.config import toml
from tests.conformance.ids import ids_to_tests

PAGE: Final = Path(__file__).parents[2] / "docs" / "conformance.md"
_RULES: Final = Path(__file__).with_name("rules.toml")

#: Rules that need what provd does not have yet, and what that is.
LATER: Final = {
    "I06": "no limits per relay port",
    "L09": "no shared networks",
}

_HEAD: Final = """# Conformance

Every protocol rule that provd keeps, where it is written, and the tests that hold it. This page is generated from the
names of the tests (`python -m tests.conformance.page`); a test fails when a rule has no test or this page is stale.
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
    done = sum(rule in held for rule in every)
    parts = [_HEAD, f"Rules with tests: {done} of {len(every)}.\n"]
    for group in groups().values():
        parts.append(f"## {group['title']}\n")
        parts.append("| id | rule | source | tests |\n| --- | --- | --- | --- |")
        for rule, row in group.items():
            if isinstance(row, list):
                parts.append(f"| {rule} | {row[0]} | {row[1]} | {_tests(rule, held)} |")
        parts.append("")
    return "\n".join(parts)


def _tests(rule: str, held: dict[str, list[tuple[str, str]]]) -> str:
    files: dict[str, list[str]] = {}
    for file, name in held.get(rule, ()):
        files.setdefault(file, []).append(f"`{name}`")
    if not files:
        return f"none: {LATER[rule]}" if rule in LATER else "none"
    return "<br>".join(f"{file}: {', '.join(names)}" for file, names in files.items())


if __name__ == "__main__":
    PAGE.write_text(page())
