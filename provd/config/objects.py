"""What one file of a catalogue may contain: ``distros/*.toml``, ``profiles/*.toml``, ``systems/*.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from provd.config.inherited import Inherited
from provd.config.keys import Table, key


class ProgramTable(Table, frozen=True):
    """``[[program]]`` of a distro: what machines of one firmware boot in the place of a kernel."""

    firmware: Annotated[Literal["bios", "uefi"], key("Firmware of the machines it is for.")]
    kind: Annotated[
        Literal["linux", "efi", "floppy", "iso"],
        key(
            "`linux`: a kernel, or what is started like one; `efi`: an EFI program (UEFI only); `floppy`, `iso`: an "
            "image that memdisk gives to the BIOS as a drive (BIOS only)."
        ),
    ]
    file: Annotated[str, key("The program or image, written like `kernel`.")]
    initrd: Annotated[tuple[str, ...], key("Initial RAM disks of kind `linux`.")] = ()
    arch: Annotated[
        Literal["", "i386", "x86_64", "arm", "aarch64", "riscv64"],
        key("CPU of the UEFI machines it is for; empty for the distro's."),
    ] = ""


class DistroFile(Inherited, frozen=True):
    """``distros/NAME.toml``: one operating system version for one architecture."""

    arch: Annotated[Literal["i386", "x86_64", "arm", "aarch64", "riscv64"], key("CPU of the machines it is for.")] = (
        "x86_64"
    )
    family: Annotated[str, key("Installer family (`debian`, `redhat`, ...), which an installer plugin claims.")] = ""
    version: Annotated[str, key("Version as its vendor writes it.")] = ""
    kernel: Annotated[
        str, key("Installer kernel: `payload:NAME/FILE` or an absolute path; empty where the installer brings its own.")
    ] = ""
    initrd: Annotated[
        tuple[str, ...], key("Initial RAM disks in the order they are loaded, written like `kernel`.")
    ] = ()
    programs: Annotated[
        tuple[ProgramTable, ...], key("What is booted in the place of a kernel, the first that fits the machine.")
    ] = msgspec.field(name="program", default=())
    tree: Annotated[str, key("Install tree: a directory or a URL.")] = ""
    image: Annotated[str, key("Name of the disk image, for the image installer.")] = ""
    efi_loaders: Annotated[
        tuple[str, ...] | None,
        key("Paths on the EFI system partition to chain for local boot, tried in order; none for the removable path."),
    ] = None


class ProfileFile(Inherited, frozen=True):
    """``profiles/NAME.toml``: a distro plus choices; what is not said here comes from the parent."""

    parent: Annotated[str, key("Profile that this one inherits from.")] = ""
    distro: Annotated[str, key("Distro it installs; a profile without one can only be inherited.")] = ""


class InterfaceTable(Table, frozen=True):
    """``[[interface]]`` of a system: one network card."""

    mac: Annotated[str, key("Hardware address, unique over all systems.")]
    name: Annotated[str, key("As the operator calls it; installers match by MAC.")] = ""
    address: Annotated[IPv4Address | None, key("Reserved address; none for one from the pool.")] = None
    hostname: Annotated[str, key("DHCP host name of this card where it differs from the system's.")] = ""
    vars: Annotated[dict[str, Any], key("Free values for templates: `mtu`, `routes`, ...")] = msgspec.field(
        default_factory=dict
    )


class LinkTable(Table, frozen=True):
    """`[[link]]` of a system: a bond, bridge or VLAN of the installed system."""

    name: Annotated[str, key("As the installed system calls it.")]
    kind: Annotated[Literal["bond", "bridge", "vlan"], key("What it is.")]
    members: Annotated[tuple[str, ...], key("Interfaces or links beneath; of a VLAN the one that carries it.")] = ()
    vlan: Annotated[int, key("VLAN identifier (IEEE 802.1Q).", ge=0, le=4094)] = 0
    address: Annotated[
        IPv4Address | None, key("Its address in the installed system; none for DHCP. A member has none.")
    ] = None
    options: Annotated[dict[str, Any], key("Of a bond or bridge, by the names of the kernel or of netplan.")] = (
        msgspec.field(default_factory=dict)
    )
    vars: Annotated[dict[str, Any], key("Free values for templates.")] = msgspec.field(default_factory=dict)


_CARD = "addresses stand in a table for each network card: [[interface]] with name, mac and address"


class SystemFile(Table, frozen=True):
    """``systems/NAME.toml`` of the site directory: one machine."""

    ELSEWHERE: ClassVar[Mapping[str, str]] = {
        "boot": "a system has no [boot]: policy and max_attempts stand at the top of its file, before any table, "
        "and the other keys of [boot] in its profile",
        **dict.fromkeys(("mac", "macs", "mac_address", "address", "addresses", "ip_address"), _CARD),
    }

    interfaces: Annotated[
        tuple[InterfaceTable, ...],
        key("Network cards; none where `uuid`, `client_id`, `circuit_id` or `remote_id` says which machine it is."),
    ] = msgspec.field(name="interface", default=())
    profile: Annotated[str, key("Profile it installs; empty: nobody assigned it, and it never installs.")] = ""
    uuid: Annotated[str, key("SMBIOS UUID.")] = ""
    client_id: Annotated[
        str, key("Client identifier (option 61) that means this machine, as text or as `0x` and hex digits.")
    ] = ""
    circuit_id: Annotated[
        str, key("Port of the relay that this machine is at (option 82, circuit-id), as text or `0x` and hex digits.")
    ] = ""
    remote_id: Annotated[
        str, key("Relay that this machine is behind (option 82, remote-id), written likewise; both must fit.")
    ] = ""
    hostname: Annotated[str, key("Host name of the installed system; empty for the system's name.")] = ""
    netboot: Annotated[bool, key("An install is wanted at the next network boot.")] = True
    policy: Annotated[
        Literal["", "once", "until-finished", "always", "never", "menu"],
        key("When network boots install, as `policy` in `[boot]` of the profile; empty for the profile's."),
    ] = ""
    max_attempts: Annotated[int, key("As `max_attempts` in `[boot]` of the profile; 0 for the profile's.", ge=0)] = 0
    kernel_args: Annotated[tuple[str, ...], key("Kernel arguments, appended to the profile's.")] = ()
    answers: Annotated[dict[str, Any], key("Overrides the profile's, key by key.")] = msgspec.field(
        default_factory=dict
    )
    vars: Annotated[dict[str, Any], key("Overrides the profile's, key by key.")] = msgspec.field(default_factory=dict)
    options: Annotated[dict[str, Any], key("Overrides the profile's, key by key.")] = msgspec.field(
        default_factory=dict
    )
    installer: Annotated[str, key("Installer; empty for the profile's.")] = ""
    source: Annotated[str, key("URL of the install source; empty for the profile's.")] = ""
    boot_loaders: Annotated[tuple[str, ...], key("Boot loaders; none for the profile's.")] = ()
    loader: Annotated[dict[str, dict[str, Any]], key("Overrides the profile's, key by key.")] = msgspec.field(
        default_factory=dict
    )
    templates: Annotated[dict[str, str], key("Overrides the profile's, document by document.")] = msgspec.field(
        default_factory=dict
    )
    power: Annotated[
        dict[str, Any],
        key("How its power is switched: `driver`, `address`, `user`, `password` (a secret's reference) and more."),
    ] = msgspec.field(default_factory=dict)
    links: Annotated[tuple[LinkTable, ...], key("Bonds, bridges and VLANs over its cards.")] = msgspec.field(
        name="link", default=()
    )
    comment: Annotated[str, key("Free text.")] = ""
    tags: Annotated[tuple[str, ...], key("Free words.")] = ()
    groups: Annotated[tuple[str, ...], key("Groups that it belongs to.")] = ()
    owners: Annotated[
        tuple[str, ...], key("Users or their groups who may change it besides administrators; none: every operator.")
    ] = ()
