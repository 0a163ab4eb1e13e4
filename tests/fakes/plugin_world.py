"""Named fakes for everything that talks to plugins: packets, plans, plugin objects made on the spot, a clock, a runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from provd.model.arch import EFI_X64
from provd.model.boot import Action, BootPlan
from provd.model.client import ClientFacts
from provd.model.content import FileRequest
from provd.model.dhcp import Destination, DhcpRequest, Reply
from provd.model.distro import Distro
from provd.model.mac import Mac
from provd.model.profile import Profile
from provd.model.system import Interface, System
from provd.plugin.api import Plugin, Settings
from provd.plugin.breaker import Limits
from provd.plugin.host import PluginHost
from provd.plugin.loading import Found
from provd.wire.packet import DhcpPacket

T = TypeVar("T")

MAC = Mac.parse("52:54:00:aa:bb:cc")
CLIENT = ClientFacts(MAC, arch=EFI_X64, vendor_class="PXEClient:Arch:00007:UNDI:003000")
SYSTEM = System("web1", profile="web", interfaces=(Interface("eth0", MAC),))
PROFILE = Profile("web", Distro("debian-12"), parents=("base",))
PLAN = BootPlan(
    Action.INSTALL,
    "assigned",
    CLIENT,
    system=SYSTEM,
    profile=PROFILE,
    session="s1",
    server="10.0.0.1",
    token="t0psecret",
)
REPLY = Reply(
    2, 0x0A000005, 0x0A000001, b"pxelinux.0", b"", {3: b"\x0a\0\0\x01"}, 0x0A000001, Destination(2**32 - 1, 68)
)


def dhcp_request(client: ClientFacts = CLIENT) -> DhcpRequest:
    """A DISCOVER of ``client``."""
    chaddr = client.mac.octets.ljust(16, b"\0")
    packet = DhcpPacket(1, 1, 6, 0, 0xCAFE, 0, 0, 0, 0, 0, 0, chaddr, b"", b"", {53: b"\x01"})
    return DhcpRequest(packet, client, "eth0", 0x0A000001)


def file_request(path: str, method: str = "GET") -> FileRequest:
    """A request for ``path`` over HTTP."""
    return FileRequest("http", path, "10.0.0.5", "10.0.0.1", method=method)


class FakeClock:
    """Monotonic seconds that move only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class NoSettings(Settings, frozen=True):
    """A plugin without settings."""


class MadePlugin(Found):
    """A plugin value made in a test."""

    def __init__(self, plugin: Plugin[Any]) -> None:
        super().__init__(plugin.name, "test", Path("/nowhere") / f"{plugin.name}.py")
        self._made = plugin

    @property
    def version(self) -> str:
        return "1"

    def _import(self) -> object:
        return self._made


def made(name: str, build: Callable[[Any], object], settings: type = NoSettings) -> MadePlugin:
    """A plugin found in a test."""
    return MadePlugin(Plugin(name, settings, build))


def _ignoring(factory: Callable[[], object], _settings: object) -> object:
    return factory()


def host_of(
    *plugins: Found | tuple[str, Callable[[], object]],
    settings: Mapping[str, Mapping[str, object]] | None = None,
    critical: Sequence[str] = (),
    clock: Callable[[], float] | None = None,
    limits: Limits | None = None,
    data_dir: str = "",
    waited: Callable[[], float] = lambda: 0.0,
) -> PluginHost:
    """A host; a pair of name and factory is a plugin without settings."""
    found = [one if isinstance(one, Found) else made(one[0], partial(_ignoring, one[1])) for one in plugins]
    return PluginHost(
        found,
        settings or {},
        clock=clock or FakeClock(),
        critical=critical,
        limits=limits,
        data_dir=data_dir,
        waited=waited,
    )
