"""Child processes with a log file that always end."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from provd.lab.errors import LabError

_TERM_GRACE_S = 12.0


class Process:
    """One running program whose output goes to a file."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, pass_fds: Sequence[int] = ()) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = log
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                list(argv), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, pass_fds=tuple(pass_fds)
            )

    @property
    def pid(self) -> int:
        """Its process id; programs started through ``ip netns exec`` keep it."""
        return self._popen.pid

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    def wait(self, timeout_s: float) -> int:
        """Its exit code.

        Raises:
            LabError: it did not end in time.
        """
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            msg = f"{self.name} still runs after {timeout_s:.0f} s; its log is {self.log}"
            raise LabError(msg) from None

    def signal(self, number: int) -> None:
        """Send a signal if it still runs."""
        if self.running():
            self._popen.send_signal(number)

    def text(self) -> str:
        """Everything it printed so far."""
        return self.log.read_text(errors="replace")

    def wait_for_text(self, text: str, timeout_s: float) -> None:
        """Wait until its log has a text.

        Raises:
            LabError: it ended before, or the time is over; the sentence has the last lines of the log.
        """
        until = time.monotonic() + timeout_s
        while text not in self.text():
            if not self.running() or time.monotonic() > until:
                state = "still runs" if self.running() else f"ended with code {self._popen.returncode}"
                last = "\n".join(self.text().splitlines()[-8:])
                msg = f"{self.name}: no {text!r} in {self.log} within {timeout_s:.0f} s, it {state}:\n{last}"
                raise LabError(msg)
            time.sleep(0.05)

    def stop(self) -> int:
        """End it, with force after a while; its exit code."""
        self.signal(15)
        try:
            return self._popen.wait(_TERM_GRACE_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    """The process, stopped at the end of the block."""
    try:
        yield process
    finally:
        process.stop()
