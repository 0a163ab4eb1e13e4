"""A whole provd without sockets: real services and plugins, a store in memory, and a driver for simulated machines."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from msgspec import structs
from twisted.internet.task import Clock

from provd.app.services import Services
from provd.model.content import Content, FileBody, FileRequest, NotFound, settled
from provd.model.dhcp import Destination
from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.service.current import Current
from provd.service.dhcp_ports import Arrival
from provd.service.load import build_host, read, read_catalogue
from provd.simulate.actions import DhcpSend, Fetched, HttpSend, TftpGet
from provd.simulate.boot import FirmwareName, Transcript, simulate
from provd.simulate.firmware import Machine
from provd.store.memory import MemoryStore
from provd.wire.dhcp import decode

SERVER: Final = "10.88.0.1"
MAC: Final = Mac.parse("52:54:00:88:00:11")
MACHINE: Final = Machine(MAC.octets, UUID("88880000-0000-4000-8000-525400880011"))

CONFIG: Final = """
data_dir = "{root}/data"
site_dir = "{root}/site"
socket = "{root}/provd.sock"
user = ""

[[interface]]
name = "eth0"

[[subnet]]
name = "lab"
network = "10.88.0.0/24"
pool = {{first = "10.88.0.100", last = "10.88.0.110"}}
interface = "eth0"
routers = ["10.88.0.1"]
"""


SAMPLE_FILES: Final[Mapping[str, bytes | str]] = {
    "data/payload/sample/linux": b"kernel" * 4000,
    "data/payload/sample/initrd": b"initrd" * 9000,
    **{
        f"data/payload/loaders/{name}": name.encode() * 300
        for name in (
            "pxelinux.0",
            "lpxelinux.0",
            "ldlinux.c32",
            "shimx64.efi",
            "grubx64.efi",
            "grubx64-http.efi",
            "ipxe.efi",
            "undionly.kpxe",
        )
    },
}
"""What a provd has fetched, by path below its folder: files of the right names."""


class MemoryServer:
    """A provd of one configuration without sockets, with a store in memory; the driver of machines that talk to it.

    Args:
        file: ``provd.toml``.
        server: its own address, as machines reach it (dotted quad).
        interface: that their messages come in on.
        site: another site directory than the configuration's; None for that one.

    Attributes:
        services: all parts of provd.
        clock: its time, which moves only when told.
        sent: replies of the last DHCP message.
        files_asked: paths that were asked for, in order.

    Raises:
        ConfigError: as at a start.
    """

    def __init__(self, file: Path, server: str, interface: str, *, site: Path | None = None) -> None:
        self.clock, self.server, self.interface = Clock(), server, interface
        self.sent: list[bytes] = []
        self.files_asked: list[str] = []
        self._later: deque[Callable[[], None]] = deque()
        self.store = MemoryStore(self._later.append)
        self.loaded = read(file)
        if site is not None:
            config = structs.replace(self.loaded.config, site_dir=str(site))
            self.loaded = replace(self.loaded, config=config, catalogue=read_catalogue(config, file=str(file)))
        self.services = Services(
            clock=self.clock,
            current=Current(self.loaded.config, self.loaded.catalogue, file=str(file)),
            host=build_host(self.loaded, file, self.clock.seconds),
            store=self.store,
            send=self._send,
        )
        self.services.load()
        self.services.dhcp.reconfigure(self.services.current.subnets, {int(IPv4Address(server))})
        self.turn()

    def boot(self, firmware: FirmwareName = "bios", machine: Machine = MACHINE, *, seed: int = 1) -> Transcript:
        """One boot of one machine, from its firmware to its installer's last report."""
        transcript = simulate(
            self, machine, firmware, seed=seed, disk=("/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTAA64.EFI")
        )
        self.turn()
        return transcript

    def listen_to_logs(self) -> None:
        """Installers are pointed to the syslog port of the configuration, as by a server that could bind it."""
        syslog = self.loaded.config.syslog
        self.services.log_port = lambda: syslog.port if syslog.enabled else 0

    def turn(self) -> None:
        """Everything that waits for the reactor happens."""
        for _ in range(10):
            while self._later:
                self._later.popleft()()
            self.clock.advance(0)

    def kinds(self) -> list[str]:
        """Kinds of the events of the newest boot."""
        session = self.store.sessions.sessions(limit=1)[0]
        return [event.kind for event in self.store.sessions.events(session.id)]

    def _send(self, _interface: str, data: bytes, _destination: Destination, _local: int) -> None:
        self.sent.append(data)

    def dhcp(self, action: DhcpSend) -> list[bytes]:
        """See ``Driver.dhcp``."""
        self.sent.clear()
        here = int(IPv4Address(self.server))
        arrival = Arrival(self.interface, here, addresses=(here,))
        if action.service:
            asking = decode(action.data).ciaddr
            arrival = Arrival(self.interface, here, asking, 4011, unicast=True, addresses=(here,), pxe=True)
        self.services.dhcp.handle(action.data, arrival)
        self.turn()
        return list(self.sent)

    def tftp(self, action: TftpGet) -> Fetched:
        """See ``Driver.tftp``."""
        path = action.path.lstrip("/")
        request = FileRequest("tftp", path, action.source, action.server, dict(action.options), local_port=69)
        return self._open(request, aborted=action.stop_after_size)

    def http(self, action: HttpSend) -> Fetched:
        """See ``Driver.http``."""
        parts = urlsplit(action.url)
        headers = {name.lower(): value for name, value in action.headers.items()}
        path = unquote(parts.path).strip("/")
        local = parts.hostname or ""
        request = FileRequest("http", path, action.source, local, headers, action.method, action.body, parts.port or 80)
        return self._open(request)

    def _open(self, request: FileRequest, *, aborted: bool = False) -> Fetched:
        self.files_asked.append(request.path)
        protocol, events = request.protocol, self.services.file_events
        events.on_event(f"{protocol}.request", request, {})
        answer = settled(self.services.files.open(request))
        assert isinstance(answer, Content | NotFound), f"{request.path} is answered later: this world does not wait"
        if isinstance(answer, NotFound):
            events.on_event(
                f"{protocol}.missed",
                request,
                {"reason": answer.reason, "expected": answer.expected, "status": answer.status},
            )
            self.turn()
            return Fetched(answer.status, error=answer.reason)
        body = _octets(answer)
        if aborted:
            events.on_event(f"{protocol}.aborted", request, {"expected": True})
            return Fetched(200)
        headers = {"content-length": str(len(body)), "content-type": answer.media_type, **answer.headers}
        if request.method == "HEAD":
            return Fetched(answer.status, b"", headers)
        events.on_event(f"{protocol}.sent", request, {"bytes": len(body), "seconds": 0.0})
        if answer.on_sent is not None:
            answer.on_sent(len(body))
        self.turn()
        return Fetched(answer.status, body, headers)


class World(MemoryServer):
    """One provd at 10.88.0.1 in a folder, with distros and profiles of the test's own.

    Args:
        root: an empty folder for its files.
        enabled: plugins by name, in the order in which they are asked.
        more: TOML that is added to ``provd.toml``, as in ``[plugins.NAME]``.
        files: further files, by path below ``root``: ``data/payload/...``, ``site/distros/NAME.toml``,
            ``site/profiles/NAME.toml``.
        plugin_dirs: folders with plugins that are not installed; only root or the tester may write to them.
        config: ``provd.toml`` without its lists of plugins; ``{root}`` stands for the folder.

    Raises:
        AssertionError: a distro, profile or plugin is wrong; the text says where.
        ConfigError: as at a start.
    """

    def __init__(
        self,
        root: Path,
        *,
        enabled: Sequence[str],
        more: str = "",
        files: Mapping[str, bytes | str] | None = None,
        plugin_dirs: Sequence[Path] = (),
        config: str = CONFIG,
    ) -> None:
        self.root = root
        head = f"enabled = {list(enabled)!r}\nplugin_dirs = {[str(folder) for folder in plugin_dirs]!r}\n"
        self._write({"provd.toml": head + config.format(root=root) + more, **(files or {})})
        super().__init__(root / "provd.toml", SERVER, "eth0")
        problems = self.loaded.catalogue.problems
        assert problems == (), problems
        faults = [str(fault) for fault in self.services.host.faults]
        assert faults == [], faults

    def _write(self, files: Mapping[str, bytes | str]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def add(self, name: str = "web1", profile: str = "web", mac: Mac = MAC, address: str = "") -> System:
        """A system in the store."""
        reserved = IPv4Address(address) if address else None
        system = self.services.systems.add(System(name, profile, (Interface("eth0", mac, reserved),)))
        self.turn()
        return system


def _octets(content: Content) -> bytes:
    if isinstance(content.body, bytes):
        return content.body
    assert isinstance(content.body, FileBody), "streams are not read here"
    raw = content.body.path.read_bytes()[content.body.offset :]
    return raw[: content.length] if content.length >= 0 else raw
