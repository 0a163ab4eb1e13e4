"""Every row of the requirements that holds now has a test that is named by it.

Names say which: ``test_row_16_...``, ``test_rows_15_to_20_and_30_...``, ``test_C05_...``, ``test_d001_r04_...``.
"""

from __future__ import annotations

import re

import pytest

from tests.conformance.ids import TESTS, every_test, named

#: The way of an unattended installation.
INSTALL_ROWS = frozenset({5, 6, *range(8, 21), 24, 25, *range(26, 41), *range(42, 73)})
#: Incidents of the field.
SECURITY_ROWS = frozenset(
    [
        "C05",
        "C07",
        "C08",
        "C09",
        "C10",
        "C13",
        "C14",
        "C16",
        "C17",
        "C18",
        "C19",
        "C20",
        "C21",
        "C22",
        "C23",
        "C24",
        "C25",
        "C28",
    ]
)


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
    for _, name in every_test():
        more_rows, more_rules = named(name)
        rows |= more_rows
        rules |= more_rules
    assert sorted(INSTALL_ROWS - rows) == []
    assert sorted(SECURITY_ROWS - rules) == []


def test_the_page_explains_every_row_that_holds_now() -> None:
    page = (TESTS.parent / "docs" / "requirements.md").read_text()
    explained = set(re.findall(r"^\| (\w+) \|", page, flags=re.MULTILINE)) - {"row", "id", "letter"}
    wanted = {str(row) for row in INSTALL_ROWS} | SECURITY_ROWS
    assert {name for name in explained if len(name) > 1 or name.isdigit()} == wanted
    letters = re.findall(r"^\| ([A-Z](?:, [A-Z])*) \|", page, flags=re.MULTILINE)
    assert {letter for group in letters for letter in group.split(", ")} == set("DAORXILPTH")
