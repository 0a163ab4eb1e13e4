"""Which rules and rows the names of tests stand for.

Names say which: ``test_row_16_...``, ``test_rows_15_to_20_and_30_...``, ``test_C05_...``, ``test_d001_r04_...``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]


def named(name: str) -> tuple[set[int], set[str]]:
    """Rows and rules that the name of a test stands for."""
    words = name.removeprefix("test_").replace("_", " ")
    rules = {word.upper() for word in re.findall(r"\b[A-Za-z]\d{2,3}\b", words)}
    rows: set[int] = set()
    for group in re.findall(r"\brows? ?(\d+(?: (?:to |and )?\d+)*)\b", words):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", group):
            rows |= set(range(int(first), int(last or first) + 1))
    return rows, rules


def every_test() -> Iterator[tuple[str, str]]:
    """File (relative to the tests) and name of every test, read from the sources."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield str(path.relative_to(TESTS)), node.name


def ids_to_tests() -> dict[str, list[tuple[str, str]]]:
    """File and name of the tests of each rule."""
    found: dict[str, list[tuple[str, str]]] = {}
    for file, name in every_test():
        for rule in named(name)[1]:
            found.setdefault(rule, []).append((file, name))
    return {rule: sorted(where) for rule, where in found.items()}
