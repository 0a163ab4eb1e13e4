"""Every command of the command line, put together."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from provd.cli.completion import be_quiet, is_asked
from provd.cli.context import Client, local_client
from provd.cli.dynamic import OperationGroup
from provd.cli.main import build_cli
from provd.planning.command import plan
from provd.planning.replay_command import replay
from provd.testing.command import check
from provd.testing.simulate_command import simulate


def run(config: Path) -> int:
    """Run the service; imported here, so that every other command starts quickly."""
    from provd.app.run import run as run_service

    return run_service(config)


def command_line(make_client: Callable[[str], Client] = local_client) -> OperationGroup:
    """Every command, those of floors above the command line too.

    Args:
        make_client: makes a client for a socket path.
    """
    return build_cli(run, make_client, {"": (simulate, plan, replay), "plugin": (check,)}, in_memory)


def in_memory(config: Path) -> Client:
    """A provd in memory; imported here, as the service is."""
    from provd.testing.memory_client import MemoryClient

    return MemoryClient(config)


def main() -> None:
    """The command line."""
    if is_asked(os.environ):
        be_quiet()
    command_line()(prog_name="provd")
