"""The cache: what is there, whether it is fresh, and what is fetched once for everybody who asks."""

from __future__ import annotations

import re
import shutil
from collections import OrderedDict
from collections.abc import Callable
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

from twisted.logger import Logger

from provd.plugin.api import Content, HttpStream, NotFound, Runtime, StreamBody, Task, file_beneath

from .transfer import Transfer

_INDEX = re.compile(
    r"(?:^|/)(?:dists|repodata|images|EFI|isolinux|LiveOS)/(?!.*/by-hash/)|(?:^|/)(?:InRelease|Release(?:\.gpg)?|\.?treeinfo)$"
)
_SAFE = "/~+:@!$&'()*,;="
_REDIRECTS = 5
_MOST_KNOWN = 16_384
PARTIAL = ".partial"


class UpstreamError(Exception):
    """Upstream cannot be asked or answered with an error; one sentence."""


class MirrorCache:
    """One tree per mirror below a directory.

    Args:
        root: the directory.
        upstream_of: base URL of a mirror by name; a LookupError says why it has none.
        clock: seconds, for freshness.
        index_s: seconds after which indexes are asked for again.
        negative_s: seconds for which a missing file stays missing.
        timeout_s: seconds until upstream's first answer.
        stall_s: seconds between two pieces of a file.
    """

    def __init__(
        self,
        root: Path,
        upstream_of: Callable[[str], str],
        clock: Callable[[], float],
        *,
        index_s: float,
        negative_s: float,
        timeout_s: float,
        stall_s: float,
    ) -> None:
        self._root = root
        self._upstream_of = upstream_of
        self._clock = clock
        self._index_s = index_s
        self._negative_s = negative_s
        self._timeout_s = timeout_s
        self._stall_s = stall_s
        self._logger = Logger(namespace="provd.source_mirror")
        self._checked: OrderedDict[str, float] = OrderedDict()
        self._missing: OrderedDict[str, float] = OrderedDict()
        self._asking: dict[str, Task[Content | NotFound]] = {}
        self._running: dict[str, tuple[Transfer, Content]] = {}
        self._loading: set[Task[None]] = set()
        self.runtime: Runtime | None = None

    def start(self, runtime: Runtime) -> None:
        """Forget what a run before left unfinished."""
        self.runtime = runtime
        shutil.rmtree(self._root / PARTIAL, ignore_errors=True)

    def close(self) -> None:
        """Stop every fetch; what is not whole is removed."""
        for task in (*self._asking.values(), *self._loading):
            task.cancel()
        for transfer, _ in tuple(self._running.values()):
            transfer.fail(UpstreamError("the mirror was closed"))

    def at_once(self, path: str) -> Content | NotFound | None:
        """The answer where upstream need not be asked: a fresh file, a file that comes, or a known miss."""
        running = self._running.get(path)
        if running is not None:
            return running[1]
        if self._missing.get(path, 0.0) > self._clock():
            return NotFound(f"upstream has no {path}", expected=True)
        kept = self._kept(path)
        return kept if isinstance(kept, Content) and self._fresh(path) else None

    async def ask(self, path: str) -> Content | NotFound:
        """The answer after upstream was asked; many who ask at once are one question."""
        known = self.at_once(path)
        if known is not None:
            return known
        asking = self._asking.get(path)
        if asking is None:
            assert self.runtime is not None  # noqa: S101  start comes before the first request
            asking = self._asking[path] = self.runtime.background(self._ask(path))
            if asking.done:
                del self._asking[path]
        return await asking

    def _kept(self, path: str) -> Content | NotFound:
        name, _, rest = path.partition("/")
        return file_beneath(self._root / name, rest)

    def _fresh(self, path: str) -> bool:
        if not _INDEX.search(path):
            return True
        return self._clock() - self._checked.get(path, float("-inf")) < self._index_s

    async def _ask(self, path: str) -> Content | NotFound:
        kept = self._kept(path)
        try:
            stream = await self._open(path, kept)
            return self._settle(path, kept, stream)
        except (OSError, LookupError, UpstreamError) as error:
            if isinstance(kept, Content):
                self._logger.warn("{path} is served as it was: {error}", path=path, error=error)
                return kept
            return NotFound(f"mirror {path}: {error}", status=502)
        finally:
            self._asking.pop(path, None)

    async def _open(self, path: str, kept: Content | NotFound) -> HttpStream:
        """Upstream's answer, redirects followed."""
        assert self.runtime is not None  # noqa: S101
        name, _, rest = path.partition("/")
        url = f"{self._upstream_of(name).rstrip('/')}/{quote(rest, safe=_SAFE)}"
        headers = {"User-Agent": "provd", "Accept-Encoding": "identity"}
        if isinstance(kept, Content) and kept.mtime is not None:
            headers["If-Modified-Since"] = formatdate(int(kept.mtime), usegmt=True)
        for _ in range(_REDIRECTS):
            stream = await self.runtime.http_stream(
                "GET", url, headers=headers, timeout_s=self._timeout_s, stall_s=self._stall_s
            )
            if stream.status not in {301, 302, 303, 307, 308}:
                return stream
            stream.close()
            url = urljoin(url, stream.headers.get("location", ""))
            if urlsplit(url).scheme not in {"http", "https"}:
                raise UpstreamError("upstream sends elsewhere than to HTTP")
        raise UpstreamError(f"upstream redirects more than {_REDIRECTS} times")

    def _settle(self, path: str, kept: Content | NotFound, stream: HttpStream) -> Content | NotFound:
        """What upstream's answer means."""
        if stream.status == 304 and isinstance(kept, Content):
            stream.close()
            self._remember(self._checked, path, self._clock())
            return kept
        if stream.status == 200:
            return self._begin(path, stream)
        stream.close()
        if stream.status in {404, 410}:
            self._remember(self._missing, path, self._clock() + self._negative_s)
            return NotFound(f"upstream has no {path}", expected=True)
        raise UpstreamError(f"upstream answered with status {stream.status}")

    def _begin(self, path: str, stream: HttpStream) -> Content:
        """A file begins to come: whoever asks follows it from now on."""
        assert self.runtime is not None  # noqa: S101
        mtime = _modified(stream)
        try:
            transfer = Transfer(self._root / PARTIAL, self._target(path), stream.length)
        except (OSError, UpstreamError):
            stream.close()
            raise
        content = Content(StreamBody(transfer.read), stream.length, mtime=mtime)
        self._running[path] = (transfer, content)
        loading = self.runtime.background(self._load(path, stream, transfer, mtime))
        if not loading.done:
            self._loading.add(loading)
        return content

    def _target(self, path: str) -> Path:
        """Where the file belongs, without following a link out of the cache."""
        target = self._root / path
        if not target.parent.resolve().is_relative_to(self._root.resolve()):
            raise UpstreamError("its folder in the cache leads elsewhere")
        return target

    async def _load(self, path: str, stream: HttpStream, transfer: Transfer, mtime: float | None) -> None:
        try:
            while data := await stream.read():
                transfer.feed(data)
            transfer.finish(mtime)
            self._remember(self._checked, path, self._clock())
        except Exception as error:  # noqa: BLE001 - a failed file is told to its readers, whatever the reason
            self._logger.warn("{path} did not come whole: {error}", path=path, error=error)
            transfer.fail(error)
        finally:
            transfer.fail(UpstreamError("the fetch was stopped"))
            stream.close()
            self._running.pop(path, None)
            self._loading = {task for task in self._loading if not task.done}

    def _remember(self, table: OrderedDict[str, float], path: str, value: float) -> None:
        table[path] = value
        table.move_to_end(path)
        if len(table) > _MOST_KNOWN:
            table.popitem(last=False)


def _modified(stream: HttpStream) -> float | None:
    try:
        return parsedate_to_datetime(stream.headers.get("last-modified", "")).timestamp()
    except (ValueError, TypeError):
        return None
