"""Which packets are from one client (RFC 2131 section 4.2, RFC 4361, and what one boot really shows)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

AUTO: Final = "auto"
CLIENT_ID: Final = "client-id"
IDENTITIES: Final = (AUTO, CLIENT_ID)

SECOND_IDENTITY: Final = "second-identity"
"""Mark in a stored lease: its client-id is an identity of its own beside the hardware address's."""

FirstClientId = Callable[[bytes], bytes | None]
"""Key to the first client-id its binding was seen with: None where there is no binding, empty where none was seen."""


def own_client_id(htype: int, mac: bytes, client_id: bytes) -> bytes:
    """The client-id where it says more than the hardware address, else empty.

    A client-id under two octets is no identity (RFC 2132 section 9.14).
    """
    if len(client_id) < 2 or (client_id[0] == htype and client_id[1:] == mac):
        return b""
    return client_id


def strict_key(htype: int, mac: bytes, client_id: bytes) -> bytes:
    """``identity = "client-id"``: option 61 if there is one, else hardware type and address (RFC 2131 section 4.2)."""
    return b"i" + client_id if len(client_id) >= 2 else b"h%c" % htype + mac


def hardware_key(mac: bytes) -> bytes:
    """Identity of a known system's interface, and of the first client behind a hardware address."""
    return b"m" + mac


def second_key(mac: bytes, client_id: bytes) -> bytes:
    """Identity of a further client behind a hardware address that already is a client."""
    return b"c%c" % len(mac) + mac + client_id


def is_second(key: bytes) -> bool:
    """The key came from :func:`second_key`."""
    return key[:1] == b"c"


def auto_key(htype: int, mac: bytes, client_id: bytes, first: FirstClientId, *, known: bool) -> bytes:
    """``identity = "auto"``: the identities that one boot shows are one client.

    A known system is its hardware address, whatever option 61 says. For an unknown machine no option 61, 01+MAC and the
    first other client-id from that hardware address are one binding; a second other client-id is another one.
    """
    if not mac:
        return strict_key(htype, mac, client_id)
    base = hardware_key(mac)
    own = own_client_id(htype, mac, client_id)
    if known or not own:
        return base
    second = second_key(mac, own)
    if first(second) is not None:
        return second
    seen = first(base)
    return base if not seen or seen == own else second
