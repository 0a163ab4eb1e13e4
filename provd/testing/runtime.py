"""The runtime of a plugin under test: it remembers what was asked of it, and nothing leaves the process."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from provd.model.content import Content, FileRequest, NotFound
from provd.plugin.machines import Machine
from provd.plugin.runtime import HttpStream, Listening, ProcessResult, Task

T = TypeVar("T")


@dataclass
class FakeRuntime:
    """Remembers what was asked; answers from lists."""

    processes: list[ProcessResult] = field(default_factory=list)
    answers: list[tuple[int, bytes] | Exception] = field(default_factory=list)
    ran: list[tuple[tuple[str, ...], bytes, float, dict[str, str]]] = field(default_factory=list)
    sent: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    broadcasts: list[tuple[bytes, str, int]] = field(default_factory=list)
    powered: list[tuple[str, str, bool]] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    known: list[Machine] = field(default_factory=list)

    async def run_process(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, env: Mapping[str, str] | None = None
    ) -> ProcessResult:
        self.ran.append((tuple(argv), stdin, timeout_s, dict(env or {})))
        return self.processes.pop(0) if self.processes else ProcessResult(0)

    async def http_request(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
    ) -> tuple[int, bytes]:
        self.sent.append((method, url, body, dict(headers or {})))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def http_stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        stall_s: float = 60.0,
        proxy: str = "",
    ) -> HttpStream:
        raise ConnectionError(f"{method} {url}: this fake streams nothing")

    def background(self, work: Coroutine[Any, Any, T]) -> Task[T]:
        work.close()
        raise AssertionError("this fake has no background")

    async def open_file(self, request: FileRequest) -> Content | NotFound:
        raise AssertionError("nobody asks for files here")

    def listen_tcp(self, port: int, factory: Any, address: str = "") -> Listening:
        raise AssertionError("nobody listens here")

    async def connect_tcp(self, host: str, port: int, factory: Any, *, tls: Any = None, timeout_s: float = 30.0) -> Any:
        raise ConnectionError(f"{host}:{port}: this fake connects nowhere")

    def client_tls(self, host: str, ca_file: str = "") -> Any:
        raise AssertionError("nobody needs TLS here")

    def secret(self, reference: Mapping[str, object]) -> str:
        name = next(iter(reference.values()))
        if name not in self.secrets:
            raise ValueError(f"there is no secret {name}")
        return self.secrets[str(name)]

    async def power(self, system: str, action: str, *, pxe: bool = False) -> str:
        self.powered.append((system, action, pxe))
        return f"told {system}"

    def machines(self) -> Iterator[Machine]:
        return iter(self.known)

    async def in_thread(self, work: Callable[[], T]) -> T:
        return work()

    def broadcast(self, data: bytes, address: str, port: int) -> None:
        self.broadcasts.append((data, address, port))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def run_now(awaitable: Any) -> Any:
    """The result of a coroutine that never really waits."""
    coroutine = awaitable.__await__()
    try:
        next(coroutine)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the coroutine waits for something")
