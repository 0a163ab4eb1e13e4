"""Options of network boot clients: 43, 60, 77, 93, 94, 97 and 175 (RFC 4578, RFC 3004, PXE 2.1).

A malformed option is ignored, never fatal (rule P02): the readers return an empty value for it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from provd.wire import codes
from provd.wire.errors import WireError
from provd.wire.suboptions import decode_suboptions, encode_suboptions

PXE_CLIENT: Final = b"PXEClient"
HTTP_CLIENT: Final = b"HTTPClient"

PXE_DISCOVERY_CONTROL: Final = 6
PXE_BOOT_SERVERS: Final = 8
PXE_BOOT_MENU: Final = 9
PXE_MENU_PROMPT: Final = 10
PXE_BOOT_ITEM: Final = 71

IPXE_BUS_ID: Final = 177
IPXE_VERSION: Final = 235

_VENDOR_CLASS: Final = re.compile(rb"(PXEClient|HTTPClient)(?::Arch:(\d{5}))?(?::UNDI:(\d{3})(\d{3}))?(?:$|[:\0])")


@dataclass(frozen=True, slots=True)
class VendorClass:
    """Option 60 of a boot client, ``PXEClient:Arch:00007:UNDI:003016``.

    Attributes:
        kind: ``PXEClient`` or ``HTTPClient``.
        architecture: type number, or None where the client does not say.
        undi: version of the network interface, (major, minor), or None.
    """

    kind: str
    architecture: int | None
    undi: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class IpxeInfo:
    """Option 175 of iPXE.

    Attributes:
        version: three numbers, or None.
        features: sub-option codes of features that are switched on.
        bus_id: type, vendor and device of the network card as sent, or empty.
    """

    version: tuple[int, int, int] | None
    features: frozenset[int]
    bus_id: bytes


def decode_architectures(data: bytes) -> tuple[int, ...]:
    """Option 93: types in the client's order, empty where it is malformed (RFC 4578 section 2.1)."""
    if not data or len(data) % 2:
        return ()
    return struct.unpack(f"!{len(data) // 2}H", data)


def decode_ndi(data: bytes) -> tuple[int, int] | None:
    """Option 94: (major, minor) of the interface, None where it is malformed (RFC 4578 section 2.2)."""
    return (data[1], data[2]) if len(data) == 3 and data[0] == 1 else None


def decode_uuid(data: bytes) -> UUID | None:
    """Option 97 in the order SMBIOS prints it, None where it is malformed (RFC 4578 section 2.3).

    The first three fields travel in little-endian order, so that the text equals what dmidecode shows.
    """
    return UUID(bytes_le=data[1:]) if len(data) == 17 and data[0] == 0 else None


def encode_uuid(uuid: UUID) -> bytes:
    """Octets of option 97."""
    return b"\0" + uuid.bytes_le


def decode_vendor_class(data: bytes) -> VendorClass | None:
    """Option 60 of a boot client, None for every other client."""
    match = _VENDOR_CLASS.match(data)
    if match is None:
        return None
    kind, architecture, major, minor = match.groups()
    return VendorClass(
        kind=kind.decode("ascii"),
        architecture=None if architecture is None else int(architecture),
        undi=None if major is None else (int(major), int(minor)),
    )


def decode_user_class(data: bytes) -> tuple[bytes, ...]:
    """Option 77: the classes of an RFC 3004 list, or the bare string that iPXE and others send instead."""
    classes: list[bytes] = []
    at, end = 0, len(data)
    while at < end:
        stop = at + 1 + data[at]
        if data[at] == 0 or stop > end:
            return (data,)
        classes.append(data[at + 1 : stop])
        at = stop
    return tuple(classes)


def decode_ipxe(data: bytes) -> IpxeInfo:
    """Option 175; what is malformed reads as nothing known."""
    try:
        values = decode_suboptions(data, "option 175", markers=True)
    except WireError:
        values = {}
    version = values.get(IPXE_VERSION, b"")
    features = (code for code, value in values.items() if len(value) == 1 and value[0] and code < IPXE_BUS_ID)
    return IpxeInfo(
        version=(version[0], version[1], version[2]) if len(version) == 3 else None,
        features=frozenset(features),
        bus_id=values.get(IPXE_BUS_ID, b""),
    )


def is_ipxe(options: Mapping[int, bytes]) -> bool:
    """The client is iPXE: user class ``iPXE`` or option 175 (rule P11)."""
    if codes.IPXE_ENCAPSULATED in options:
        return True
    user_class = options.get(codes.USER_CLASS, b"")
    return bool(user_class) and b"iPXE" in decode_user_class(user_class)


def decode_pxe_options(data: bytes) -> dict[int, bytes]:
    """Sub-options of option 43 as PXE 2.1 section 2.3 defines them.

    Raises:
        WireError: a sub-option that runs past the end.
    """
    return decode_suboptions(data, "option 43", markers=True)


def encode_pxe_options(
    *,
    control: int | None = None,
    servers: Sequence[tuple[int, Sequence[int]]] = (),
    menu: Sequence[tuple[int, str]] = (),
    prompt: tuple[int, str] | None = None,
    item: tuple[int, int] | None = None,
) -> bytes:
    """Option 43 for a PXE client, closed by 255 (rule P06).

    Args:
        control: discovery control bits; bit 3 says: load the boot file at once.
        servers: (boot server type, addresses) each.
        menu: (boot server type, text) each.
        prompt: seconds before the first menu entry is taken (255 waits for ever), and the text.
        item: (boot server type, layer) that was chosen.

    Raises:
        WireError: a number or a list that does not fit.
    """
    values: dict[int, bytes] = {}
    try:
        if control is not None:
            values[PXE_DISCOVERY_CONTROL] = struct.pack("!B", control)
        if servers:
            values[PXE_BOOT_SERVERS] = b"".join(
                struct.pack(f"!HB{len(addresses)}I", kind, len(addresses), *addresses) for kind, addresses in servers
            )
        if menu:
            texts = [(kind, text.encode("ascii", "replace")) for kind, text in menu]
            values[PXE_BOOT_MENU] = b"".join(struct.pack("!HB", kind, len(text)) + text for kind, text in texts)
        if prompt is not None:
            values[PXE_MENU_PROMPT] = struct.pack("!B", prompt[0]) + prompt[1].encode("ascii", "replace")
        if item is not None:
            values[PXE_BOOT_ITEM] = struct.pack("!HH", *item)
    except struct.error as error:
        raise WireError("option 43", f"a number does not fit into its field ({error})") from error
    return encode_suboptions(values, "option 43", markers=True)
