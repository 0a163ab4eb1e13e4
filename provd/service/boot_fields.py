"""What a reply says of the boot file: header fields, and options 43, 60, 66 and 67 as a level of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from provd.core.dhcp_options import Level
from provd.model.boot import BootFile, BootPlan
from provd.model.client import ClientFacts
from provd.model.subnet import COMBINED, PROXY, Subnet
from provd.wire import codes
from provd.wire.pxe import PXE_CLIENT
from provd.wire.pxe_table import AT_ONCE

_FILE_FIELD: Final = 127


@dataclass(frozen=True, slots=True)
class BootFields:
    """The BOOTP ``file`` field, and what events are told."""

    file: bytes = b""
    told: Mapping[str, object] = field(default_factory=dict)


def boot_fields(
    server: int,
    subnet: Subnet,
    client: ClientFacts,
    plan: BootPlan | None,
    boot: BootFile | None,
    levels: list[Level],
) -> BootFields:
    """The BOOTP fields; ``levels`` gets one more. Shim reads the header only, so both say the file (rule P10).

    Args:
        server: this server's address as the client reaches it.
        subnet: the client's subnet.
        client: its facts.
        plan: of its boot.
        boot: the file it fetches first.
        levels: configured options, from general to particular.
    """
    if plan is None:
        return BootFields()
    told: dict[str, object] = {"action": plan.action.value}
    if boot is None:
        return BootFields(told=told)
    name = plan.url(boot.path) if boot.transport == "http" else boot.path
    octets = name.encode("utf-8", "surrogateescape")
    options = {codes.TFTP_SERVER_NAME: dotted(server).encode(), codes.BOOT_FILE: octets, **boot.options}
    origin = f"boot loader {plan.loader}"
    if client.is_pxe:
        levels.append(pxe_level(levels, promised=subnet.mode in {COMBINED, PROXY}))
    levels.append(Level(origin, options, frozenset(options)))
    # RFC 2131 section 2: the field has 128 octets with its final NUL; a longer name stands in option 67 alone.
    return BootFields(octets if len(octets) <= _FILE_FIELD else b"", {"file": name, **told})


def pxe_level(levels: Sequence[Level], *, promised: bool) -> Level:
    """Option 43 for a PXE client: what the most particular level says of it, else "load the boot file at once".

    Octets of option 43 count as well; of one level, what it says for PXE clients stands before them.

    Args:
        levels: configured options, from general to particular.
        promised: the PXE port is answered, so option 60 is sent as well (PXE 2.1 section 2.2).
    """
    says = next((one for one in reversed(levels) if one.pxe is not None or codes.VENDOR_SPECIFIC in one.options), None)
    raw = says is not None and says.pxe is None
    options: dict[int, bytes] = {}
    if says is not None and says.pxe is not None:
        options[codes.VENDOR_SPECIFIC] = says.pxe
    elif not raw:
        options[codes.VENDOR_SPECIFIC] = AT_ONCE
    if promised:
        options[codes.VENDOR_CLASS] = PXE_CLIENT
    keys = {} if says is None else {codes.VENDOR_SPECIFIC: "options.pxe"}
    return Level(says.origin if says is not None else "PXE 2.1", options, frozenset(options), keys=keys)


def dotted(address: int) -> str:
    """Dotted quad of an address."""
    return ".".join(str(octet) for octet in address.to_bytes(4))
