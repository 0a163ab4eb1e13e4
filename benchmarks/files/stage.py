"""One contender at a time, of one daemon or several: started, asked until it answers, measured, stopped."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.files.groups import Group
from benchmarks.files.servers import Contender

_START_S: Final = 30.0


class Server:
    """The daemons of a contender and the processes they start.

    Args:
        contender: which server.
        folder: for its configuration.
        content: folder of what it serves.
        namespace: where it runs.
        core: the only processor it may use, or None.
    """

    def __init__(self, contender: Contender, folder: Path, content: Path, namespace: str, core: int | None) -> None:
        self.name = contender.name
        self._group = Group(f"provd-bench-{os.getpid()}")
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        before = [*self._group.argv(), "ip", "netns", "exec", namespace, *pinned]
        self._output = folder / "output"
        with self._output.open("ab") as output:
            self._daemons = [
                subprocess.Popen([*before, *argv], stdout=output, stderr=output)
                for argv in contender.prepare(folder, content)
            ]

    def wait(self, answers: Callable[[], bool]) -> None:
        """Until it answers.

        Raises:
            SystemExit: it does not.
        """
        end = time.monotonic() + _START_S
        while not answers():
            if time.monotonic() > end or any(daemon.poll() is not None for daemon in self._daemons):
                raise SystemExit(f"{self.name} does not answer: {self._output.read_text()[-1000:]}")

    def cpu_s(self) -> float:
        """Seconds of processor time so far, of every process that it started."""
        return self._group.cpu_s()

    def memory_mib(self) -> float:
        """Memory of all its processes, what they share counted once."""
        found = (re.search(r"\nPss:\s+(\d+)", _read(process, "smaps_rollup")) for process in self._family())
        return sum(int(one[1]) for one in found if one) / 1024

    def stop(self) -> None:
        """End them and wait for them."""
        for daemon in self._daemons:
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._group.remove()

    def _family(self) -> list[int]:
        members = [daemon.pid for daemon in self._daemons]
        for one in members:
            members += map(int, _read(one, f"task/{one}/children").split())
        return members


def _read(process: int, name: str) -> str:
    try:
        return Path(f"/proc/{process}/{name}").read_text()
    except OSError:
        return ""


@contextmanager
def running(contender: Contender, content: Path, namespace: str, core: int | None = None) -> Iterator[Server]:
    """A fresh server, stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        server = Server(contender, Path(name), content, namespace, core)
        try:
            yield server
        finally:
            server.stop()
