"""What one DHCP packet says about the client that sent it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from provd.model.arch import Arch
from provd.model.mac import Mac

WATCH_CLASS: Final = "provd-watch"
"""User class of the question by which a provd looks for other servers; it boots nothing."""


@dataclass(frozen=True, slots=True)
class RelayInfo:
    """Relay agent information (RFC 3046): opaque octets except where a field of its own names the sub-option.

    Attributes:
        giaddr: relay address as an int, 0 where the client is on a local link.
        raw: the whole option 82 as received, for the byte-equal echo; empty where there was none.
        circuit_id: sub-option 1.
        remote_id: sub-option 2.
        link_selection: sub-option 5 (RFC 3527) as an int, 0 where absent.
        server_override: sub-option 11 (RFC 5107) as an int, 0 where absent.
        client_unicast: sub-option 10 (RFC 5010) says that the client's own packet was unicast.
        own_port: sub-option 19 (RFC 8357): the relay is answered at its source port.
    """

    giaddr: int = 0
    raw: bytes = b""
    circuit_id: bytes = b""
    remote_id: bytes = b""
    link_selection: int = 0
    server_override: int = 0
    client_unicast: bool = False
    own_port: bool = False


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """The facts that boot decisions use; the same packet always gives the same facts.

    Attributes:
        mac: hardware address.
        client_id: option 61, opaque; empty where absent.
        uuid: option 97 in SMBIOS byte order, lower case with dashes; empty where absent or malformed.
        arch: first known type of option 93; None for a client that is not booting by network.
        vendor_class: option 60.
        user_classes: option 77, both the bare string of real ROMs and RFC 3004 lists.
        hostname: option 12, sanitised.
        relay: what the relay agent added.
        labels: client classes given by plugins (``ipxe``, ``httpboot``, ...); ``proxy`` where another DHCP server gives
            the address and provd only the boot file.
        quirks: names of its firmware's quirks.
    """

    mac: Mac
    client_id: bytes = b""
    uuid: str = ""
    arch: Arch | None = None
    vendor_class: str = ""
    user_classes: tuple[str, ...] = ()
    hostname: str = ""
    relay: RelayInfo = field(default_factory=RelayInfo)
    labels: frozenset[str] = frozenset()
    quirks: tuple[str, ...] = ()

    def with_labels(self, labels: frozenset[str]) -> ClientFacts:
        """The same client in these classes; ``dataclasses.replace`` takes twice as long."""
        return ClientFacts(
            self.mac,
            self.client_id,
            self.uuid,
            self.arch,
            self.vendor_class,
            self.user_classes,
            self.hostname,
            self.relay,
            labels,
            self.quirks,
        )

    @property
    def is_pxe(self) -> bool:
        """A PXE client by option 60 (RFC 4578 section 2, PXE 2.1 section 2.2.1)."""
        return self.vendor_class.startswith("PXEClient")

    @property
    def is_http(self) -> bool:
        """A UEFI HTTP boot client by option 60 (UEFI 2.x section 24.7)."""
        return self.vendor_class.startswith("HTTPClient")

    @property
    def is_ipxe(self) -> bool:
        """IPXE by its user class, which its ROMs send beside PXEClient."""
        return "iPXE" in self.user_classes

    @property
    def is_netboot(self) -> bool:
        """Firmware or a loader that wants a boot file; no installer, operating system or other provd's question."""
        return (self.is_pxe or self.is_http or self.is_ipxe) and WATCH_CLASS not in self.user_classes
