"""``provd`` and ``python -m provd``."""

from __future__ import annotations

import os
from pathlib import Path

from provd.cli.completion import be_quiet, is_asked
from provd.cli.main import build_cli


def run(config: Path) -> int:
    """Run the service; imported here, so that every other command starts quickly."""
    from provd.app.run import run as run_service

    return run_service(config)


def main() -> None:
    """The command line."""
    if is_asked(os.environ):
        be_quiet()
    build_cli(run)(prog_name="provd")


if __name__ == "__main__":
    main()
