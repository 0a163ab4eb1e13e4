"""The binding table: who has which address, through which relay port or interface, until when."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from math import isinf
from typing import Annotated, Final, Literal

from msgspec import Meta

from provd.core.client_facts import relay_info
from provd.model.client import RelayInfo
from provd.model.lease import Lease
from provd.model.mac import Mac
from provd.service.dhcp_commit import ABANDONED
from provd.service.operations import Arguments, OperationError

State = Literal["", "bound", "expired", "released", "declined"]
_HEX: Final = "0x"


class BindingQuery(Arguments, frozen=True):
    """Which bindings: those that fit everything that is named.

    Attributes:
        subnet: name of the subnet.
        mac: hardware address.
        system: name of the system.
        state: at this moment.
        relay: address of the relay (giaddr).
        circuit_id: port of the relay, as the table shows it.
        remote_id: the relay's own word for the client's line, as the table shows it.
    """

    subnet: Annotated[str, Meta(description="Only those of one subnet.")] = ""
    mac: Annotated[str, Meta(description="Only that of one hardware address.")] = ""
    system: Annotated[str, Meta(description="Only those of one machine.")] = ""
    state: Annotated[State, Meta(description="Only those in one state.")] = ""
    relay: Annotated[str, Meta(description="Only those through one relay, by its address (giaddr).")] = ""
    circuit_id: Annotated[str, Meta(description="Only those through one relay port, as the table shows it.")] = ""
    remote_id: Annotated[str, Meta(description="Only those with one remote-id, as the table shows it.")] = ""


def octets_text(octets: bytes) -> str:
    """Text where every octet is a printable ASCII character, else ``0x`` and hex digits (RFC 3046: opaque).

    The form is that of ``circuit_id`` and ``remote_id`` in a ``[[class]]``; a text that begins with ``0x`` is hex too.
    """
    text = octets.decode("latin-1")
    if text.isascii() and text.isprintable() and not text.startswith(_HEX):
        return text
    return _HEX + octets.hex()


def relay_of(lease: Lease) -> RelayInfo:
    """What the relay said when the lease was last granted."""
    giaddr, _, raw = lease.relay.partition(":")
    return relay_info(int(giaddr or "0", 16), bytes.fromhex(raw))


def binding_row(lease: Lease, wall: float) -> dict[str, object]:
    """One binding as plain values; times in seconds since the epoch, None for a lease without end."""
    relay = relay_of(lease)
    ends = None if isinf(lease.expires_at) else lease.expires_at
    return {
        "address": str(IPv4Address(lease.address)),
        "mac": lease.mac.hex(":"),
        "system": lease.system,
        "hostname": lease.hostname,
        "subnet": lease.subnet,
        "state": state_of(lease, wall),
        "starts_at": lease.starts_at,
        "expires_at": ends,
        "client_id": lease.client_id.hex(":"),
        "interface": lease.interface,
        "relay": str(IPv4Address(relay.giaddr)) if relay.giaddr else "",
        "circuit_id": octets_text(relay.circuit_id),
        "remote_id": octets_text(relay.remote_id),
        "relay_information": relay.raw.hex(":"),
    }


def state_of(lease: Lease, wall: float) -> str:
    """State at this moment: what was bound and is over is expired; a quarantine that is over counts no more."""
    over = lease.expires_at <= wall
    return "expired" if lease.state in {"bound", "declined"} and over else lease.state


def binding_table(leases: Iterable[Lease], query: BindingQuery, wall: float) -> list[dict[str, object]]:
    """Rows by address.

    Raises:
        OperationError: the MAC or the relay of the query is none.
    """
    mac = _mac(query.mac)
    told = {
        "state": query.state,
        "relay": str(address_of(query.relay, "relay")) if query.relay else "",
        "circuit_id": query.circuit_id,
        "remote_id": query.remote_id,
    }
    wanted = {name: value for name, value in told.items() if value}
    # What the lease itself says is looked at first: a row costs ten times as much.
    fitting = (
        lease
        for lease in leases
        if query.subnet in {"", lease.subnet} and query.system in {"", lease.system} and mac in {b"", lease.mac}
    )
    rows = (binding_row(lease, wall) for lease in sorted(fitting, key=lambda lease: lease.address))
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def abandoned_table(leases: Iterable[Lease], subnet: str, wall: float) -> list[dict[str, object]]:
    """One row per address in quarantine, of one subnet where it is named."""
    return [
        {
            "address": str(IPv4Address(lease.address)),
            "subnet": lease.subnet,
            "reason": lease.context.get(ABANDONED, ""),
            "since_at": lease.starts_at,
            "retry_at": lease.expires_at,
        }
        for lease in sorted(leases, key=lambda lease: lease.address)
        if lease.state == "declined" and lease.expires_at > wall and subnet in {"", lease.subnet}
    ]


def _mac(text: str) -> bytes:
    try:
        return Mac.parse(text).octets if text else b""
    except ValueError as error:
        raise OperationError(str(error), field="mac", kind="usage") from error


def address_of(text: str, field: str) -> IPv4Address:
    """An address that an operation was given.

    Raises:
        OperationError: it is none.
    """
    try:
        return IPv4Address(text)
    except ValueError as error:
        raise OperationError(f"{text!r} is not an IPv4 address", field=field, kind="usage") from error
