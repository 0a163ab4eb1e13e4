"""Completion in bash, zsh and fish: names of objects come from the service, quickly, and silently where that fails."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import MutableMapping
from typing import Final

import click

from provd.cli.context import example

VARIABLE: Final = "_PROVD_COMPLETE"
"""Set by the shell's script when it asks for completions."""

PATIENCE_S: Final = 1.0
"""Seconds after which nothing is offered: a person waits for the next key."""

SHELLS: Final = ("bash", "zsh", "fish")


def is_asked(environment: MutableMapping[str, str]) -> bool:
    """Whether a shell asks for completions (and not for its script)."""
    return environment.get(VARIABLE, "").endswith("_complete")


def be_quiet() -> None:
    """Say nothing on standard error, and end without a word when it takes too long; for this whole process."""
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  it lives as long as the process
    signal.signal(signal.SIGALRM, lambda _number, _frame: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)


@click.command(
    epilog=example(
        "provd completion bash > /usr/share/bash-completion/completions/provd",
        "provd completion zsh > /usr/share/zsh/vendor-completions/_provd",
        "provd completion fish > /usr/share/fish/vendor_completions.d/provd.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and names of objects in SHELL."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:  # pragma: no cover - click has all three
        raise click.ClickException(f"this version of click has no completion for {shell}")
    click.echo(made(ctx.find_root().command, {}, "provd", VARIABLE).source())
