"""Packages, kernels and everything else straight out of ISO images: no mount, no root, no copy.

    [plugins.source_iso]
    root = ""                      # empty: DATA_DIR/iso, one NAME.iso each

    [plugins.source_iso.images]
    rocky-9 = "/srv/iso/Rocky-9-x86_64-dvd.iso"

A distro's ``tree`` or a profile's ``source`` names an image and a directory in it, as in ``iso:rocky-9`` or
``iso:rocky-9/BaseOS``; a distro's ``kernel`` and ``initrd`` name files, as in ``iso:rocky-9/images/pxeboot/vmlinuz``.
The machine gets ``http://PROVD/iso/NAME/...``, and TFTP serves the same paths.

The directory of an image is read once, when provd starts or the image changes (a second for ten thousand files), and
kept in memory; commands that start no service, as ``provd simulate``, read it when they ask. A file's octets leave from
the image itself, so a DVD costs the memory of its directory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from msgspec import field

from provd.plugin.api import (
    AwaitedBody,
    BootPlan,
    Content,
    FileBody,
    FileRequest,
    InstallSource,
    Location,
    NotFound,
    Plugin,
    Runtime,
    Settings,
    hookimpl,
    media_type,
)

from .index import Extent, Index
from .library import Library

_SCHEME = "iso"
_PREFIX = "iso/"


class SettingsOfSourceIso(Settings, frozen=True):
    """Where images are.

    Attributes:
        root: directory with ``NAME.iso`` files; empty for ``iso`` in the data directory.
        images: further images by name, absolute paths.
        data_dir: filled in by provd.
    """

    root: str = ""
    images: dict[str, str] = field(default_factory=dict)
    data_dir: str = ""

    def __post_init__(self) -> None:
        for name, path in self.images.items():
            if "/" in name or name in {"", ".", ".."} or not Path(path).is_absolute():
                raise ValueError(f"images.{name}: a plain name and an absolute path are expected")


class SourceIso:
    """Resolves ``iso:NAME/PATH`` and serves ``iso/NAME/PATH``."""

    def __init__(self, settings: SettingsOfSourceIso) -> None:
        root = settings.root or (str(Path(settings.data_dir) / "iso") if settings.data_dir else "")
        images = {name: Path(path) for name, path in settings.images.items()}
        self._library = Library(Path(root) if root else None, images)

    def start(self, runtime: Runtime) -> None:
        """Read the images that are named in the settings."""
        self._library.start(runtime)

    def close(self) -> None:
        """Stop reading."""
        self._library.close()

    @hookimpl
    def provd_install_sources(self) -> Iterable[InstallSource]:
        return [InstallSource(name="iso", schemes=(_SCHEME,), resolve=self.resolve, file=self.file)]

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        if not request.path.startswith(_PREFIX):
            return None
        if request.method not in {"GET", "HEAD"}:
            return NotFound("images can only be read", status=405)
        name, _, path = request.path.removeprefix(_PREFIX).partition("/")
        index = self._library.now(name)
        if isinstance(index, Index):
            return self._content(name, index, path)
        if isinstance(index, NotFound):
            return index
        return Content(AwaitedBody(lambda: self._later(name, path, index)), -1)

    def resolve(self, url: str, plan: BootPlan) -> Location | None:
        """Where the machine of ``plan`` finds ``iso:NAME/PATH``; None where there is no such image."""
        parts = PurePosixPath(url.removeprefix(f"{_SCHEME}:").strip("/")).parts
        if not parts or ".." in parts or self._library.path(parts[0]) is None:
            return None
        port = 0 if plan.http_port == 80 else plan.http_port
        return Location("http", plan.server, f"/{_PREFIX}{quote('/'.join(parts))}", port)

    def file(self, url: str) -> Content | NotFound:
        """A kernel or an initial RAM disk, ``iso:NAME/PATH``; a running service must have read the image."""
        name, _, path = url.removeprefix(f"{_SCHEME}:").partition("/")
        index = self._library.now(name)
        if isinstance(index, Index):
            return self._content(name, index, path)
        return index if isinstance(index, NotFound) else NotFound(f"image {name} is being read, try again", status=503)

    async def _later(self, name: str, path: str, coming: Awaitable[Index | NotFound]) -> Content | NotFound:
        index = await coming
        return index if isinstance(index, NotFound) else self._content(name, index, path)

    def _content(self, name: str, index: Index, path: str) -> Content | NotFound:
        node = index.find(path)
        if node is None:
            return NotFound(f"image {name} has no {path}")
        if not isinstance(node, Extent):
            return _listing(node) if isinstance(node, dict) else NotFound(f"image {name}: {path} is a link")
        image = self._library.path(name)
        if image is None:
            return NotFound(f"there is no image {name!r}")
        inode, size, time_ns = index.mark
        return Content(
            FileBody(image, offset=node.offset),
            length=node.length,
            media_type=media_type(path),
            mtime=time_ns / 1e9,
            etag=f"{inode:x}-{size:x}-{time_ns:x}-{node.offset:x}-{node.length:x}",
        )


def _listing(folder: Mapping[str, object]) -> Content:
    """The names in a directory, for people who look what there is."""
    return Content.text("".join(f"{one}{'/' * isinstance(node, dict)}\n" for one, node in sorted(folder.items())))


PLUGIN = Plugin(name="source_iso", settings=SettingsOfSourceIso, build=SourceIso)
