"""A server with a file of 5 GiB, and a host that asks for it with curl."""

from __future__ import annotations

from pathlib import Path

from provd.lab.network import Host, PrivateNetwork
from tests.system.world import Site

SERVER = "10.88.0.1"
SUBNET = '[[subnet]]\nnetwork = "10.88.0.0/24"\npool = "10.88.0.100-10.88.0.150"\n'
GIB = 1 << 30
SIZE = 5 * GIB + 1
MARKS = {0: b"begin", 2 * GIB - 2: b"31 bits", 4 * GIB - 2: b"32 bits", SIZE - 3: b"end"}
"""What the file has beside zeros: where offsets of 31 and 32 bits end."""
MOST_MORE_KIB = 8 * 1024
"""By which the service may grow."""


def octets_of(start: int, count: int) -> bytes:
    """A part of the file."""
    wanted = bytearray(count)
    for at, mark in MARKS.items():
        for index, octet in enumerate(mark):
            if start <= at + index < start + count:
                wanted[at + index - start] = octet
    return bytes(wanted)


class Large:
    """A running service with the file in a tree, and a host that asks for it."""

    def __init__(self, site: Site, network: PrivateNetwork, target: Path) -> None:
        tree = site.directory / "rocky"
        tree.mkdir()
        with (tree / "dvd.iso").open("wb") as file:
            file.truncate(SIZE)
            for at, mark in MARKS.items():
                file.seek(at)
                file.write(mark)
        assert (tree / "dvd.iso").stat().st_blocks * 512 < 1 << 20, "the file is sparse"
        lan, server = network.segment(), network.host("server")
        self.client: Host = network.host("client")
        server.attach(lan, "eth0", f"{SERVER}/24")
        self.client.attach(lan, "eth0", "10.88.0.20/24")
        self.service = site.start(server, ("eth0",), SUBNET + f'[plugins.source_http.trees]\nrocky = "{tree}"\n')
        self.target = target

    def curl(self, *words: str, told: str = "%{http_code} %{size_download}", into: str = "") -> str:
        """Fetch; what curl tells then."""
        url = f"http://{SERVER}/tree/rocky/dvd.iso"
        argv = ["curl", "-sS", "--max-time", "120", "-o", into or str(self.target), "-w", told, *words, url]
        return self.client.run(argv, 130).stdout

    def peak_kib(self) -> int:
        """The most memory the service ever had."""
        status = Path(f"/proc/{self.service.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])
