"""Every row of the requirements that holds now has a test that is named by it.

Names say which: ``test_row_16_...``, ``test_rows_15_to_20_and_30_...``, ``test_C05_...``, ``test_d001_r04_...``.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
#: The way of an unattended installation.
INSTALL_ROWS = frozenset({*range(15, 21), 24, 25, *range(30, 37), 38, 40})
#: Incidents of the field.
SECURITY_ROWS = frozenset(
    ["C05", "C07", "C08", "C09", "C10", "C14", "C16", "C17", "C18", "C20", "C21", "C22", "C23", "C24", "C25", "C28"]
)
#: Protocol rules: how many there are of each letter, and those that need what provd does not have yet.
RULES = {"D": 19, "A": 13, "O": 12, "R": 16, "X": 8, "I": 6, "L": 12, "P": 15, "T": 25, "H": 12}
LATER = {
    "A13": "relay flags sub-option",
    "O03": "probing an address before its first offer",
    "I06": "limits per port against random identities",
    "L09": "shared networks",
    "L12": "relay source port",
    "P08": "proxy DHCP",
    "P09": "port 4011",
}


def rule(letter: str, number: int) -> str:
    """Id of a rule as it is written; those of messages have three digits."""
    return f"{letter}{number:03}" if letter == "D" else f"{letter}{number:02}"


ALL_RULES = frozenset(rule(letter, number) for letter, count in RULES.items() for number in range(1, count + 1))


def named(name: str) -> tuple[set[int], set[str]]:
    """Rows and rules that the name of a test stands for."""
    words = name.removeprefix("test_").replace("_", " ")
    rules = {word.upper() for word in re.findall(r"\b[A-Za-z]\d{2,3}\b", words)}
    rows: set[int] = set()
    for group in re.findall(r"\brows? ?(\d+(?: (?:to |and )?\d+)*)\b", words):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", group):
            rows |= set(range(int(first), int(last or first) + 1))
    return rows, rules


def names() -> list[str]:
    """Names of all tests, read from the sources."""
    trees = (ast.parse(path.read_text()) for path in TESTS.rglob("test_*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return [
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]


@pytest.mark.parametrize(
    ("name", "rows", "rules"),
    [
        ("test_row_15_loaders", {15}, set()),
        ("test_row15_loaders", {15}, set()),
        ("test_rows_15_to_18_and_30_a_boot", {15, 16, 17, 18, 30}, set()),
        ("test_row_9_and_14_nobody", {9, 14}, set()),
        ("test_t23_c20_paths", set(), {"T23", "C20"}),
        ("test_D019_C14_names", set(), {"D019", "C14"}),
        ("test_arrows_15_fly", set(), set()),
    ],
)
def test_how_names_are_read(name: str, rows: set[int], rules: set[str]) -> None:
    assert named(name) == (rows, rules)


def test_every_row_that_holds_now_has_a_test_of_its_name() -> None:
    rows: set[int] = set()
    rules: set[str] = set()
    for name in names():
        more_rows, more_rules = named(name)
        rows |= more_rows
        rules |= more_rules
    assert sorted(INSTALL_ROWS - rows) == []
    assert sorted((SECURITY_ROWS | ALL_RULES) - LATER.keys() - rules) == []
    assert sorted(LATER.keys() & rules) == [], "has a test now: it is no longer for later"


def test_the_page_explains_every_row_that_holds_now() -> None:
    page = (TESTS.parent / "docs" / "requirements.md").read_text()
    explained = set(re.findall(r"^\| (\w+) \|", page, flags=re.MULTILINE)) - {"row", "id", "letter"}
    wanted = {str(row) for row in INSTALL_ROWS} | SECURITY_ROWS
    assert {name for name in explained if len(name) > 1} == wanted
    letters = re.findall(r"^\| ([A-Z](?:, [A-Z])*) \|", page, flags=re.MULTILINE)
    assert {letter for group in letters for letter in group.split(", ")} == set(RULES)
