"""``provd lint``: its exit code says whether machines would be refused by their installer.

The running service judges, with the machines that it has; where none answers, a provd in memory with the same files.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from provd.cli.context import REFUSED, Context
from provd.cli.dynamic import Refinement
from provd.cli.output import show, waiting


def _judge(context: Context, operation: str, values: dict[str, Any], output: str) -> None:
    from provd.api.client import NotReachableError

    with waiting("the judges read"):
        try:
            rows = context.client.call(operation, values)
        except NotReachableError as error:
            if context.server or context.in_memory is None or not Path(context.config).exists():
                raise
            told = f"judged from the files of {context.config}, without machines added by commands"
            click.echo(f"provd: {told}: {error}", err=True)
            rows = context.in_memory(Path(context.config)).call(operation, values)
    show(rows, output, noun="lint")
    if any(row["level"] == "error" for row in rows):
        sys.exit(REFUSED)


LINT = Refinement(call=_judge)
