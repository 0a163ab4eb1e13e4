"""What simulated boot loaders have in common: fetching, and what they start."""

from __future__ import annotations

from dataclasses import dataclass, field

from provd.model.boot import NOTHING_INSTALLED
from provd.simulate.actions import Fetched, HttpSend, Stage, TftpGet
from provd.simulate.dhcp import Bound


@dataclass(frozen=True, slots=True)
class Started:
    """What a loader starts.

    Attributes:
        action: ``install`` (a kernel), ``start`` (what installs nothing), ``local`` (the disk), ``waiting`` (it would
            ask again for ever) or ``stopped``.
        kernel: its octets.
        initrd: octets of each initial RAM disk.
        command_line: of the kernel.
        config: path of the configuration that was used.
        asked: names that were asked for, in order, with the status of each answer.
        said: what stood on the screen.
        loader: path of a loader chained from the disk.
    """

    action: str
    kernel: bytes = b""
    initrd: tuple[bytes, ...] = ()
    command_line: str = ""
    config: str = ""
    asked: tuple[tuple[str, int], ...] = ()
    said: tuple[str, ...] = ()
    loader: str = ""


@dataclass(slots=True)
class Fetcher:
    """Fetches for one loader and remembers what it asked for."""

    bound: Bound
    options: tuple[tuple[str, str], ...]
    agent: str
    asked: list[tuple[str, int]] = field(default_factory=list)

    def get(self, path: str) -> Stage[Fetched]:
        """A URL by HTTP, anything else by TFTP from the next server."""
        found: Fetched
        if path.startswith("http://"):
            found = yield HttpSend(path, headers={"User-Agent": self.agent}, source=self.bound.address)
        else:
            found = yield TftpGet(self.bound.next_server, path, self.options, source=self.bound.address)
        self.asked.append((path, found.status))
        return found


def action_of(config: bytes) -> str:
    """A configuration that starts something says whether that installs."""
    return "start" if NOTHING_INSTALLED.encode() in config else "install"
