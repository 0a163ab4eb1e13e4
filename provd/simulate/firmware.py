"""DHCP messages as real clients write them: options, order, flags and sizes are those of captured packets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from provd.wire import codes
from provd.wire.dhcp import DhcpPacket, encode
from provd.wire.pxe import encode_uuid

DISCOVER: Final = 1
REQUEST: Final = 3


@dataclass(frozen=True, slots=True)
class Machine:
    """One simulated machine.

    Attributes:
        mac: 6 octets.
        uuid: SMBIOS UUID.
        choice: entry that somebody chooses where a menu is shown; empty: nobody is there.
    """

    mac: bytes
    uuid: UUID
    choice: str = ""


@dataclass(frozen=True, slots=True)
class ClientStyle:
    """How one client writes its DHCP messages.

    Attributes:
        name: for transcripts.
        discover: option codes of its DISCOVER, in order.
        request: option codes of its REQUEST, in order.
        values: options that are the same for every machine.
        request_values: options that differ in the REQUEST.
        flags: BOOTP flags.
        secs: seconds field of DISCOVER and REQUEST.
        min_size: octets that a message is padded to.
        netboot: it wants a boot file.
        duid: option 61 is IAID and DUID (RFC 4361) instead of 01 and the MAC.
    """

    name: str
    discover: tuple[int, ...]
    request: tuple[int, ...]
    values: Mapping[int, bytes]
    request_values: Mapping[int, bytes]
    flags: int = 0
    secs: tuple[int, int] = (0, 0)
    min_size: int = 0
    netboot: bool = True
    duid: bool = False


_IPXE_FEATURES: Final = bytes.fromhex(
    "b105011af41000eb03010000170101220101130101110101270101190101290101100102210101150101180101120101"
)
_EDK2_LIST: Final = bytes.fromhex("0102030405060c0d0f111216171c28292a2b3233363a3b3c")

BIOS_IPXE: Final = ClientStyle(
    name="BIOS with an iPXE ROM",
    discover=(53, 57, 93, 94, 60, 77, 55, 175, 61, 97),
    request=(53, 57, 93, 94, 60, 77, 55, 175, 61, 97, 54, 50),
    values={
        57: b"\x05\xc0",
        93: b"\0\0",
        94: b"\1\2\1",
        60: b"PXEClient:Arch:00000:UNDI:002001",
        77: b"iPXE",
        55: bytes.fromhex("010306070c0f111a2b3c4243778081828384858687afcb"),
        175: _IPXE_FEATURES,
    },
    request_values={},
    secs=(4, 18),
)
UEFI_IPXE: Final = replace(
    BIOS_IPXE,
    name="iPXE under UEFI",
    # As its ROM says in captured packets; the list of features (option 175) is that of the BIOS ROM.
    values={**BIOS_IPXE.values, 93: b"\0\7", 94: b"\1\3\x0a", 60: b"PXEClient:Arch:00007:UNDI:003010"},
    secs=(4, 12),
)
OVMF_PXE: Final = ClientStyle(
    name="UEFI PXE",
    discover=(53, 57, 55, 97, 94, 93, 60),
    request=(53, 54, 50, 57, 55, 97, 94, 93, 60),
    values={
        57: b"\x05\xc0",
        93: b"\0\7",
        94: b"\1\3\0",
        60: b"PXEClient:Arch:00007:UNDI:003000",
        55: _EDK2_LIST + bytes.fromhex("4243618081828384858687"),
    },
    request_values={57: b"\xff\0"},
    flags=0x8000,
)
ARM64_PXE: Final = replace(
    OVMF_PXE,
    name="arm64 UEFI PXE",
    values={**OVMF_PXE.values, 93: b"\0\x0b", 60: b"PXEClient:Arch:00011:UNDI:003000"},
)
OVMF_HTTP: Final = ClientStyle(
    name="UEFI HTTP boot",
    discover=OVMF_PXE.discover,
    request=OVMF_PXE.request,
    values={
        57: b"\x05\xc0",
        93: b"\0\x10",
        94: b"\1\3\0",
        60: b"HTTPClient:Arch:00016:UNDI:003000",
        55: _EDK2_LIST + bytes.fromhex("eb4361"),
    },
    request_values={},
    flags=0x8000,
)
ARM64_HTTP: Final = replace(
    OVMF_HTTP,
    name="arm64 UEFI HTTP boot",
    values={
        **OVMF_HTTP.values,
        93: b"\0\x13",
        60: b"HTTPClient:Arch:00019:UNDI:003000",
        55: _EDK2_LIST + bytes.fromhex("004361"),
    },
)
GRUB: Final = ClientStyle(
    name="GRUB",
    discover=(53,),
    request=(53, 54, 50, 55),
    values={55: bytes.fromhex("0103060f0c11123c")},
    request_values={},
    secs=(53453, 53453),
    min_size=300,
    netboot=False,
)
DEBIAN_INSTALLER: Final = ClientStyle(
    name="Debian installer",
    discover=(53, 57, 55, 60, 61),
    request=(53, 50, 54, 57, 55, 60, 61),
    values={57: b"\2\x40", 55: bytes.fromhex("0103060c0f1c2a"), 60: b"d-i"},
    request_values={},
    min_size=300,
    netboot=False,
)
DEPLOYER: Final = ClientStyle(
    name="deployer",
    discover=DEBIAN_INSTALLER.discover,
    request=DEBIAN_INSTALLER.request,
    values={57: b"\2\x40", 55: bytes.fromhex("0103060c0f1c2a77"), 60: b"provd-deployer"},
    request_values={},
    min_size=300,
    netboot=False,
)
DUID_CLIENT: Final = ClientStyle(
    name="installer with an RFC 4361 identifier",
    discover=(53, 61, 55, 57),
    request=(53, 61, 55, 57, 54, 50),
    values={57: b"\x05\xc0", 55: bytes.fromhex("011c02030f06770c2c2f1a792a")},
    request_values={},
    min_size=300,
    netboot=False,
    duid=True,
)


def discover(style: ClientStyle, machine: Machine, xid: int) -> bytes:
    """The DISCOVER of a client."""
    return _message(style, machine, xid, DISCOVER, style.discover, {}, style.secs[0])


def request(style: ClientStyle, machine: Machine, xid: int, address: int, server: int) -> bytes:
    """The REQUEST that takes an offer (SELECTING, RFC 2131 section 4.3.2)."""
    own = {50: address.to_bytes(4, "big"), 54: server.to_bytes(4, "big"), **style.request_values}
    return _message(style, machine, xid, REQUEST, style.request, own, style.secs[1])


def service_request(style: ClientStyle, machine: Machine, xid: int, address: int) -> bytes:
    """The REQUEST to the PXE port of a client that has an address already (PXE 2.1 section 2.2.3)."""
    order = tuple(code for code in style.request if code not in {50, 54})
    return _message(style, machine, xid, REQUEST, order, dict(style.request_values), style.secs[1], address)


def _message(
    style: ClientStyle,
    machine: Machine,
    xid: int,
    kind: int,
    order: tuple[int, ...],
    own: Mapping[int, bytes],
    secs: int,
    ciaddr: int = 0,
) -> bytes:
    mac = machine.mac
    identity = b"\xff" + mac[-4:] + b"\0\1\0\1\x2b\0\0\0" + mac if style.duid else b"\1" + mac
    values = {53: bytes((kind,)), 61: identity, 97: encode_uuid(machine.uuid), **style.values, **own}
    packet = DhcpPacket(
        codes.BOOTREQUEST, 1, 6, 0, xid, secs, style.flags, ciaddr, 0, 0, 0, mac.ljust(16, b"\0"), b"", b"",
        {code: values[code] for code in order},
    )  # fmt: skip
    return encode(packet, min_size=style.min_size, max_size=1500).data
