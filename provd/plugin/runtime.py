"""What a plugin may do besides answering: start a process, speak HTTP, wait."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended.

    Attributes:
        status: exit status; minus the signal number where a signal ended it.
        stdout: its standard output, at most 64 KiB.
        stderr: its standard error, at most 64 KiB.
    """

    status: int
    stdout: bytes = b""
    stderr: bytes = b""


class Runtime(Protocol):
    """Given once to every plugin object that has a ``start(runtime)`` method, before the first request.

    The methods are used inside ``Trigger.run``, ``Inventory.load`` and ``Operation.run`` coroutines, never in a hook.
    """

    def run_process(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, env: Mapping[str, str] = NONE
    ) -> Awaitable[ProcessResult]:
        """Run a program without a shell, without any capability, in a process group of its own.

        Args:
            argv: absolute path or name found in ``/usr/sbin:/usr/bin:/sbin:/bin``, then its arguments.
            stdin: octets on its standard input.
            timeout_s: seconds after which the whole process group is killed.
            env: added to ``PATH`` and ``LANG``; nothing else of provd's environment is passed on.

        Raises:
            TimeoutError: it was killed.
            OSError: it could not be started.
        """
        ...

    def http_request(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] = NONE, timeout_s: float = 30.0
    ) -> Awaitable[tuple[int, bytes]]:
        """Send one HTTP or HTTPS request; redirects are not followed, certificates are verified.

        Returns:
            Status and the first 64 KiB of the body.

        Raises:
            TimeoutError: no complete answer in ``timeout_s`` seconds.
            ConnectionError: the server could not be reached or broke off.
        """
        ...

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait without blocking anybody."""
        ...
