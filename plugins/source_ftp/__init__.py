"""Packages over FTP, for installers that want it: from another server, or the trees of this one, read only.

    [plugins.source_ftp]
    port = 21                      # 0: no listener
    passive = [50000, 50099]       # ports for data; empty: any free one
    advertise = ""                 # address that machines are told, behind NAT
    connections_max = 200
    idle_s = 120                   # seconds in which nothing is said and nothing of a file is taken

A distro's ``tree`` or a profile's ``source`` may be

* ``ftp://HOST/PATH``: handed to the installer as it is;
* ``ftp:iso/NAME``, ``ftp:tree/NAME``, ``ftp:mirror/NAME``, each with a directory behind it: what ``iso:NAME``,
  ``NAME`` and ``mirror:NAME`` serve over HTTP, by the listener of this plugin.

Anybody may log in as ``anonymous``. Nothing can be written, nothing but these trees is served, and data goes to the
machine that asks (passive mode alone: with active mode a client could have provd call somebody else, RFC 2577).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from provd.plugin.api import BootPlan, InstallSource, Location, Plugin, Runtime, Settings, hookimpl

from .trees import TREES

_SCHEME = "ftp"


class SettingsOfSourceFtp(Settings, frozen=True):
    """The listener.

    Attributes:
        port: TCP port, 0 for no listener.
        address: that is bound, empty for every one.
        passive: first and last port for data, empty for any.
        advertise: address in answers to PASV, empty for the one that was asked.
        connections_max: connections at once.
        idle_s: seconds in which a connection may say nothing and take nothing of a file.
    """

    port: int = 21
    address: str = ""
    passive: tuple[int, ...] = (50000, 50099)
    advertise: str = ""
    connections_max: int = 200
    idle_s: int = 120

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError("port: 0 to 65535 is expected")
        good = not self.passive or (len(self.passive) == 2 and 0 < self.passive[0] <= self.passive[1] <= 65535)
        if not good:
            raise ValueError("passive: the first and the last port for data are expected, or nothing")


class SourceFtp:
    """Resolves ``ftp:`` and listens."""

    def __init__(self, settings: SettingsOfSourceFtp) -> None:
        self._settings = settings
        self._listening: Any = None

    def start(self, runtime: Runtime) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        if self._settings.port:
            # The server's part of Twisted is loaded where somebody wants it.
            from .listener import factory_of

            factory = factory_of(self._settings, runtime)
            self._listening = runtime.listen_tcp(self._settings.port, factory, self._settings.address)

    def close(self) -> None:
        """Stop listening; what is being sent is cut."""
        if self._listening is not None:
            self._listening.close()

    @hookimpl
    def provd_install_sources(self) -> Iterable[InstallSource]:
        return [InstallSource(name="ftp", schemes=(_SCHEME,), resolve=self.resolve)]

    def resolve(self, url: str, plan: BootPlan) -> Location | None:
        """The location of an external URL or of a tree of this server; None where it is neither."""
        if url.startswith("ftp://"):
            return _external(url)
        parts = PurePosixPath(url.removeprefix(f"{_SCHEME}:").strip("/")).parts
        if len(parts) < 2 or parts[0] not in TREES or ".." in parts or not self._settings.port:
            return None
        port = 0 if self._settings.port == 21 else self._settings.port
        return Location("ftp", self._settings.advertise or plan.server, "/" + "/".join(parts), port)


def _external(url: str) -> Location | None:
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc or parts.query:
        return None
    try:
        port = parts.port or 0
    except ValueError:
        return None
    return Location("ftp", parts.netloc.removesuffix(f":{port}") if port else parts.netloc, parts.path or "/", port)


PLUGIN = Plugin(name="source_ftp", settings=SettingsOfSourceFtp, build=SourceFtp)
