"""``provd`` and ``python -m provd``."""

from __future__ import annotations

from pathlib import Path

from provd.cli.main import build_cli


def run(config: Path) -> int:
    """Run the service; imported here, so that every other command starts quickly."""
    from provd.app.run import run as run_service

    return run_service(config)


def main() -> None:
    """The command line."""
    build_cli(run)()


if __name__ == "__main__":
    main()
