"""``provd`` and ``python -m provd``."""

from __future__ import annotations

import sys

from provd.compiled import use_compiled


def main() -> None:
    """The command line; the service takes the compiled DHCP path where there is one, before anything imports it."""
    if "run" in sys.argv[1:]:
        use_compiled()
    from provd.commands import main as command_line

    command_line()


if __name__ == "__main__":
    main()
