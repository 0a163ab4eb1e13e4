"""``provd lint``: its exit code says whether machines would be refused by their installer."""

from __future__ import annotations

import sys
from typing import Any

from provd.cli.context import REFUSED, Context
from provd.cli.dynamic import Refinement
from provd.cli.output import show, waiting


def _judge(context: Context, operation: str, values: dict[str, Any], output: str) -> None:
    with waiting("the judges read"):
        rows = context.client.call(operation, values)
    show(rows, output)
    if any(row["level"] == "error" for row in rows):
        sys.exit(REFUSED)


LINT = Refinement(call=_judge)
