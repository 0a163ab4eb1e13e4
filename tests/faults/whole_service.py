"""The whole DHCP service in one process: shipped plugins, catalogue, boot director, sessions; no sockets, no disk."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from twisted.internet.task import Clock

from provd.app.services import Services
from provd.model.dhcp import Destination
from provd.service.current import Current
from provd.service.dhcp_ports import Arrival
from provd.service.load import build_host, read
from provd.store.memory import MemoryStore
from tests.fakes.dhcp_world import SERVER, ip

CONFIG: Final = """\
data_dir = "data"
socket = "run/provd.sock"
site_dir = "site"
user = ""

[[interface]]
name = "eth0"

[[interface]]
name = "eth1"

[[subnet]]
name = "lab"
network = "10.88.0.0/24"
interface = "eth0"
pool = "10.88.0.100-10.88.0.199"

[[subnet]]
name = "far"
network = "10.88.1.0/24"
pool = "10.88.1.100-10.88.1.199"
server_address = "10.88.0.1"

[[subnet]]
name = "beside"
network = "10.89.0.0/24"
interface = "eth1"
mode = "proxy"
"""
_SYSTEM: Final = """\
profile = "debian-12-minimal"

[[interface]]
name = "eth0"
mac = "52:54:00:88:00:11"
address = "10.88.0.20"
"""
HERE: Final = Arrival("eth0", SERVER, addresses=(SERVER,))
OTHER: Final = ip("10.89.0.1")
#: How a datagram may come in: broadcast, by a relay or a renewal, beside another server, to its PXE port, from nowhere.
ARRIVALS: Final = (
    HERE,
    Arrival("eth0", SERVER, ip("10.88.0.100"), unicast=True, addresses=(SERVER,)),
    Arrival("eth0", SERVER, ip("10.88.1.1"), 67, unicast=True, addresses=(SERVER,)),
    Arrival("eth1", OTHER, addresses=(OTHER,)),
    Arrival("eth1", OTHER, ip("10.89.0.7"), 4011, unicast=True, addresses=(OTHER,), pxe=True),
    Arrival("eth9", ip("192.0.2.1"), addresses=(ip("192.0.2.1"),)),
)


class WholeService:
    """Answers datagrams; what it sends is counted and the last reply of each is kept.

    Args:
        folder: empty.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "provd.toml"
        path.write_text(CONFIG)
        (folder / "data").mkdir()
        (folder / "site" / "systems").mkdir(parents=True)
        (folder / "site" / "systems" / "web1.toml").write_text(_SYSTEM)
        loaded = read(path)
        self.clock = Clock()
        self.replies: list[bytes] = []
        self.services = Services(
            clock=self.clock,
            current=Current(loaded.config, loaded.catalogue),
            host=build_host(loaded, path),
            store=MemoryStore(lambda function: function()),
            send=self._send,
        )
        self.services.load()
        assert not self.services.current.catalogue.problems, self.services.current.catalogue.problems
        self.services.dhcp.reconfigure(self.services.current.subnets, own=(SERVER, OTHER))
        self.counters = self.services.dhcp.counters

    def _send(self, _interface: str, data: bytes, _destination: Destination, _local: int) -> None:
        self.replies.append(data)

    @property
    def accounted(self) -> int:
        """Grows with everything that came of a datagram."""
        counted = self.counters
        return counted.sent.total() + counted.dropped.total() + counted.retransmitted + counted.writes

    def handle(self, data: bytes, arrival: Arrival) -> list[bytes]:
        """Hand one datagram in, let its events flow, and give the replies."""
        self.replies = []
        self.services.dhcp.handle(data, arrival)
        self.clock.advance(0.01)
        return self.replies

    def close(self) -> None:
        """End the plugins."""
        self.services.host.close()
