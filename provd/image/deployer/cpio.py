"""Write a "new ASCII" cpio archive, the form the Linux kernel unpacks as its initramfs.

Writing the bytes here, and not with cpio(1) from a staged tree, lets an ordinary user put device nodes and files owned
by root into the archive. Source: Documentation/driver-api/early-userspace/buffer-format.rst of Linux.
"""

from __future__ import annotations

import stat
from typing import BinaryIO

MAGIC = b"070701"
TRAILER = "TRAILER!!!"


def _padding(length: int) -> bytes:
    return b"\0" * (-length % 4)


class CpioWriter:
    """One archive, written entry by entry in the order given; parents must come before their children.

    Every entry belongs to root and carries time 0, so that equal content gives equal bytes.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._inode = 0
        self._directories: set[str] = set()

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Add a directory and those above it that are not there yet."""
        if not path or path in self._directories:
            return
        self.directory(path.rpartition("/")[0])
        self._directories.add(path)
        self._entry(path, stat.S_IFDIR | mode, b"")

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Add a regular file; ``path`` has no leading slash."""
        self.directory(path.rpartition("/")[0])
        self._entry(path, stat.S_IFREG | mode, content)

    def symlink(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self.directory(path.rpartition("/")[0])
        self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path: str, major: int, minor: int, mode: int = 0o600) -> None:
        """Add a character device node."""
        self.directory(path.rpartition("/")[0])
        self._entry(path, stat.S_IFCHR | mode, b"", (major, minor))

    def close(self) -> None:
        """Write the trailer; the stream itself stays open."""
        self._inode = -1
        self._entry(TRAILER, 0, b"")

    def _entry(self, path: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)) -> None:
        if path.startswith("/") or ".." in path.split("/"):
            msg = f"cpio entry {path!r}: the path must be relative and without '..'"
            raise ValueError(msg)
        self._inode += 1
        name = path.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
        header = MAGIC + b"".join(b"%08X" % value for value in fields)
        self._out.write(header + name + _padding(len(header) + len(name)))
        self._out.write(content + _padding(len(content)))
