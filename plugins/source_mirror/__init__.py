"""Packages through provd: a pull-through cache of package mirrors, for machines that have no other way out.

    [plugins.source_mirror.mirrors.debian]
    upstream = "apt"               # the archives that apt uses on this host
    suite = "bookworm"             # empty: the host's own suite

    [plugins.source_mirror.mirrors.rocky]
    upstream = "http://MIRROR/pub/rocky"
    # upstream = ["http://MIRROR1/rocky", "http://MIRROR2/rocky"]: asked in this order, the next where one fails
    # proxy = "http://PROXY:3128": ask through this (http upstreams only)
    refresh_s = 300                # an index is taken from the cache for so long
    # keyring = "/usr/share/keyrings/debian-archive-keyring.gpg": verify against the signed index (apt)
    max_mb = 50000                 # what was used longest ago leaves
    offline = false                # true: serve what is there, ask nobody

A distro's ``tree`` or a profile's ``source`` names a mirror and a directory in it, as in ``mirror:debian`` or
``mirror:rocky/9/BaseOS/x86_64/os``. The machine gets ``http://PROVD/mirror/NAME/...``.

The mirror ``debian`` is there without configuration: it is the archive that apt uses on this host (``sources.list`` and
``sources.list.d``, read when a file is fetched), together with the archives of its updates and security fixes. Where
apt has none, set ``upstream``. User and password in an upstream URL are sent to that server only and never shown. A
proxy that apt uses is not used here.

What is fetched is kept in ``DATA_DIR/mirror/NAME``. Several machines that want one file share one fetch, and get it
while it arrives. Packages and files named by their digest are never asked for again. Everything else is asked for
again after ``refresh_s``, and kept where upstream says that it did not change. When upstream cannot be reached, the old
copy is served; where there is none, the answer is 502 with the reason in provd's log. A transfer that breaks off goes
on where it broke, where upstream has ranges and validators; what does not come whole is never kept. A file whose
name is its SHA-256 is kept, and given out whole, only where that is right. Empty the directory after pointing a mirror
at another archive. A cache is as large as ``max_mb`` says (0: any size); what
was used longest ago leaves.

``provd mirror status`` shows what each mirror holds and how often it helped; ``provd mirror prefetch`` fetches files,
suites or repositories before machines ask (``prefetched`` tells how far it is, ``cancel`` stops it), and ``provd mirror
purge`` removes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from provd.plugin.api import (
    BootPlan,
    Content,
    FileRequest,
    InstallSource,
    Location,
    NotFound,
    Operation,
    Plugin,
    Runtime,
    hookimpl,
)

from .cache import Cache
from .operations import MirrorOperations, unknown
from .service import MirrorService
from .settings import DEFAULTS, SettingsOfSourceMirror
from .upstream import Upstream

_SCHEME = "mirror"


class SourceMirror:
    """Resolves ``mirror:NAME/PATH`` and serves ``mirror/NAME/PATH``."""

    def __init__(self, settings: SettingsOfSourceMirror, clock: Callable[[], float] = time.monotonic) -> None:
        root = Path(settings.data_dir) / "mirror"
        self._mirrors = {
            name: MirrorService(
                name, mirror, Upstream(mirror, Path(settings.apt_dir), clock=clock), Cache(root / name), clock
            )
            for name, mirror in {**DEFAULTS, **settings.mirrors}.items()
        }
        self._operations = MirrorOperations(self._mirrors)

    def start(self, runtime: Runtime) -> None:
        """Fetch with this from now on."""
        self._operations.runtime = runtime
        for mirror in self._mirrors.values():
            mirror.start(runtime)

    def close(self) -> None:
        """Stop every fetch."""
        for mirror in self._mirrors.values():
            mirror.close()

    @hookimpl
    def provd_install_sources(self) -> Iterable[InstallSource]:
        return [InstallSource(name="mirror", schemes=(_SCHEME,), resolve=self.resolve)]

    @hookimpl
    def provd_operations(self) -> Iterable[Operation]:
        return self._operations.operations()

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        name, _, path = request.path.removeprefix("mirror/").partition("/")
        if not request.path.startswith("mirror/"):
            return None
        mirror = self._mirrors.get(name)
        if mirror is None:
            return NotFound(unknown(name))
        if request.method not in {"GET", "HEAD"}:
            return NotFound("mirrors can only be read", status=405)
        return mirror.answer(path, request.method)

    def resolve(self, url: str, plan: BootPlan) -> Location | None:
        """Where the machine of ``plan`` finds ``mirror:NAME/PATH``; None where there is no such mirror."""
        path = url.removeprefix(f"{_SCHEME}:").strip("/")
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or parts[0] not in self._mirrors:
            return None
        port = 0 if plan.http_port == 80 else plan.http_port
        return Location("http", plan.server, f"/mirror/{quote('/'.join(parts))}", port)


PLUGIN = Plugin(name="source_mirror", settings=SettingsOfSourceMirror, build=SourceMirror)
