"""`provd` on a disk that fails: from the first SIGUSR1 on, every write and sync of a file ends with EIO."""

from __future__ import annotations

import signal

from provd.__main__ import main
from tests.fakes.refused_calls import refuse


def fail(_signal: int, _frame: object) -> None:
    refuse("pwrite64", "pwritev2", "fsync", "fdatasync")


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, fail)
    main()
