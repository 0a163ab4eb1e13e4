"""Asking upstream: which addresses have a path, bounded redirections, credentials only where they belong."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from provd.plugin.api import HttpStream, Runtime

from .apt_sources import archives_of, codename
from .settings import APT, Mirror

_MOST_REDIRECTIONS = 5
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
_ABSENT = frozenset({404, 410})
_DOWN_S = 60.0
_CHECK_S = 5.0
_COMPRESSED = (".gz", ".xz", ".bz2", ".zst", ".lzma", ".lz4", ".tgz")


class MissingUpstreamError(Exception):
    """Upstream says that there is no such file."""


class UpstreamError(Exception):
    """Upstream cannot be reached or gives no usable answer; the text has no credentials."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One upstream tree.

    Attributes:
        base: URL without a final slash, user and password.
        authorization: value of the header that proves who asks, or empty (RFC 7617).
    """

    base: str
    authorization: str = ""


def origin(url: str) -> Origin:
    """The origin of a configured URL; user and password are taken out of it."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    return Origin(base, "Basic " + b64encode(unquote(user).encode()).decode() if at else "")


class Upstream:
    """The trees behind one mirror, asked in order.

    Args:
        mirror: its settings.
        apt_dir: apt's configuration.
        os_release: names the host's own suite.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        mirror: Mirror,
        apt_dir: Path,
        os_release: Path = Path("/etc/os-release"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mirror = mirror
        self._apt_dir = apt_dir
        self._os_release = os_release
        self._clock = clock
        self._down: dict[str, float] = {}

    def origins(self, path: str) -> list[Origin]:
        """Who may have ``path``, the likeliest first.

        Raises:
            UpstreamError: apt on this host has no archive for the suite.
        """
        if self._mirror.upstream != APT:
            return [origin(url) for url in self._mirror.urls]
        suite = self._mirror.suite or codename(self._os_release)
        parts = path.split("/")
        wanted = parts[1] if parts[0] == "dists" and len(parts) > 1 else suite
        found = archives_of(self._apt_dir, suite, wanted) if suite else []
        if not found:
            raise UpstreamError(
                f"apt on this host has no archive for {suite or 'its own suite'}: set the mirror's upstream to a URL"
            )
        return list(dict.fromkeys(origin(one.uri) for one in found))

    def describe(self) -> list[str]:
        """Addresses without user and password, for people."""
        try:
            return [one.base for one in self.origins("")]
        except UpstreamError as error:
            return [str(error)]

    async def faults(self, runtime: Runtime) -> list[tuple[str, str]]:
        """Addresses that give no answer now, without user and password, each with the reason.

        Any status below 500 is an answer: many servers show nobody their first directory.
        """
        try:
            origins = self.origins("")
        except UpstreamError as error:
            return [("apt", str(error))]
        found = []
        for one in origins:
            headers = {"Authorization": one.authorization} if one.authorization else {}
            try:
                stream = await runtime.http_stream(
                    "HEAD", f"{one.base}/", headers=headers, timeout_s=_CHECK_S, proxy=self._mirror.proxy
                )
            except OSError as error:
                found.append((one.base, str(error)))
                continue
            stream.close()
            if stream.status >= 500:
                found.append((one.base, f"status {stream.status}"))
        return found

    async def ask(
        self, runtime: Runtime, method: str, path: str, validators: Mapping[str, Mapping[str, str]]
    ) -> tuple[Origin, HttpStream]:
        """The first origin's answer that is not an absence: status 200, or 304 to the validators sent.

        Args:
            runtime: sends.
            method: ``GET`` or ``HEAD``.
            path: below the mirror, not quoted.
            validators: conditional headers by the base of the origin that they came from.

        Raises:
            MissingUpstreamError: nobody has it.
            UpstreamError: nobody has it as far as is known, but not everybody gave an answer.
        """
        failed = ""
        for one in self._likely(path):
            try:
                stream = _whole(await self._follow(runtime, method, one, path, validators.get(one.base, {})))
            except MissingUpstreamError:
                continue
            except (OSError, UpstreamError) as error:
                self._down[one.base] = self._clock() + _DOWN_S
                failed = failed or f"{one.base}: {error}"
            else:
                self._down.pop(one.base, None)
                return one, stream
        if failed:
            raise UpstreamError(failed)
        raise MissingUpstreamError(f"upstream has no {path}")

    async def ask_rest(self, runtime: Runtime, one: Origin, path: str, headers: Mapping[str, str]) -> HttpStream:
        """Ask one origin for a part: status 206, or 200 where it has another file or cannot.

        Raises:
            MissingUpstreamError: it has no such file.
            UpstreamError: no usable answer.
            OSError: it cannot be reached.
        """
        return await self._follow(runtime, "GET", one, path, headers)

    def _likely(self, path: str) -> list[Origin]:
        """The origins in order, those that failed a moment ago last, so that each file does not wait for them."""
        now = self._clock()
        return sorted(self.origins(path), key=lambda one: now < self._down.get(one.base, now))

    async def _follow(
        self, runtime: Runtime, method: str, one: Origin, path: str, headers: Mapping[str, str]
    ) -> HttpStream:
        url = f"{one.base}/{quote(path, safe='/~+:=@,!$()*;')}"
        sent = {"Accept-Encoding": "identity", **headers}
        for _ in range(_MOST_REDIRECTIONS + 1):
            own = _place(url) == _place(one.base) and one.authorization
            proof = {"Authorization": one.authorization} if own else {}
            stream = await runtime.http_stream(method, url, headers={**sent, **proof}, proxy=self._mirror.proxy)
            if stream.status not in _REDIRECTIONS:
                return _checked(stream, path)
            stream.close()
            url = _redirected(url, stream.headers.get("location", ""))
        raise UpstreamError(f"more than {_MOST_REDIRECTIONS} redirections")


def _whole(stream: HttpStream) -> HttpStream:
    if stream.status == 206:
        stream.close()
        raise UpstreamError("a part came, although all was asked for")
    return stream


def _checked(stream: HttpStream, path: str) -> HttpStream:
    if stream.status in {200, 206, 304}:
        encoding = stream.headers.get("content-encoding", "identity").lower()
        # servers label compressed files so, and mean their octets
        if encoding == "identity" or path.endswith(_COMPRESSED):
            return stream
        stream.close()
        raise UpstreamError(f"the answer is encoded ({encoding[:20]}), although identity was asked for")
    stream.close()
    if stream.status in _ABSENT:
        raise MissingUpstreamError(f"upstream has no {path}")
    raise UpstreamError(f"the answer has status {stream.status}")


def _redirected(url: str, target: str) -> str:
    try:
        new = urlsplit(urljoin(url, target))
        old_place, new_place = _place(url), (new.scheme, new.hostname, new.port)
    except ValueError as error:
        raise UpstreamError("a redirection to no possible address") from error
    if not target or new.scheme not in {"http", "https"} or not new.hostname or "@" in new.netloc:
        raise UpstreamError("a redirection to no possible address")
    if old_place[0] == "https" and new_place[0] == "http":
        raise UpstreamError("a redirection from https to http")
    if new.path.endswith("/"):
        raise MissingUpstreamError("it is a directory")
    return urlunsplit((new.scheme, new.netloc, quote(new.path, safe="/%~+:=@,!$()*;"), new.query, ""))


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
