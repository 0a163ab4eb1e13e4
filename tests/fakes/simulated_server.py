"""A whole provd without sockets: real services and plugins, a store in memory, and a driver for simulated clients."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from twisted.internet.task import Clock

from plugins.grub_efi.server_image import SERVER_MARK
from provd.app.services import Current, Services
from provd.model.content import Content, FileBody, FileRequest, NotFound
from provd.model.dhcp import Destination
from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.service.dhcp_ports import Arrival
from provd.service.load import build_host, read
from provd.simulate.actions import DhcpSend, Fetched, HttpSend, TftpGet
from provd.simulate.boot import FirmwareName, Transcript, simulate
from provd.simulate.firmware import Machine
from provd.store.memory import MemoryStore
from provd.wire.dhcp import decode

SERVER = "10.88.0.1"
MAC = Mac.parse("52:54:00:88:00:11")
MACHINE = Machine(MAC.octets, UUID("88880000-0000-4000-8000-525400880011"))
KERNEL = b"kernel" * 40_000
INITRD = b"initrd" * 90_000

CONFIG = """
data_dir = "{root}/data"
site_dir = "{root}/site"
socket = "{root}/provd.sock"
user = ""
enabled = ["client_classes", "relay", "pxelinux", "grub_efi", "source_http", "installer_preseed",
           "installer_kickstart", "installer_autoinstall", "install_callbacks"]

[[interface]]
name = "eth0"

[[subnet]]
name = "lab"
network = "10.88.0.0/24"
pool = {{first = "10.88.0.100", last = "10.88.0.110"}}
interface = "eth0"
routers = ["10.88.0.1"]
"""

PROFILES = {
    "web": 'distro = "deb"\nkernel_args = ["quiet", "greeting=hello there", "console=ttyS0,115200"]\n'
    '[answers]\ntimezone = "Europe/Berlin"\n',
    "ubuntu": 'distro = "u24"\n[answers]\nroot_password_hash = "$6$x"\n',
    "ks": 'distro = "el9"\n[answers]\nroot_password_hash = "$6$x"\n',
}
DISTROS = {
    "deb": 'family = "debian"\ninstaller = "preseed"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/debian"\n[vars]\nsuite = "bookworm"\n',
    "u24": 'family = "ubuntu"\nversion = "24.04"\ninstaller = "autoinstall"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/u/live server.iso"\n',
    "el9": 'family = "redhat"\nversion = "9"\ninstaller = "kickstart"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/rocky"\n',
}


class SimulatedServer:
    """One provd; also the driver of the simulated clients that talk to it."""

    config = CONFIG

    def __init__(self, root: Path, more: str = "") -> None:
        self.root = root
        self.clock = Clock()
        self.now = 1_000_000.0
        self.sent: list[bytes] = []
        self.files_asked: list[str] = []
        self._later: deque[Callable[[], None]] = deque()
        self.store = MemoryStore(self._later.append)
        self._write(more)
        loaded = read(root / "provd.toml")
        assert loaded.catalogue.problems == (), loaded.catalogue.problems
        self.services = Services(
            clock=self.clock,
            current=Current(loaded.config, loaded.catalogue, file=str(root / "provd.toml")),
            host=build_host(loaded, root / "provd.toml", self.clock.seconds),
            store=self.store,
            send=self._send,
        )
        self.services.load()
        self.services.dhcp.reconfigure(self.services.current.subnets, {int(IPv4Address(SERVER))})
        self.turn()

    def _write(self, more: str) -> None:
        files: dict[str, bytes] = {
            "provd.toml": (self.config.format(root=self.root) + more).encode(),
            "data/payload/debian-12/linux": KERNEL,
            "data/payload/debian-12/initrd.gz": INITRD,
        }
        loaders = ("pxelinux.0", "lpxelinux.0", "ldlinux.c32", "shimx64.efi", "grubx64.efi", "grubx64-http.efi")
        files |= {f"data/payload/loaders/{name}": name.encode() * 300 for name in loaders}
        files["data/payload/loaders/grubx64-http.efi"] += SERVER_MARK
        files |= {f"site/distros/{name}.toml": text.encode() for name, text in DISTROS.items()}
        files |= {f"site/profiles/{name}.toml": text.encode() for name, text in PROFILES.items()}
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def add(self, name: str = "web1", profile: str = "web", mac: Mac = MAC, address: str = "") -> System:
        """A system in the store."""
        reserved = IPv4Address(address) if address else None
        system = self.services.systems.add(System(name, profile, (Interface("eth0", mac, reserved),)))
        self.turn()
        return system

    def boot(self, firmware: FirmwareName = "bios", machine: Machine = MACHINE, *, seed: int = 1) -> Transcript:
        """One boot of one machine."""
        transcript = simulate(self, machine, firmware, seed=seed, disk=("/EFI/BOOT/BOOTX64.EFI",))
        self.turn()
        return transcript

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
        self.sent.clear()
        here = int(IPv4Address(SERVER))
        arrival = Arrival("eth0", here, addresses=(here,))
        if action.service:
            asking = decode(action.data).ciaddr
            arrival = Arrival("eth0", here, asking, 4011, unicast=True, addresses=(here,), pxe=True)
        self.services.dhcp.handle(action.data, arrival)
        self.turn()
        return list(self.sent)

    def tftp(self, action: TftpGet) -> Fetched:
        path = action.path.lstrip("/")
        request = FileRequest("tftp", path, action.source, action.server, dict(action.options), local_port=69)
        return self._open(request, aborted=action.stop_after_size)

    def http(self, action: HttpSend) -> Fetched:
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
        answer = self.services.files.open(request)
        if isinstance(answer, NotFound):
            events.on_event(f"{protocol}.missed", request, {"reason": answer.reason, "expected": answer.expected})
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


def _octets(content: Content) -> bytes:
    if isinstance(content.body, bytes):
        return content.body
    assert isinstance(content.body, FileBody)
    raw = content.body.path.read_bytes()[content.body.offset :]
    return raw[: content.length] if content.length >= 0 else raw
