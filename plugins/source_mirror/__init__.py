"""source_mirror: packages through provd, from a pull-through cache of package mirrors.

A machine that has no other way out installs from provd: what it asks for is fetched from the upstream mirror once, kept
on disk, and served to every other machine from there. Several that want the same file at the same time follow one
fetch. With upstream out of reach, what is kept is served as it was.

Settings::

    [plugins.source_mirror]
    index_s = 60              # seconds after which Release, Packages and the like are asked for again
    negative_s = 30           # seconds for which a file that upstream lacks stays missing
    timeout_s = 30            # seconds until upstream's first answer
    stall_s = 60              # seconds between two pieces of a file

    [plugins.source_mirror.mirrors.debian]
    upstream = "apt:"         # as this machine's own apt; "apt:security" for the archive of that name
    [plugins.source_mirror.mirrors.rocky]
    upstream = "http://MIRROR/rocky"

The mirror ``debian`` is there without being configured, as ``apt:``. A distro's ``tree`` or a profile's ``source``
names a mirror as ``mirror:debian`` or ``mirror:rocky/9/BaseOS/x86_64/os``; provd serves it as ``mirror/NAME/...``. The
cache is ``mirror/`` in the data directory; files may be removed from it at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from msgspec import field

from provd.plugin.api import (
    AwaitedBody,
    BootPlan,
    Content,
    FileRequest,
    InstallSource,
    Location,
    NotFound,
    Plugin,
    Runtime,
    Settings,
    hookimpl,
)

from .apt_sources import apt_upstream
from .cache import MirrorCache

PREFIX = "mirror/"
_APT = "apt:"


class Mirror(Settings, frozen=True):
    """One mirror.

    Attributes:
        upstream: URL of the tree that is mirrored, or ``apt:`` and a word.
    """

    upstream: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.upstream)
        web = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
        if not self.upstream.startswith(_APT) and not (web and not parts.query):
            raise ValueError(f"upstream {self.upstream!r} is neither an HTTP URL without a password nor apt:")


class SettingsOfSourceMirror(Settings, frozen=True):
    """Keys of ``[plugins.source_mirror]``.

    Attributes:
        mirrors: by name.
        index_s: freshness of indexes.
        negative_s: how long a miss is believed.
        timeout_s: patience with upstream.
        stall_s: patience within a file.
        apt_dir: where apt's lists are.
        data_dir: filled in by provd.
    """

    mirrors: dict[str, Mirror] = field(default_factory=dict)
    index_s: float = 60.0
    negative_s: float = 30.0
    timeout_s: float = 30.0
    stall_s: float = 60.0
    apt_dir: str = "/etc/apt"
    data_dir: str = ""

    def __post_init__(self) -> None:
        for name in self.mirrors:
            if not name or "/" in name or name.startswith("."):
                raise ValueError(f"mirrors.{name}: a plain name is expected")


class SourceMirror:
    """Resolves ``mirror:NAME/PATH`` and serves ``mirror/NAME/PATH``."""

    def __init__(self, settings: SettingsOfSourceMirror, clock: Callable[[], float] = time.monotonic) -> None:
        self._mirrors = {"debian": Mirror(upstream=_APT), **settings.mirrors}
        self._apt_dir = Path(settings.apt_dir)
        self._cache = MirrorCache(
            Path(settings.data_dir) / "mirror",
            self._upstream_of,
            clock,
            index_s=settings.index_s,
            negative_s=settings.negative_s,
            timeout_s=settings.timeout_s,
            stall_s=settings.stall_s,
        )

    def start(self, runtime: Runtime) -> None:
        """Take the runtime."""
        self._cache.start(runtime)

    def close(self) -> None:
        """Stop fetching."""
        self._cache.close()

    @hookimpl
    def provd_install_sources(self) -> Iterable[InstallSource]:
        return [InstallSource(name="mirror", schemes=("mirror",), resolve=self.resolve)]

    @hookimpl(per_packet=True)
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        if not request.path.startswith(PREFIX):
            return None
        path = request.path.removeprefix(PREFIX)
        name, _, rest = path.partition("/")
        if name not in self._mirrors or not rest:
            return NotFound(f"there is no mirror {name!r}" if rest else f"mirror {name!r} has no directory listing")
        if request.method not in {"GET", "HEAD"}:
            return NotFound("mirrors can only be read", status=405)
        if any(part in {"", ".", ".."} or "\0" in part for part in rest.split("/")):
            return NotFound(f"{rest!r} is not a path of plain components", status=403)
        known = self._cache.at_once(path)
        return known if known is not None else Content(AwaitedBody(partial(self._cache.ask, path)), -1)

    def resolve(self, url: str, plan: BootPlan) -> Location | None:
        """Where the machine of ``plan`` reaches the mirror; None where there is none of this name."""
        path = url.removeprefix("mirror:").strip("/")
        name, _, rest = path.partition("/")
        if name not in self._mirrors or ".." in rest.split("/"):
            return None
        return Location("http", plan.server, f"/mirror/{quote(path)}", plan.http_port if plan.http_port != 80 else 0)

    def _upstream_of(self, name: str) -> str:
        upstream = self._mirrors[name].upstream
        return apt_upstream(upstream.removeprefix(_APT), self._apt_dir) if upstream.startswith(_APT) else upstream


PLUGIN = Plugin(name="source_mirror", settings=SettingsOfSourceMirror, build=SourceMirror)
