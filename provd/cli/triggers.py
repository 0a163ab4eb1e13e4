"""``provd trigger test`` and ``replay``: their exit code says whether the run failed."""

from __future__ import annotations

import sys
from typing import Any

from provd.cli.context import REFUSED, Context
from provd.cli.dynamic import Refinement
from provd.cli.output import show_result, waiting


def _run(context: Context, operation: str, values: dict[str, Any], output: str) -> None:
    with waiting("the trigger runs"):
        run = context.client.call(operation, values)
    show_result(operation, run, output)
    if run.get("ok") is False:
        sys.exit(REFUSED)


RUN = Refinement(call=_run)
