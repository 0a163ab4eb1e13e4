"""The package mirror with a clock that is a number and an upstream that is a list of answers."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from plugins.source_mirror import SourceMirror
from plugins.source_mirror.settings import Mirror, SettingsOfSourceMirror
from provd.model.content import AwaitedBody, Content, FileBody, FileRequest, NotFound, StreamBody
from provd.net.background import BackgroundTask
from provd.plugin.api import HttpStream
from provd.testing.runtime import FakeRuntime, run_now

T = TypeVar("T")
DEB = "mirror/deb/pool/main/a/a_1+b~c.deb"
RELEASE = "mirror/deb/dists/bookworm/InRelease"
PACKAGES = "mirror/deb/dists/bookworm/main/binary-amd64/Packages.xz"
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


class FakeStream:
    """An answer of upstream that comes when the test says so."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None, length: int = -1) -> None:
        self.status = status
        self.headers = {"last-modified": DATE, **(headers or {})}
        self.length = length
        self.closed = False
        self._parts: list[bytes | Exception] = []
        self._waiting: Deferred[None] | None = None

    def give(self, *parts: bytes | Exception) -> FakeStream:
        self._parts.extend(parts)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)
        return self

    async def read(self) -> bytes:
        if not self._parts:
            self._waiting = Deferred()
            await self._waiting
        part = self._parts.pop(0)
        if isinstance(part, Exception):
            raise part
        return part

    def close(self) -> None:
        self.closed = True


@dataclass
class MirrorRuntime(FakeRuntime):
    """Streams in the order they were prepared; remembers what was asked."""

    streams: list[FakeStream | Exception] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    proxies: list[str] = field(default_factory=list)

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
        self.asked.append((url, dict(headers or {})))
        self.methods.append(method)
        self.proxies.append(proxy)
        answer = self.streams.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def background(self, work: Coroutine[Any, Any, T]) -> BackgroundTask[T]:
        return BackgroundTask(work)


class World:
    """The plugin with a clock that is a number and an upstream that is a list."""

    def __init__(self, root: Path, upstream: str | tuple[str, ...] = "http://MIRROR/debian/", **settings: Any) -> None:
        self.now = 0.0
        self.root = root
        mirrors = {"deb": Mirror(upstream=upstream, **settings)}
        made = SettingsOfSourceMirror(mirrors=mirrors, data_dir=str(root), apt_dir=str(root / "apt"))
        self.runtime = MirrorRuntime()
        self.plugin = SourceMirror(made, lambda: self.now)
        self.plugin.start(self.runtime)

    def hook(self, path: str, method: str = "GET") -> Content | NotFound | None:
        return self.plugin.provd_file(FileRequest("http", path, "10.0.0.9", "10.0.0.1", method=method))

    def ask(self, path: str, method: str = "GET") -> list[Content | NotFound]:
        """The answer, once it is there."""
        found = self.hook(path, method)
        if isinstance(found, Content) and isinstance(found.body, AwaitedBody):
            answers: list[Content | NotFound] = []
            body = found.body

            async def wait() -> None:
                answers.append(await body.answer())

            Deferred.fromCoroutine(wait())
            return answers
        assert found is not None
        return [found]

    def answer(self, path: str, method: str = "GET") -> Content | NotFound:
        (found,) = self.ask(path, method)
        return found

    def octets(self, content: Content | NotFound, start: int = 0, stop: int = -1) -> list[bytes | Exception]:
        """Pieces of a body so far; an exception where it broke off."""
        assert isinstance(content, Content)
        if isinstance(content.body, FileBody):
            return [content.body.path.read_bytes()]
        assert isinstance(content.body, StreamBody)
        opened = content.body.open(start, stop)
        pieces: list[bytes | Exception] = []

        async def follow() -> None:
            nonlocal pieces
            try:
                async for piece in opened:
                    pieces += [piece]
            except Exception as error:  # noqa: BLE001 - the test looks at it
                pieces.append(error)

        Deferred.fromCoroutine(follow())
        return pieces

    def status(self) -> dict[str, Any]:
        """The row of the mirror ``deb``."""
        rows: list[dict[str, Any]] = self.run("mirror.status", name="deb")
        return rows[0]

    def run(self, name_: str, /, **arguments: Any) -> Any:
        """What an operation of the plugin answers."""
        (operation,) = [one for one in self.plugin.provd_operations() if one.name == name_]
        return run_now(operation.run(operation.arguments(**arguments)))


def kept(world: World, path: str) -> Path:
    return world.root / "mirror/deb/tree" / path.removeprefix("mirror/deb/")


def unfinished(world: World) -> list[Path]:
    return list((world.root / "mirror/deb/incoming").iterdir())


def have(world: World, path: str, octets: bytes, **headers: str) -> None:
    """Let the mirror fetch a file."""
    world.runtime.streams.append(FakeStream(200, headers, len(octets)).give(octets, b""))
    pieces = world.octets(world.answer(path))
    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == octets


def refused(found: Content | NotFound | None) -> NotFound:
    assert isinstance(found, NotFound)
    return found
