"""What a simulated client does, and what it is told back: the border between the client and the world."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class DhcpSend:
    """Send a DHCP message; the result is a list of the datagrams that came back within ``wait_s`` seconds.

    Attributes:
        data: the message.
        wait_s: seconds.
        service: address (dotted quad) whose PXE port it is sent to; empty for a broadcast to the DHCP port.
    """

    data: bytes
    wait_s: float = 1.0
    service: str = ""


@dataclass(frozen=True, slots=True)
class TftpGet:
    """Read a file by TFTP; the result is a :class:`Fetched`.

    Attributes:
        server: address (dotted quad).
        path: file name as the client writes it.
        options: option names and values in the client's order.
        source: the client's address (dotted quad).
        stop_after_size: end the transfer after the OACK, as EDK2 does when it only wants the size.
    """

    server: str
    path: str
    options: tuple[tuple[str, str], ...] = ()
    source: str = ""
    stop_after_size: bool = False


@dataclass(frozen=True, slots=True)
class HttpSend:
    """Send an HTTP request; the result is a :class:`Fetched`."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Result of a transfer.

    Attributes:
        status: HTTP status; for TFTP 200, 404 for error 1, 403 for error 2, 500 for any other end.
        body: octets that came.
        headers: HTTP headers in lower case, or the options of a TFTP OACK.
        error: what went wrong, or empty.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def ok(self) -> bool:
        """The whole body came."""
        return self.status in {200, 206}


Action = DhcpSend | TftpGet | HttpSend
R = TypeVar("R")
Stage = Generator[Action, Any, R]
"""A part of a boot: yields actions, is sent results, returns what it found."""


class Driver(Protocol):
    """Carries out actions."""

    def dhcp(self, action: DhcpSend) -> list[bytes]:
        """Datagrams that came back."""
        ...

    def tftp(self, action: TftpGet) -> Fetched:
        """Result of a read."""
        ...

    def http(self, action: HttpSend) -> Fetched:
        """Result of a request."""
        ...


def run(stage: Stage[R], driver: Driver) -> R:
    """Drive a stage to its end."""
    result: Any = None
    while True:
        try:
            action = stage.send(result)
        except StopIteration as end:
            value: R = end.value
            return value
        if isinstance(action, DhcpSend):
            result = driver.dhcp(action)
        elif isinstance(action, TftpGet):
            result = driver.tftp(action)
        else:
            result = driver.http(action)


class BootError(Exception):
    """The boot ends here, as a real machine's would.

    Attributes:
        step: name of the step that failed.
    """

    def __init__(self, step: str, sentence: str) -> None:
        super().__init__(f"{step}: {sentence}")
        self.step = step
