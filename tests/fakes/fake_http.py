"""An HTTP site on a transport in memory."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from provd.model.content import Content, FileRequest, NotFound
from provd.net.http import HttpLimits, HttpSite

PEER = IPv4Address("TCP", "10.88.0.31", 40000)
LOCAL = IPv4Address("TCP", "10.88.0.1", 8080)


async def at_once(call: Callable[[], Any]) -> Any:
    """The reader thread of tests: there is none."""
    return call()


@dataclass
class Answered:
    """One parsed response."""

    status: int
    headers: dict[str, str]
    body: bytes
    version: str


@dataclass
class FakeTree:
    """Answers by path; remembers what was asked."""

    files: dict[str, Content | NotFound | Exception | Awaitable[Content | NotFound]] = field(default_factory=dict)
    asked: list[FileRequest] = field(default_factory=list)
    events: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)

    def open_file(self, request: FileRequest) -> Content | NotFound | Awaitable[Content | NotFound]:
        self.asked.append(request)
        found = self.files.get(request.path, NotFound("nobody has it"))
        if isinstance(found, Exception):
            raise found
        return found

    def on_event(self, kind: str, request: FileRequest, fields: Mapping[str, object]) -> None:
        self.events.append((kind, request.path, dict(fields)))


class FakeConnection:
    """One client connection."""

    def __init__(self, site: HttpSite, clock: Clock) -> None:
        self.clock = clock
        self.transport = StringTransport(hostAddress=LOCAL, peerAddress=PEER)
        channel = site.buildProtocol(PEER)
        assert channel is not None
        self.channel = channel
        self.channel.makeConnection(self.transport)

    def send(self, raw: bytes) -> None:
        self.channel.dataReceived(raw)

    def lose(self) -> None:
        self.channel.connectionLost(Failure(ConnectionDone()))

    @property
    def closed(self) -> bool:
        return bool(self.transport.disconnecting)

    def answers(self, *, head: bool = False) -> list[Answered]:
        raw, found = self.transport.value(), []
        while raw:
            front, _, raw = raw.partition(b"\r\n\r\n")
            first, *lines = front.decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
            version, status = first.split(" ")[:2]
            length = 0 if head or status == "304" else int(headers.get("content-length", len(raw)))
            found.append(Answered(int(status), headers, raw[:length], version))
            raw = raw[length:]
        return found

    def get(self, path: str, *headers: str, method: str = "GET") -> Answered:
        self.transport.clear()
        lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
        self.send("\r\n".join([*lines, "", ""]).encode())
        return self.answers(head=method == "HEAD")[-1]


def make_site(tree: FakeTree, clock: Clock, limits: HttpLimits | None = None) -> HttpSite:
    return HttpSite(clock, lambda: 1_700_000_000.0, tree.open_file, at_once, tree.on_event, limits)
