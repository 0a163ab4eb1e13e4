"""Names by pattern."""

from __future__ import annotations

import re

import pytest

from provd.config.layers import NAME
from provd.core.naming import name_of, pattern_fault

FACTS = {"mac": "52-54-00-00-00-01", "uuid": "4c4c4544-0000", "subnet": "10.2.0.0/24", "port": "ge-0/0/7", "arch": ""}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("node-{number:3}", "node-003"),
        ("node{number}", "node3"),
        ("{mac}", "52-54-00-00-00-01"),
        ("r-{port}", "r-ge-0-0-7"),
        ("{subnet}-{number}", "10.2.0.0-24-1"),
        ("{arch}-{mac}", ""),
    ],
)
def test_names(pattern: str, name: str) -> None:
    assert pattern_fault(pattern) == ""
    made = name_of(pattern, FACTS, {"node-001", "node-002", "node1", "node2"}.__contains__)
    assert made == name
    assert not made or NAME.fullmatch(made)


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("node", "is the same for every machine"),
        ("{subnet}", "is the same for every machine"),
        ("{rack}-{number}", r"\{rack\} is none of \{mac\}"),
        ("a b{number}", "makes no name"),
        ("-{number}", "makes no name"),
        ("{number:12}", "makes no name"),
        ("", "makes no name"),
    ],
)
def test_patterns_that_make_no_names(pattern: str, fault: str) -> None:

    assert re.search(fault, pattern_fault(pattern))
