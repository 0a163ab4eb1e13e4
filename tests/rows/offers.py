"""OFFERs of the whole provd as it ships, one per firmware: ``python -m tests.rows.offers`` writes them anew."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from provd.model.arch import ARCHS
from provd.simulate.actions import DhcpSend
from provd.testing.world import MACHINE
from provd.wire import codes
from provd.wire.dhcp import encode
from provd.wire.packet import DhcpPacket
from provd.wire.pxe import encode_uuid
from tests.fakes.simulated_server import SimulatedServer

ARCHITECTURES: Final = (0, 6, 7, 9, 11, 16, 19)
GOLDEN: Final = Path(__file__).parents[1] / "golden" / "offers"
_ASKED: Final = bytes((1, 3, 6, 12, 15, 43, 60, 66, 67, 97))


def discover(arch: int) -> bytes:
    """The DISCOVER of a firmware of this type (option 93)."""
    kind = "HTTPClient" if ARCHS[arch].http else "PXEClient"
    options = {
        codes.MESSAGE_TYPE: b"\1",
        codes.MAX_MESSAGE_SIZE: (1472).to_bytes(2),
        codes.PARAMETER_REQUEST_LIST: _ASKED,
        codes.CLIENT_UUID: encode_uuid(MACHINE.uuid),
        94: b"\1\3\0",
        codes.CLIENT_ARCHITECTURE: arch.to_bytes(2),
        codes.VENDOR_CLASS: f"{kind}:Arch:{arch:05d}:UNDI:003000".encode(),
    }
    chaddr = MACHINE.mac.ljust(16, b"\0")
    return encode(DhcpPacket(1, 1, 6, 0, 0x5EED, 4, 0x8000, 0, 0, 0, 0, chaddr, b"", b"", options)).data


def offer(root: Path, arch: int) -> bytes:
    """What a known machine of this type is offered."""
    server = SimulatedServer(root)
    server.add(address="10.88.0.20")
    (sent,) = server.dhcp(DhcpSend(discover(arch)))
    return sent


def _hexdump(data: bytes) -> Iterator[str]:
    for at in range(0, len(data), 32):
        yield data[at : at + 32].hex()


def text(data: bytes) -> str:
    """Octets as lines of hex, so that a change can be read."""
    return "\n".join(_hexdump(data)) + "\n"


def path(arch: int) -> Path:
    """Where an offer is kept."""
    return GOLDEN / f"arch-{arch:05d}.hex"


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for one in ARCHITECTURES:
        with tempfile.TemporaryDirectory() as folder:
            path(one).write_text(text(offer(Path(folder), one)))
    sys.stdout.write(f"{len(ARCHITECTURES)} offers in {GOLDEN}\n")
