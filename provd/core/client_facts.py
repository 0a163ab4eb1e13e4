"""What one packet says about its client: packet in, facts out, the same facts for the same packet."""

from __future__ import annotations

from typing import Final

from provd.model.arch import Arch, first_known
from provd.model.client import ClientFacts, RelayInfo
from provd.model.mac import Mac
from provd.wire import codes
from provd.wire.errors import WireError
from provd.wire.hostname import client_name
from provd.wire.packet import DhcpPacket
from provd.wire.pxe import decode_architectures, decode_user_class, decode_uuid, is_ipxe
from provd.wire.relay import (
    CIRCUIT_ID,
    LINK_SELECTION,
    RELAY_FLAGS,
    REMOTE_ID,
    SERVER_ID_OVERRIDE,
    SOURCE_PORT,
    decode_relay_information,
    relay_address,
)

_NAMES: Final = frozenset({codes.HOST_NAME, codes.CLIENT_FQDN})
_NO_RELAY: Final = RelayInfo()


def relay_info(giaddr: int, raw: bytes) -> RelayInfo:
    """Relay agent information; malformed sub-options read as none, while the octets stay for the echo (RFC 3046)."""
    if not giaddr and not raw:
        return _NO_RELAY
    try:
        values = decode_relay_information(raw)
    except WireError:
        values = {}
    return RelayInfo(
        giaddr=giaddr,
        raw=raw,
        circuit_id=values.get(CIRCUIT_ID, b""),
        remote_id=values.get(REMOTE_ID, b""),
        link_selection=relay_address(values, LINK_SELECTION),
        server_override=relay_address(values, SERVER_ID_OVERRIDE),
        client_unicast=values.get(RELAY_FLAGS, b"\0")[:1] >= b"\x80",
        own_port=SOURCE_PORT in values,
    )


def client_facts(packet: DhcpPacket) -> ClientFacts:
    """Facts of the client that sent ``packet``; every malformed option reads as absent (RFC 4578 section 2)."""
    options = packet.options
    uuid = decode_uuid(options.get(codes.CLIENT_UUID, b""))
    user_classes = _user_classes(options.get(codes.USER_CLASS, b""))
    if "iPXE" not in user_classes and is_ipxe(options):
        user_classes = (*user_classes, "iPXE")
    # RFC 3046 section 2.1: option 82 without a giaddr did not come from a trusted relay.
    raw = options.get(codes.RELAY_INFORMATION, b"") if packet.giaddr else b""
    return ClientFacts(
        mac=Mac(packet.mac),
        client_id=options.get(codes.CLIENT_ID, b""),
        uuid="" if uuid is None else str(uuid),
        arch=_arch(options.get(codes.CLIENT_ARCHITECTURE, b"")),
        vendor_class=options.get(codes.VENDOR_CLASS, b"").rstrip(b"\0").decode("latin-1"),
        user_classes=user_classes,
        hostname=client_name(options) if not _NAMES.isdisjoint(options) else "",
        relay=relay_info(packet.giaddr, raw),
    )


def _arch(octets: bytes) -> Arch | None:
    return first_known(decode_architectures(octets)) if octets else None


def _user_classes(octets: bytes) -> tuple[str, ...]:
    if not octets:
        return ()
    return tuple(part.decode("latin-1") for part in decode_user_class(octets))
