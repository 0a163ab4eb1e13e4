"""Runs a module with a wall clock that a file moves: ``python -m tests.faults.shifted_clock FILE -m MODULE WORDS``.

Only the time of day is another; timers, sockets and everything else are the machine's.
"""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path


def main() -> None:
    """Move the clock, then be the module."""
    file, option, module, *words = sys.argv[1:]
    assert option == "-m"
    path, real = Path(file), time.time  # noqa: TID251  this is the clock
    time.time = lambda: real() + float(path.read_text())  # noqa: TID251  as above
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
