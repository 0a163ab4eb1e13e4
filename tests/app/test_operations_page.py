"""docs/operations.md is what the operations table says, and the table says everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.app.operations_page import page, table
from provd.plugin.contract import Operation
from provd.service.operations import PERMISSIONS, NoArguments

ROOT = Path(__file__).parents[2]
OPERATIONS = table().all()


def test_the_page_is_fresh() -> None:
    assert (ROOT / "docs" / "operations.md").read_text() == page(OPERATIONS), "run: python -m provd.app.operations_page"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_every_operation_has_summary_permission_example_and_result(operation: Operation) -> None:
    assert operation.permission in PERMISSIONS
    assert operation.summary.endswith(".")
    assert operation.result.endswith(".")
    words = operation.example.split()
    assert words[0] == "provd"
    assert operation.name.replace(".", " ").split()[0] in words


def test_the_page_changes_with_the_table() -> None:
    more = Operation("zone.sync", "Write it.", "admin", NoArguments, print, "provd zone sync", "What was written.")
    told = page([*OPERATIONS, more])
    assert "### `zone.sync`" in told
    assert told.startswith(page(OPERATIONS))
