"""Control groups, which count the processor time of processes that end unseen, as the children of tftpd-hpa do."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_ROOTS: Final = (Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup"))
_REMOVE_S: Final = 2.0


class Group:
    """A control group of version 1 (cpuacct) or 2.

    Args:
        name: of its folder.

    Raises:
        SystemExit: this machine has no control groups that may be written.
    """

    def __init__(self, name: str) -> None:
        root = next((one for one in _ROOTS if (one / "cgroup.procs").exists()), None)
        if root is None:
            raise SystemExit("processor time is counted by control groups, and /sys/fs/cgroup has none")
        self._folder = root / name
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise SystemExit(f"no control group can be made below {root}: {error.strerror}") from error

    def argv(self) -> list[str]:
        """Command line that stands before another one, which then runs in the group."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._folder / "cgroup.procs")]

    def cpu_s(self) -> float:
        """Seconds of processor time of all that is or was in it."""
        first = self._folder / "cpuacct.usage"
        if first.exists():
            return int(first.read_text()) / 1e9
        words = (self._folder / "cpu.stat").read_text().split()
        return int(words[words.index("usage_usec") + 1]) / 1e6

    def remove(self) -> None:
        """Once its last process is gone."""
        end = time.monotonic() + _REMOVE_S
        while self._folder.exists() and time.monotonic() < end:
            with suppress(OSError):
                self._folder.rmdir()
            time.sleep(0.02)
