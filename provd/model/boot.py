"""Boot plans: what one machine is going to boot, and the file its firmware is told to fetch first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from provd.model.client import ClientFacts
from provd.model.menu import Menu
from provd.model.profile import Profile
from provd.model.system import System

NOTHING_INSTALLED: Final = "# Nothing is installed by this configuration.\n"
"""Comment in a loader's configuration that boots what installs nothing; simulated machines expect no answer file."""


class Action(Enum):
    """What a network boot leads to; ``START`` boots something that installs nothing: a rescue system, a memory test."""

    INSTALL = "install"
    START = "start"
    MENU = "menu"
    LOCAL = "local"
    HOLD = "hold"
    WAIT = "wait"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BootFile:
    """What firmware fetches first (DHCP ``file`` field and options 66/67).

    Attributes:
        path: served path without a leading slash; for ``transport = "http"`` provd makes it an absolute URI.
        transport: ``tftp`` or ``http``.
        options: DHCP options by number that only this loader's clients get.
    """

    path: str
    transport: str = "tftp"
    options: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Location:
    """Where an installer gets packages, in a form that any family can use.

    Attributes:
        scheme: ``http``, ``https``, ``ftp`` or ``nfs``.
        host: server as the machine reaches it.
        port: 0 for the scheme's own.
        path: directory with a leading slash.
        options: with which it is mounted (nfs(5)), where ``scheme`` is ``nfs``.
    """

    scheme: str
    host: str
    path: str
    port: int = 0
    options: str = ""

    @property
    def url(self) -> str:
        """The location as a URL."""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.host}{port}{self.path}"


@dataclass(frozen=True, slots=True)
class Payload:
    """Kernel and initial RAM disks of an installer that boots its own (paths on provd's disk).

    Attributes:
        kernel: the kernel, or the program or image that is booted in its place.
        initrd: initial RAM disks in the order they are loaded.
        kind: what ``kernel`` is, one of :data:`provd.model.distro.PROGRAM_KINDS`.
    """

    kernel: str
    initrd: tuple[str, ...]
    kind: str = "linux"


@dataclass(frozen=True, slots=True)
class BootPlan:
    """The decision for one boot of one machine; a session keeps the plan it was given.

    Attributes:
        action: install, local boot, hold or nothing.
        reason: one sentence that says why.
        client: facts of the firmware's DISCOVER.
        system: the known system, or None.
        profile: its resolved profile, or None.
        session: id of the boot session.
        loader: name of the chosen boot loader, or empty.
        server: provd's address as this client reaches it (dotted quad).
        http_port: port of provd's HTTP listener.
        log_port: syslog port at that address, 0 where nothing listens.
        kernel: served path of the kernel, the same over TFTP and HTTP; empty unless installing or starting something.
        kind: what ``kernel`` is: ``linux``, or with ``START`` also ``efi``, ``floppy`` or ``iso``.
        initrd: served paths of the initial RAM disks.
        kernel_args: the whole command line; it may hold the token, so only the bound address is shown it.
        location: install source, or None.
        wait_s: seconds after which the loader of a waiting machine asks for its configuration again.
        asked: how often it has asked by now.
        menu: what a machine with the action ``MENU`` chooses from.
        token: install token; empty before the loader's configuration is rendered. Never log or print it.
    """

    action: Action
    reason: str
    client: ClientFacts
    system: System | None = None
    profile: Profile | None = None
    session: str = ""
    loader: str = ""
    server: str = ""
    http_port: int = 80
    log_port: int = 0
    kernel: str = ""
    initrd: tuple[str, ...] = ()
    kernel_args: tuple[str, ...] = ()
    location: Location | None = None
    wait_s: int = 0
    asked: int = 0
    kind: str = "linux"
    menu: Menu | None = None
    token: str = field(default="", repr=False)

    @property
    def http_base(self) -> str:
        """``http://SERVER[:PORT]`` as this client reaches it."""
        port = "" if self.http_port == 80 else f":{self.http_port}"
        return f"http://{self.server}{port}"

    def url(self, path: str) -> str:
        """Absolute HTTP URL of a served path."""
        return f"{self.http_base}/{path}"

    def answer_url(self, document: str) -> str:
        """URL of one answer file of this session; contains the token."""
        return self.url(f"answer/{self.token}/{document}")

    def callback_url(self, name: str = "") -> str:
        """URL that the installer posts ``name`` to; without a name the base that callbacks are appended to."""
        return self.url(f"callback/{self.token}/{name}" if name else f"callback/{self.token}")
