"""Systems: machines with a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from provd.model.mac import Mac


def octets_of(text: str) -> bytes:
    """Octets of an identifier that people write as text, or as ``0x`` and hex digits.

    Raises:
        ValueError: the digits are none.
    """
    return bytes.fromhex(text[2:]) if text[:2].lower() == "0x" else text.encode()


def octets_fault(text: str) -> str:
    """What is wrong with such an identifier, the end of a sentence; empty where nothing is, or none is given."""
    try:
        octets = octets_of(text)
    except ValueError:
        return "has digits after 0x that are not hexadecimal"
    # No octets are no identifier: every client without the option would have it.
    return "has no digits after 0x" if text and not octets else ""


@dataclass(frozen=True, slots=True)
class Interface:
    """One network card of a system.

    Attributes:
        name: as the operator calls it (``eth0``); installers match by MAC, not by this.
        mac: hardware address, unique over all systems.
        address: reserved IPv4 address, or None for one from the pool.
        hostname: DHCP host name of this interface where it differs from the system's.
        vars: free values for templates (``mtu``, ``routes``, ``netmask``, ...); provd itself reads none of them.
    """

    name: str
    mac: Mac
    address: IPv4Address | None = None
    hostname: str = ""
    vars: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """An interface of the installed system that is made of others; templates and answers read it, DHCP does not.

    Attributes:
        name: as the installed system calls it (``bond0``).
        kind: ``bond``, ``bridge`` or ``vlan``.
        members: names of the interfaces or links beneath: slaves, ports, or the one that carries the VLAN.
        vlan: VLAN identifier (IEEE 802.1Q: 1 to 4094), 0 for a bond or bridge.
        address: its address, or None.
        options: how it is made (``mode = "802.3ad"``, ``stp = false``), names as the installer knows them.
        vars: free values for templates.
    """

    name: str
    kind: str
    members: tuple[str, ...] = ()
    vlan: int = 0
    address: IPv4Address | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    vars: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class System:
    """One machine.

    Attributes:
        name: unique name.
        profile: name of the profile it installs; empty means nobody assigned it, and it never installs.
        interfaces: its network cards, at least one.
        uuid: SMBIOS UUID, lower case, or empty.
        client_id: option 61 that means this machine, as text or as ``0x`` and hex digits; empty for none.
        circuit_id: port of the relay that this machine is at (option 82), written likewise.
        remote_id: relay that this machine is behind (option 82), written likewise; with ``circuit_id`` both must fit.
        hostname: host name of the installed system; empty means the name.
        netboot: an install is wanted at the next network boot; the finished callback clears it.
        policy: replaces the profile's (``boot.policy``); empty for the profile's.
        max_attempts: replaces the profile's (``boot.max_attempts``); 0 for the profile's.
        kernel_args: appended to the profile's.
        answers: override the profile's, key by key.
        vars: override the profile's free values.
        options: DHCP options by name or number, override the profile's.
        comment: free text.
        tags: free words.
        groups: names of groups that it belongs to.
        owners: users or groups of users who may change it besides administrators; empty for everybody with the role.
        links: bonds, bridges and VLANs over its interfaces.
        installer: replaces the profile's.
        source: replaces the profile's.
        boot_loaders: replace the profile's.
        loader: overrides the profile's settings of single boot loaders, key by key.
        templates: override the profile's, document by document.
        power: how its power is switched: ``driver``, and what that driver wants; secrets by reference.
        origin: ``store``, or ``file`` for one declared in ``systems/*.toml``, or ``inventory:NAME``.
        file: the TOML file for origin ``file``.
        version: changes with every edit; a write that names another one is stale.
    """

    name: str
    profile: str = ""
    interfaces: tuple[Interface, ...] = ()
    uuid: str = ""
    client_id: str = ""
    circuit_id: str = ""
    remote_id: str = ""
    hostname: str = ""
    netboot: bool = True
    policy: str = ""
    max_attempts: int = 0
    kernel_args: tuple[str, ...] = ()
    answers: Mapping[str, object] = field(default_factory=dict)
    vars: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    comment: str = ""
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    installer: str = ""
    source: str = ""
    boot_loaders: tuple[str, ...] = ()
    loader: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    power: Mapping[str, object] = field(default_factory=dict)
    origin: str = "store"
    file: str = ""
    version: str = ""

    @property
    def port(self) -> tuple[bytes, bytes]:
        """Circuit-id and remote-id of option 82 that mean this machine; both empty for none."""
        return octets_of(self.circuit_id), octets_of(self.remote_id)

    @property
    def host(self) -> str:
        """Host name of the installed system."""
        return self.hostname or self.name


@dataclass(frozen=True, slots=True)
class InstallState:
    """What provd has seen of a system's installs; it survives restarts and is kept beside the system, not in it.

    Attributes:
        state: ``new``, ``installing``, ``installed``, ``due`` (installed, and under policy ``always`` the next network
            boot installs again), ``failed``, ``held``, or ``started`` (it booted what installs nothing).
        attempts: network boots that fetched everything since the last finished install or release.
        installed_at: seconds since the epoch of the last finished callback, 0 for never.
        held_reason: one sentence for a held machine.
        last_session: id of the newest boot session.
        netboot: replaces the system's own ``netboot`` where its definition is not ours to write (origin file or
            inventory); None: the system's own counts.
    """

    state: str = "new"
    attempts: int = 0
    installed_at: float = 0.0
    held_reason: str = ""
    last_session: str = ""
    netboot: bool | None = None
