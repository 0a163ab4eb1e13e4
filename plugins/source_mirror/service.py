"""One mirror: from the cache where it may, else one fetch that everybody shares."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

from provd.plugin.api import AwaitedBody, Content, HttpStream, NotFound, Runtime, StreamBody, Task, scrub

from .cache import Cache, Cached, Facts, is_plain
from .download import Download
from .freshness import Freshness
from .limit import SizeLimit
from .prefetcher import Prefetcher
from .promises import Promises
from .resume import ResumingStream
from .settings import DEFAULTS, Mirror
from .upstream import MissingUpstreamError, Origin, Upstream, UpstreamError
from .verify import Verifier
from .verify_rpm import RpmVerifier

_MOST_FETCHES = 64
"""Fetches at once; they go on when their clients leave, so that something must bound them."""

Answer = Content | NotFound


class MirrorService:
    """Answers the paths below one mirror.

    Attributes:
        name: as configured.
        hits: answers from the cache.
        misses: files that were fetched, or asked for in vain.
        errors: fetches that failed.
        last_error: sentence of the newest failure.
        prefetches: fetches before anybody asks.
    """

    def __init__(self, name: str, mirror: Mirror, upstream: Upstream, cache: Cache, clock: Callable[[], float]) -> None:
        self.name = name
        self.hits = self.misses = self.errors = 0
        self.last_error = ""
        self._offline = mirror.offline
        self._upstream = upstream
        self._cache = cache
        self._limit = SizeLimit(cache, mirror.max_mb * 10**6, lambda: self._asked)
        promises = Promises(cache.promises)
        rpm = RpmVerifier(mirror.keyring, promises, self.whole, self.newest, cache.file)
        self._verifier = Verifier(mirror.keyring, promises, self.whole, cache.incoming, rpm)
        self._fresh = Freshness(clock, mirror.refresh_s)
        self._runtime: Runtime | None = None
        self._asked: dict[str, Task[Answer]] = {}
        self._downloads: dict[str, Task[str]] = {}
        self._moving: dict[str, Download] = {}
        self.prefetches = Prefetcher(name, cache, self._fresh, self._limit, self, offline=mirror.offline)

    def start(self, runtime: Runtime) -> None:
        """Fetch with this from now on."""
        self._runtime = runtime
        self._cache.sweep()

    def close(self) -> None:
        """Stop every fetch."""
        self._limit.close()
        self.prefetches.close()
        for task in (*self._asked.values(), *self._downloads.values()):
            task.cancel()

    def answer(self, path: str, method: str) -> Answer:
        """The answer to a request for ``path``; what must be fetched is an awaited one."""
        if not is_plain(path):
            return NotFound(f"mirror {self.name}: {path!r} is not the path of a file", status=_refusal(path))
        cached = self._cache.find(path)
        if cached is not None and path not in self._asked and (self._offline or self._fresh.usable(path)):
            self.hits += 1
            self._cache.used(path)
            return cached.content
        if self._offline:
            return NotFound(f"mirror {self.name} is offline and has no {path}")
        if self._fresh.is_absent(path):
            return NotFound(f"mirror {self.name}: upstream has no {path}")
        runtime = self._runtime
        if runtime is None:
            return NotFound(f"mirror {self.name} is not started", status=503)
        if method == "HEAD" and path not in self._asked:
            return Content(AwaitedBody(lambda: self._facts_of(runtime, path, cached)), -1)
        return Content(AwaitedBody(lambda: self._shared(runtime, path)), -1)

    async def status(self, runtime: Runtime) -> dict[str, object]:
        """A row for people: where from, how much, how well."""
        files, octets = await self._cache.count(runtime)
        return {
            "name": self.name,
            "upstream": self._upstream.describe(),
            "offline": self._offline,
            "files": files,
            "bytes": octets,
            "hits": self.hits,
            "misses": self.misses,
            "fetching": len(self._asked),
            "errors": self.errors,
            "last_error": self.last_error,
            "evicted": self._limit.evicted,
            "prefetched": self.prefetches.describe(),
        }

    async def check(self, runtime: Runtime) -> list[dict[str, object]]:
        """A row for each upstream that gives no answer; one that nobody configured and nobody used is not asked for."""
        files, _ = await self._cache.count(runtime)
        used = self.name not in DEFAULTS or self.hits or self.misses or files
        if self._offline or not used:
            return []
        rows: list[dict[str, object]] = []
        for base, fault in await self._upstream.faults(runtime):
            text = f"mirror {self.name}: upstream {base} gives no answer: {fault}"
            # What is in the cache is served all the same.
            advice = (
                "machines get what is in the cache and nothing else; look at the upstream, the way to it, the proxy"
            )
            rows.append({"level": "warning", "text": text, "advice": advice})
        return rows

    async def purge(self, runtime: Runtime, path: str, *, dry_run: bool) -> tuple[int, int]:
        """Remove a file, a directory or everything; how many files and octets it is."""
        return await runtime.in_thread(lambda: self._cache.remove(path, dry_run=dry_run))

    def moving(self, path: str) -> int:
        """Octets that came of a file that is being fetched; -1 where it is not."""
        download = self._moving.get(path)
        return download.size if download is not None else -1

    async def whole(self, path: str) -> str:
        """Fetch one file to its end; what went wrong, or empty."""
        answer = self.answer(path, "GET")
        if isinstance(answer, Content) and isinstance(answer.body, AwaitedBody):
            answer = await answer.body.answer()
        if isinstance(answer, NotFound):
            return answer.reason
        task = self._downloads.get(path)
        failed = await task if task is not None else ""
        if self._cache.find(path) is not None:
            return ""
        return scrub(f"{path}: {failed}") if failed else self.last_error

    async def newest(self, path: str) -> str:
        """As :meth:`whole`, and upstream is asked even where the copy is young."""
        self._fresh.forget(path)
        return await self.whole(path)

    async def measured(self, path: str) -> int:
        """Octets of a file, -1 where nobody tells; nothing is fetched."""
        answer = self.answer(path, "HEAD")
        if isinstance(answer, Content) and isinstance(answer.body, AwaitedBody):
            answer = await answer.body.answer()
        return answer.length if isinstance(answer, Content) else -1

    async def _shared(self, runtime: Runtime, path: str) -> Answer:
        """Join the fetch of this path, or begin it; a client that leaves does not end it."""
        asked = self._asked.get(path)
        if asked is None:
            if len(self._asked) >= _MOST_FETCHES:
                return NotFound(f"mirror {self.name}: {_MOST_FETCHES} files are being fetched already", status=503)
            self.misses += 1
            begun = runtime.background(self._fetch(runtime, path))
            if not begun.done or path in self._downloads:
                self._asked[path] = begun
            asked = begun
        return await asked

    async def _fetch(self, runtime: Runtime, path: str) -> Answer:
        try:
            return await self._fetched(runtime, path)
        finally:
            if path not in self._downloads:
                self._asked.pop(path, None)

    async def _fetched(self, runtime: Runtime, path: str) -> Answer:
        cached = self._cache.find(path)
        try:
            one, stream = await self._upstream.ask(runtime, "GET", path, cached.facts.validators if cached else {})
        except MissingUpstreamError as error:
            self._fresh.absent(path)
            return NotFound(f"mirror {self.name}: {error}")
        except UpstreamError as error:
            return self._unreachable(path, str(error), cached)
        if stream.status == 304:
            stream.close()
            self._fresh.unchanged(path)
            self._cache.used(path)
            return cached.content if cached else self._unreachable(path, "status 304 to nothing", None)
        try:
            download, task = self._download(runtime, path, one, stream, cached)
        except OSError as error:
            stream.close()
            return self._unreachable(path, f"the cache cannot be written: {error.strerror}", cached)
        if stream.length >= 0:
            return _streamed(path, stream, download.octets)
        # installers need to know the length, and only the end tells it
        failed = await task
        complete = self._cache.find(path)
        return complete.content if complete and not failed else self._unreachable(path, failed, cached, counted=True)

    def _download(
        self, runtime: Runtime, path: str, one: Origin, stream: HttpStream, old: Cached | None
    ) -> tuple[Download, Task[str]]:
        modified = stream.headers.get("last-modified", "")

        async def check(incoming: Path, sha256: str) -> None:
            await self._verifier.check(runtime, path, incoming, sha256)

        def keep(incoming: Path, sha256: str) -> Path:
            length = incoming.stat().st_size
            facts = Facts(length, one.base, modified, stream.headers.get("etag", ""), sha256)
            same = old is not None and old.facts.sha256 == sha256
            # without a date of upstream's, what did not change keeps its own, so that clients need not fetch it again
            mtime = old.content.mtime if old is not None and same and not modified else _seconds(modified)
            self._cache.keep(incoming, path, facts, mtime)
            if old is None or same:
                self._fresh.unchanged(path)
            else:
                self._fresh.changed(path)
            self._limit.kept(runtime, path, length)
            return self._cache.file(path)

        def ended(error: str) -> None:
            self._downloads.pop(path, None)
            self._moving.pop(path, None)
            self._asked.pop(path, None)
            if error:
                self._failed(path, f"{one.base}: {error}")

        whole = ResumingStream(runtime, stream, lambda more: self._upstream.ask_rest(runtime, one, path, more))
        download = Download(
            runtime, whole, self._cache.incoming(), check=check, keep=keep, ended=ended, hold=self._verifier.holds(path)
        )
        self._moving[path] = download
        task = runtime.background(download.run())
        if not task.done:
            self._downloads[path] = task
        return download, task

    async def _facts_of(self, runtime: Runtime, path: str, cached: Cached | None) -> Answer:
        """What HEAD tells: upstream's own answer to HEAD, so that nothing is fetched."""
        try:
            _, stream = await self._upstream.ask(runtime, "HEAD", path, {})
        except MissingUpstreamError as error:
            self._fresh.absent(path)
            return NotFound(f"mirror {self.name}: {error}")
        except UpstreamError as error:
            return self._unreachable(path, str(error), cached)
        stream.close()
        return _streamed(path, stream, _nothing)

    def _unreachable(self, path: str, why: str, cached: Cached | None, *, counted: bool = False) -> Answer:
        """The old copy, or a refusal that says why."""
        if not counted:
            self._failed(path, why)
        if cached is None:
            return NotFound(f"mirror {self.name}: {path} cannot be fetched: {scrub(why)}", status=502)
        self._fresh.unreachable()
        self.hits += 1
        return cached.content

    def _failed(self, path: str, why: str) -> None:
        self.errors += 1
        self.last_error = scrub(f"{path}: {why}")


def _streamed(path: str, stream: HttpStream, opened: Callable[[int, int], AsyncIterator[bytes]]) -> Content:
    return Content(
        body=StreamBody(opened),
        length=stream.length,
        media_type=mimetypes.guess_type(path)[0] or "application/octet-stream",
        mtime=_seconds(stream.headers.get("last-modified", "")),
    )


def _refusal(path: str) -> int:
    """A directory is not there, for there are no listings; anything else that is no path is refused."""
    return 404 if not path or path.endswith("/") else 403


async def _nothing(_start: int, _stop: int) -> AsyncIterator[bytes]:
    """The body of an answer to HEAD."""
    nothing: tuple[bytes, ...] = ()
    for chunk in nothing:
        yield chunk


def _seconds(date: str) -> float | None:
    """Seconds since the epoch of an HTTP date (RFC 9110 section 5.6.7), or None where there is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
