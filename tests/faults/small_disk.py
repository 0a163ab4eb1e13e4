"""A small file system of its own, in a mount namespace that a waiting process holds open."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MOUNT = 'mount --make-rprivate / && mount -t tmpfs -o "size=$2,mode=755" tmpfs "$1" && echo mounted && exec cat'


@dataclass(frozen=True)
class SmallDisk:
    """The file system.

    Attributes:
        where: its mount point.
        holder: process id of the process that holds the namespace open.
    """

    where: Path
    holder: int

    @property
    def enter(self) -> tuple[str, ...]:
        """Command that runs the rest of its arguments where the file system is mounted."""
        return ("nsenter", f"--mount=/proc/{self.holder}/ns/mnt", f"--wdns={Path.cwd()}")

    @property
    def content(self) -> Path:
        """The mount point as it is reached from outside."""
        return Path(f"/proc/{self.holder}/root{self.where}")

    def fill(self) -> None:
        """Take the last octet of space."""
        with (self.content / "ballast").open("ab", buffering=0) as ballast:
            size = 1 << 16
            while size:
                try:
                    ballast.write(bytes(size))
                except OSError:
                    size //= 2

    def empty(self) -> None:
        """Give the space back."""
        (self.content / "ballast").unlink()

    def mount(self, option: str) -> None:
        """Mount it anew with another option, ``ro`` or ``rw``."""
        subprocess.run([*self.enter, "mount", "-o", f"remount,{option}", str(self.where)], check=True)


@contextmanager
def small_disk(where: Path, size: str) -> Iterator[SmallDisk]:
    """Mount one; it is gone with the last process that uses it."""
    where.mkdir(parents=True, exist_ok=True)
    command = ["unshare", "--mount", "sh", "-euc", _MOUNT, "sh", str(where), size]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mounted\n"
        yield SmallDisk(where, holder.pid)
        assert holder.stdin is not None
        holder.stdin.close()
