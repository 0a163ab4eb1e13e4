"""Packages over NFS: another server's export, or directories of this one by nfs-ganesha beside provd, read only.

    [plugins.source_nfs]
    port = 2049
    versions = [4]                 # [3, 4] needs rpcbind; casper and CentOS 6 speak version 3 only
    clients = ["10.0.0.0/24"]      # who may mount; empty: everybody who reaches the port
    program = "/usr/bin/ganesha.nfsd"

    [plugins.source_nfs.exports]
    rocky-9 = "/srv/rocky-9"       # nfs:rocky-9, or nfs:rocky-9/BaseOS

A distro's ``tree`` or a profile's ``source`` may be

* ``nfs://HOST/PATH``: handed to the installer as it is; ``nfs://HOST/PATH?nfsvers=4,nolock`` with options to mount it;
* ``nfs:NAME`` or ``nfs:NAME/PATH``: a directory of ``exports``.

ganesha is a process of its own with more rights than provd has: it opens files by handle, which provd may not. So
``provd daemon run nfs`` starts it, as root, and the unit ``provd-nfs.service`` does that. It reads the disk itself:
gates and tokens are not asked, so export what anybody may read. Images (``iso:``) and mirrors (``mirror:``) are no
directories and cannot be exported.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from msgspec import field

from provd.plugin.api import BootPlan, Daemon, InstallSource, Location, Plugin, Settings, hookimpl

from .ganesha import Export, configuration
from .probe import probe

_SCHEME = "nfs"
_STANDARD_PORT = 2049


class SettingsOfSourceNfs(Settings, frozen=True):
    """What is exported, to whom, and by which program.

    Attributes:
        exports: directories by name, absolute paths.
        port: TCP port of the server.
        versions: of the protocol.
        clients: networks that may mount, empty for all.
        program: nfs-ganesha.
        plugins_dir: of nfs-ganesha, where it is not the one it was built with.
        state_dir: where it keeps what it must remember.
    """

    exports: dict[str, str] = field(default_factory=dict)
    port: int = _STANDARD_PORT
    versions: tuple[int, ...] = (4,)
    clients: tuple[str, ...] = ()
    program: str = "/usr/bin/ganesha.nfsd"
    plugins_dir: str = ""
    state_dir: str = "/var/lib/provd-nfs"

    def __post_init__(self) -> None:
        if not 0 < self.port <= 65535:
            raise ValueError("port: 1 to 65535 is expected")
        if not self.versions or not set(self.versions) <= {3, 4}:
            raise ValueError("versions: 3, 4 or both are expected")
        for number, network in enumerate(self.clients):
            try:
                IPv4Network(network)
            except ValueError as error:
                raise ValueError(f"clients[{number}]: {error}") from error
        for name, path in self.exports.items():
            if "/" in name or name in {"", ".", ".."} or not Path(path).is_absolute() or Path(path) == Path("/"):
                raise ValueError(f"exports.{name}: a plain name and an absolute path are expected")
            if not path.isprintable() or '"' in path or '"' in name or not name.isprintable():
                raise ValueError(f"exports.{name}: quotes and control characters cannot be exported")


class SourceNfs:
    """Resolves ``nfs:`` and describes the server that runs beside provd."""

    def __init__(self, settings: SettingsOfSourceNfs) -> None:
        self._settings = settings

    @hookimpl
    def provd_install_sources(self) -> Iterable[InstallSource]:
        return [InstallSource(name="nfs", schemes=(_SCHEME,), resolve=self.resolve, probe=self.probe)]

    @hookimpl
    def provd_daemons(self) -> Iterable[Daemon]:
        own = self._settings
        if not own.exports:
            return
        exports = [Export(name, Path(path)) for name, path in own.exports.items()]
        text = configuration(
            exports, port=own.port, versions=own.versions, clients=own.clients,
            plugins_dir=own.plugins_dir, state_dir=Path(own.state_dir),
        )  # fmt: skip
        yield Daemon(
            name="nfs",
            summary="nfs-ganesha, read only, for the directories in plugins.source_nfs.exports",
            argv=(own.program, "-F", "-L", "STDERR", "-f", "{folder}/ganesha.conf", "-p", "{folder}/ganesha.pid"),
            configuration={"ganesha.conf": text},
            folders=(own.state_dir,),
        )

    def resolve(self, url: str, plan: BootPlan) -> Location | None:
        """The location of an external export or of one of ours; None where it is neither."""
        if url.startswith("nfs://"):
            return _external(url)
        path = self._exported(url)
        if path is None:
            return None
        options = [] if self._settings.port == _STANDARD_PORT else [f"port={self._settings.port}"]
        # Installers try version 3 first, whose mount protocol is not there.
        options += [] if 3 in self._settings.versions else ["nfsvers=4"]
        return Location("nfs", plan.server, path, options=",".join(options))

    def probe(self, url: str) -> str:
        """What a machine that mounts ``url`` would run into; blocks some seconds where nobody answers."""
        if url.startswith("nfs://"):
            place = _external(url)
            return probe(place.host, place.path, place.options) if place else f"{url!r} is no URL of an export"
        path = self._exported(url)
        if path is None:
            return f"there is no export {url.removeprefix('nfs:')!r} in plugins.source_nfs.exports"
        options = f"port={self._settings.port},nfsvers={max(self._settings.versions)}"
        told = probe("127.0.0.1", path, options)
        return f"{told}; provd daemon run nfs starts the server" if told else ""

    def _exported(self, url: str) -> str | None:
        parts = PurePosixPath(url.removeprefix(f"{_SCHEME}:").strip("/")).parts
        if not parts or ".." in parts or parts[0] not in self._settings.exports:
            return None
        return "/" + "/".join(parts)


def _external(url: str) -> Location | None:
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc or not parts.path.strip("/"):
        return None
    try:
        port = parts.port
    except ValueError:
        return None
    options = [f"port={port}"] if port else []
    options += [word for word in unquote(parts.query).split(",") if word]
    if any(not word.isprintable() or set(word) & set(" :\"'") for word in options):
        return None
    return Location("nfs", parts.hostname, unquote(parts.path), options=",".join(options))


PLUGIN = Plugin(name="source_nfs", settings=SettingsOfSourceNfs, build=SourceNfs)
