"""The unsigned GRUB with a server's address written into it, for machines that cannot learn it from DHCP."""

from __future__ import annotations

import re
from pathlib import Path

from provd.plugin.api import Content

from .builds import BUILDS

SERVER_MARK = b"set provd_server= # provd writes its address here where no DHCP says it"
"""First line of the configuration inside the image; it is replaced by one of the same length."""
_NAMES = "|".join(re.escape(build.http) for build in BUILDS.values())
_SERVED = re.compile(rf"proxy/(\d{{1,3}}(?:\.\d{{1,3}}){{3}})-(\d{{1,5}})/({_NAMES})")


def served_path(name: str, server: str, http_port: int) -> str:
    """Path of an image for a server (dotted quad) and its HTTP port."""
    return f"proxy/{server}-{http_port}/{name}"


def asked_server(path: str) -> tuple[str, str]:
    """``ADDRESS:PORT`` and name of the image of a served path, empty where it is no such image."""
    found = _SERVED.fullmatch(path)
    return (f"{found[1]}:{found[2]}", found[3]) if found else ("", "")


class ServerImage:
    """Reads each image once for each version of its file."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[tuple[int, int], bytes]] = {}

    def usable(self, file: Path) -> bool:
        """The image has the line; one that an older provd made has not."""
        return SERVER_MARK in self._image(file)

    def content(self, file: Path, server: str) -> Content:
        """The image that asks ``server`` (``ADDRESS:PORT``) for its configuration."""
        line = b"set provd_server=" + server.encode() + b" #"
        body = self._image(file).replace(SERVER_MARK, line.ljust(len(SERVER_MARK), b"-"), 1)
        return Content(body, len(body), "application/efi")

    def _image(self, file: Path) -> bytes:
        status = file.stat()
        version = (status.st_mtime_ns, status.st_size)
        known = self._read.get(file)
        if known is None or known[0] != version:
            known = self._read[file] = (version, file.read_bytes())
        return known[1]
