"""Packages over HTTP or HTTPS: from another server, or from a directory on this one.

    [plugins.source_http]
    root = ""                      # empty: DATA_DIR/tree

    [plugins.source_http.trees]
    rocky-9 = "/srv/rocky-9"       # a tree that lies elsewhere

A distro's ``tree`` or a profile's ``source`` may be

* ``http://HOST/PATH`` or ``https://HOST/PATH``: handed to the installer as it is;
* ``debian-12``: the directory of that name below ``root``, or in ``trees``, served by provd as ``tree/debian-12/...``;
* ``/srv/rocky-9/BaseOS``: an absolute path inside one of those directories.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from msgspec import field

from provd.plugin.api import (
    BootPlan,
    Content,
    FileRequest,
    InstallSource,
    Location,
    NotFound,
    Plugin,
    Settings,
    file_beneath,
    hookimpl,
)


class SettingsOfSourceHttp(Settings, frozen=True):
    """Where local trees are.

    Attributes:
        root: directory with one tree per distro; empty for ``tree`` in the data directory.
        trees: further trees by name, absolute paths.
        data_dir: filled in by provd.
    """

    root: str = ""
    trees: dict[str, str] = field(default_factory=dict)
    data_dir: str = ""

    def __post_init__(self) -> None:
        for name, path in self.trees.items():
            if "/" in name or name in {"", ".", ".."} or not Path(path).is_absolute():
                raise ValueError(f"trees.{name}: a plain name and an absolute path are expected")


class SourceHttp:
    """Resolves URLs and serves local trees."""

    def __init__(self, settings: SettingsOfSourceHttp) -> None:
        root = settings.root or (str(Path(settings.data_dir) / "tree") if settings.data_dir else "")
        self._root = Path(root) if root else None
        self._trees = {name: Path(path) for name, path in settings.trees.items()}

    @hookimpl
    def provd_install_sources(self) -> Iterable[InstallSource]:
        return [InstallSource(name="http", schemes=("http", "https", ""), resolve=self.resolve)]

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        if not request.path.startswith("tree/"):
            return None
        name, _, rest = request.path.removeprefix("tree/").partition("/")
        directory = self._directory(name)
        if directory is None:
            return NotFound(f"there is no tree {name!r}")
        if request.method not in {"GET", "HEAD"}:
            return NotFound("trees can only be read", status=405)
        return file_beneath(directory, rest)

    def resolve(self, url: str, plan: BootPlan) -> Location | None:
        """The location of an external URL or of a local tree; None where it is neither."""
        parts = urlsplit(url)
        if parts.scheme:
            return _external(url)
        served = self._served(url.rstrip("/"))
        if served is None:
            return None
        port = 0 if plan.http_port == 80 else plan.http_port
        return Location("http", plan.server, f"/tree/{quote(served)}", port)

    def _directory(self, name: str) -> Path | None:
        if name in {"", ".", ".."}:
            return None
        return self._trees.get(name) or (self._root / name if self._root else None)

    def _served(self, path: str) -> str | None:
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts:
            return None
        if parts[0] != "/":
            return "/".join(parts) if self._directory(parts[0]) else None
        for name, directory in self._trees.items():
            if Path(path).is_relative_to(directory):
                return str(PurePosixPath(name) / Path(path).relative_to(directory))
        if self._root and Path(path).is_relative_to(self._root) and Path(path) != self._root:
            return str(Path(path).relative_to(self._root))
        return None


def _external(url: str) -> Location | None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        return None
    try:
        port = parts.port or 0
    except ValueError:
        return None
    host = parts.netloc.removesuffix(f":{port}") if port else parts.netloc
    return Location(parts.scheme, host, parts.path or "/", port)


PLUGIN = Plugin(name="source_http", settings=SettingsOfSourceHttp, build=SourceHttp)
