"""The load generator ``load.c``: built where it is needed, told what clients say, its figures as a dictionary.

One for all servers. It costs some 8 us of processor time per exchange, where perfdhcp costs more than the servers do,
and it tells percentiles.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provd.wire import codes
from provd.wire.dhcp import encode
from provd.wire.packet import DhcpPacket

_SOURCE: Final = Path(__file__).with_name("load.c")
_MAC: Final = b"\x02\0MAC!"
_NAME: Final = b"hostxxxxxx"
_ADDRESS: Final = b"ADDR"
_SERVER: Final = b"SERV"

#: Parameter request lists: perfdhcp's, dhclient's on Debian, and UEFI firmware's.
_WANTED: Final = {
    "plain": bytes((1, 28, 2, 3, 15, 6, 12)),
    "os": bytes((1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42)),
    "pxe": bytes(
        (1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97)
    ),
}
KINDS: Final = tuple(_WANTED)
"""What clients are: perfdhcp's, an operating system with option 61 and a name, UEFI firmware."""


class LoadError(Exception):
    """The generator cannot be built or run; one sentence."""


def build(folder: Path) -> Path:
    """Compile the generator; returns the program.

    Raises:
        LoadError: there is no C compiler, or it failed.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise LoadError(
            "the load generator is compiled when it is used, and there is no gcc: apt-get install gcc libc6-dev"
        )
    program = folder / "load"
    done = subprocess.run([compiler, "-O2", "-o", program, _SOURCE], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LoadError(f"the load generator cannot be compiled: {done.stderr.strip()}")
    return program


@dataclass(frozen=True, slots=True)
class Load:
    """The generator in one network namespace.

    Attributes:
        program: as ``build`` made it.
        namespace: of the clients.
        interface: of the clients.
        server: dotted quad.
        relay: dotted quad of the clients' side, which sends as a relay where the load is relayed.
    """

    program: Path
    namespace: str
    interface: str
    server: str
    relay: str

    def run(
        self,
        *,
        clients: int,
        exchanges: int,
        mode: str = "relayed",
        kind: str = "plain",
        window: int = 64,
        rate: float = 0.0,
        seconds: float = 10.0,
        first: int = 0,
    ) -> dict[str, float]:
        """Make exchanges and return what became of them.

        Args:
            clients: distinct hardware addresses, used in turn.
            exchanges: how many are begun at most.
            mode: ``relayed``, or ``direct`` for clients on the link.
            kind: one of ``KINDS``.
            window: exchanges kept open, where there is no rate.
            rate: exchanges begun per second whatever the server does; 0 for as many as the window lets.
            seconds: none is begun after that.
            first: number of the first client.
        """
        numbers = (clients, first, exchanges, window, rate, seconds)
        argv = [str(self.program), mode, self.interface, self.server, self.relay, *map(str, numbers)]
        done = subprocess.run(
            ["ip", "netns", "exec", self.namespace, *argv],
            input=_message(1, kind) + _message(3, kind),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 60,
        )
        if done.returncode:
            raise LoadError(f"the load generator failed: {done.stderr.strip()}")
        figures: dict[str, float] = json.loads(done.stdout)
        return figures


def _message(message_type: int, kind: str) -> str:
    """Octets in hex, then what the generator writes where."""
    options = {codes.MESSAGE_TYPE: bytes((message_type,))}
    if message_type == 3:
        options |= {codes.SERVER_ID: _SERVER, codes.REQUESTED_ADDRESS: _ADDRESS}
    if kind == "os":
        options |= {codes.HOST_NAME: _NAME, codes.CLIENT_ID: b"\1" + _MAC, codes.VENDOR_CLASS: b"some OS"}
    if kind == "pxe":
        options |= {
            codes.MAX_MESSAGE_SIZE: b"\5\xc0",
            codes.VENDOR_CLASS: b"PXEClient:Arch:00007:UNDI:003016",
            codes.CLIENT_ARCHITECTURE: b"\0\7",
            codes.CLIENT_UUID: b"\0" + bytes(range(10)) + _MAC,
        }
    options[codes.PARAMETER_REQUEST_LIST] = _WANTED[kind]
    packet = DhcpPacket(codes.BOOTREQUEST, 1, 6, 0, 0, 0, 0, 0, 0, 0, 0, bytes(16), b"", b"", options)
    data = encode(packet).data
    places = [("mac", _MAC), ("name", _NAME[4:]), ("address", _ADDRESS), ("server", _SERVER)]
    found = [f"{word} {data.index(octets)}" for word, octets in places if octets in data]
    return f"{len(data)} {data.hex()} {' '.join(found)} end\n"
