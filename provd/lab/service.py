"""`provd run` on a host of a private network, watched through its local socket."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from provd.api.client import ApiError, LocalClient, NotReachableError
from provd.lab.errors import LabError
from provd.lab.network import Host

_START_S = 30.0


class RunningService:
    """The service, from ready to stopped.

    Args:
        host: where it listens.
        config: ``provd.toml``; its ``socket`` must be ``socket``.
        socket: path of the local socket.
        name: of its log file.
        python: interpreter that has provd.
    """

    def __init__(
        self, host: Host, config: Path, socket: Path, name: str = "provd", python: str | Path = sys.executable
    ) -> None:
        self.host = host
        self.config = config
        self.socket = socket
        argv = [str(python), "-m", "provd", "run", "--config", str(config)]
        self.process = host.start(name, argv)
        self.client = LocalClient(str(socket))

    def wait_ready(self, timeout_s: float = _START_S) -> None:
        """Wait until it answers on its socket.

        Raises:
            LabError: it ended, or did not answer in time; the sentence has the last lines of its log.
        """
        until = time.monotonic() + timeout_s
        error: LabError | None = None
        while time.monotonic() < until and self.process.running():
            try:
                self.call("status")
            except LabError as caught:
                error = caught
                time.sleep(0.1)
            else:
                return
        last = "\n".join(self.process.text().splitlines()[-8:])
        why = f"did not answer within {timeout_s:.0f} s ({error})" if self.process.running() else "ended at once"
        msg = f"provd run {why}; its log {self.process.log} ends with:\n{last}"
        raise LabError(msg)

    def call(self, operation: str, **arguments: object) -> Any:
        """Run an operation of the service; its result as plain values.

        Raises:
            LabError: it refused, or nobody answers.
        """
        try:
            return self.client.call(operation, arguments)
        except (ApiError, NotReachableError) as error:
            msg = f"provd, operation {operation}: {error}"
            raise LabError(msg) from error

    def memory_kib(self) -> int:
        """Resident memory of the service."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def boots(self, system: str) -> Sequence[Mapping[str, Any]]:
        """Boot sessions of a system or MAC, the oldest first."""
        rows: Sequence[Mapping[str, Any]] = self.call("boots", system=system, limit=20)
        return sorted(rows, key=lambda row: float(row["started_at"]))

    def events(self, system: str, session: str = "", after: int = 0) -> Sequence[Mapping[str, Any]]:
        """Timeline rows of a boot, the newest if none is named: ``id``, ``at``, ``kind``, ``text``, ``fields``."""
        trace = self.call("trace", system=system, session=session, after=after)
        rows: Sequence[Mapping[str, Any]] = trace["events"]
        return rows

    def stop(self) -> int:
        """End it cleanly; its exit code."""
        return self.process.stop()
