"""Values that tests of plugins start from: a machine, its profile, its plan, what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

from provd.config.quirks import read_quirks
from provd.core.quirks import Quirks
from provd.plugin.api import (
    ARCHS,
    Action,
    BootPlan,
    ClientFacts,
    Distro,
    FileRequest,
    Interface,
    Location,
    Mac,
    Profile,
    System,
)

MAC = Mac.parse("52:54:00:aa:bb:cc")
UUID = "88880000-0000-4000-8000-525400aabbcc"
PEER = "10.88.0.133"
DISTRO = Distro(
    name="debian-12",
    family="debian",
    version="12",
    installer="preseed",
    efi_loaders=("/EFI/debian/shimx64.efi", "/EFI/BOOT/BOOTX64.EFI"),
)


def client(arch: int = 0, *, ipxe: bool = False, vendor: str = "PXEClient") -> ClientFacts:
    """Facts of a firmware of this architecture (RFC 4578 number), as in its DISCOVER, with its quirks."""
    classes = ("iPXE",) if ipxe else ()
    vendor_class = f"{vendor}:Arch:{arch:05d}:UNDI:003000"
    facts = ClientFacts(mac=MAC, uuid=UUID, arch=ARCHS[arch], vendor_class=vendor_class, user_classes=classes)
    return shipped_quirks().corrected(facts)


@cache
def shipped_quirks() -> Quirks:
    """The quirks that ship with provd."""
    return Quirks(read_quirks(""))


def profile(loader: Mapping[str, Mapping[str, object]] | None = None, **fields: object) -> Profile:
    """A profile of Debian 12; ``fields`` replace its own."""
    made = Profile(name="debian-12-server", distro=DISTRO, installer="preseed", loader=loader or {})
    return replace(made, **fields)  # type: ignore[arg-type]


def plan(action: Action = Action.INSTALL, *, arch: int = 0, **fields: object) -> BootPlan:
    """An installation of that machine; ``fields`` replace its own."""
    system = System(
        name="web1",
        profile="debian-12-server",
        interfaces=(Interface("eth0", MAC, IPv4Address(PEER)),),
    )
    made = BootPlan(
        action=action,
        reason="installation wanted",
        client=client(arch),
        system=system,
        profile=profile(),
        session="s1",
        server="10.88.0.1",
        http_port=8080,
        kernel="boot/debian-12/0a1b2c3d/linux",
        initrd=("boot/debian-12/0a1b2c3d/initrd.gz",),
        kernel_args=("console=ttyS0", "url=http://10.88.0.1:8080/answer/T/preseed.cfg"),
        location=Location("http", "10.88.0.1", "/mirror/debian", 8080),
        token="T",
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def request(path: str, *, protocol: str = "tftp", peer: str = PEER) -> FileRequest:
    """A request for one served path."""
    return FileRequest(protocol=protocol, path=path, peer=peer, local="10.88.0.1")


def payload(data_dir: Path, *names: str, folder: str = "loaders") -> Path:
    """A data directory whose payload holds files of these names."""
    place = data_dir / "payload" / folder
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        (place / name).write_bytes(name.encode())
    return data_dir
