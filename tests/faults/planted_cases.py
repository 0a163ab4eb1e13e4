"""The faults that are planted, and what the trace must say of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

_numbers = count(1)


@dataclass(frozen=True)
class Case:
    """One machine with one fault.

    Attributes:
        name: of its system.
        rule: first finding.
        words: that its cause must have.
        step: where it shows.
        profile: of its system; empty for a machine that is no system.
        order: how it boots.
        park: on which link.
        mac: hardware address.
        address: reserved for it, or empty.
        at_s: seconds after its last sign of life at which the trace is read.
    """

    name: str
    rule: str
    words: tuple[str, ...] = ()
    step: str = ""
    profile: str = "web"
    order: Mapping[str, Any] = field(default_factory=dict)
    park: str = "lan"
    mac: str = ""
    address: str = ""
    at_s: int = 0

    def __post_init__(self) -> None:
        if not self.mac:
            object.__setattr__(self, "mac", f"52:54:00:88:00:{next(_numbers):02x}")

    @property
    def said(self) -> str:
        """What `provd trace` is asked for."""
        return self.name if self.profile else self.mac

    @property
    def full_order(self) -> dict[str, Any]:
        """What the machines' park is told."""
        return {**self.order, "mac": self.mac}


_FIRMWARE_SILENT, _SILENT, _INSTALLER_SILENT = 16, 61, 601
UEFI: Final = {"firmware": "x64-uefi"}
_THREE: Final = {"times": 3}
_MIRROR: Final = "http://10.88.0.1/mirror/{}/dists/bookworm/Release"


def _after(url: str, method: str = "GET", reports: tuple[str, ...] = ("started",)) -> dict[str, Any]:
    return {"reports": reports, "then": [{"url": url, "method": method}]}


CASES: Final = (
    Case("arch-loader", "wrong-arch", ("x64-uefi", "pxelinux"), "loader", "only-pxelinux", UEFI),
    Case("arch-bios", "wrong-arch", ("bios", "grub_efi"), "loader", "only-grub"),
    Case("arch-distro", "wrong-arch", ("x86_64", "aarch64"), "kernel", "arm", {"dies": "installer"}),
    Case("arch-arm", "wrong-arch", ("aarch64", "x86_64"), "kernel", order={"firmware": "arm64-uefi"}),
    Case("file-kernel", "missing-file", ("vmlinuz-gone",), "config", "no-kernel"),
    Case("file-initrd", "missing-file", ("initrd-gone.gz",), "config", "no-initrd"),
    Case("file-initrd-uefi", "missing-file", ("initrd-gone.gz",), "config", "no-initrd", UEFI),
    Case("port-tftp", "blocked-port", ("UDP 69",), "ack", address="10.88.0.21", at_s=_FIRMWARE_SILENT),
    Case("port-http", "blocked-port", ("HTTP",), "config", address="10.88.0.22", at_s=_SILENT),
    Case("port-http-reset", "blocked-port", ("HTTP",), "config", address="10.88.0.23", at_s=_SILENT),
    Case("port-tftp-data", "blocked-port", ("TFTP", "firewall"), "ack", address="10.88.0.24", at_s=_FIRMWARE_SILENT),
    Case("port-answers", "blocked-port", ("answer",), "installer-dhcp", order={"dies": "/answer/"}, at_s=_SILENT),
    Case("port-offer", "blocked-port", ("OFFER",), "offer", order={"deaf": True}, at_s=_FIRMWARE_SILENT),
    Case("dhcp-firmware", "other-dhcp-server", ("10.88.0.253",), "ack", mac="52:54:00:88:04:01",
         order={"prefer": "10.88.0.253"}, at_s=_FIRMWARE_SILENT),
    Case("dhcp-installer", "other-dhcp-server", ("10.88.0.253", "installer"), "installer-dhcp",
         mac="52:54:00:88:04:02", order={"prefer": "10.88.0.1", "prefer_installer": "10.88.0.253"}),
    Case("relay-unknown", "wrong-relay", ("10.99.0.1",), "offer", park="far"),
    Case("relay-deaf", "wrong-relay", ("10.98.0.1",), "offer", park="deaf", at_s=_FIRMWARE_SILENT),
    Case("template-undefined", "broken-template", ("hostnaem", "undefined.cfg"), "answers", "undefined"),
    Case("template-syntax", "broken-template", ("syntax.cfg", "line 1"), "answers", "syntax"),
    Case("template-snippet", "broken-template", ("disk.ks", "disks"), "answers", "snippet"),
    Case("template-late", "broken-template", ("late.sh", "hostnaem"), "answers", "late"),
    Case("mirror-stopped", "dead-source", ("10.88.0.252:8000",), "installing", "stopped",
         _after(_MIRROR.format("stopped"))),
    Case("mirror-broken", "dead-source", ("500",), "installing", order=_after(_MIRROR.format("broken"))),
    Case("mirror-hangs", "dead-source", ("mirror/hangs",), "installing", order=_after(_MIRROR.format("hangs")),
         at_s=_INSTALLER_SILENT),
    Case("callback-silent", "no-report", ("callback",), "answers", order={"reports": ()}, at_s=_INSTALLER_SILENT),
    Case("callback-name", "callback-failed", ("finnished",), "installing",
         order=_after("{callback}/finnished", "POST")),
    Case("callback-method", "callback-failed", ("GET",), "installing", order=_after("{callback}/finished")),
    Case("callback-plugin", "callback-failed", ("ticket",), "installing", order=_after("{callback}/ticket", "POST")),
    Case("token-garbage", "wrong-token", ("no such token",), "answers",
         order=_after("http://10.88.0.1/answer/AAAA/preseed.cfg", reports=())),
    Case("token-callback", "wrong-token", ("finished",), "answers",
         order=_after("http://10.88.0.1/callback/AAAA/finished", "POST")),
    Case("loop-loader", "looping-firmware", ("3 times",), "", order={**_THREE, "dies": "pxelinux.cfg"}),
    Case("loop-kernel", "looping-firmware", ("3 times", "initrd"), "initrd", order={**_THREE, "dies": "installer"}),
    Case("file-loader", "missing-file", ("snponly.efi",), "loader", "only-ipxe", UEFI),
    Case("file-live", "missing-file", ("gone.img",), "installer-dhcp", order={"dies": "/answer/", "then": [
        {"url": "http://10.88.0.1/live/gone.img"}]}, at_s=_INSTALLER_SILENT),
    Case("relay-none", "not-seen", ("UDP 67",), mac="52:54:00:88:01:19"),
    Case("pool-full", "full-pool", ("tiny",), "offer", park="tiny", mac="52:54:00:88:02:03"),
    Case("mirror-log", "dead-source", ("deb.example", "refused"), "installing", order={
        "reports": ("started",), "logs": ["base-installer: warning: wget http://deb.example/Release: Connection refused",
                                          "main-menu: WARNING: Configuring base-installer failed"]},
         at_s=_INSTALLER_SILENT),
    Case("callback-again", "no-report", ("the boot before", "callback"), "answers",
         order={"reports": (), "times": 2}),
    Case("callback-held", "held", ("callback", "answer files"), "config", "held", order={"reports": (), "times": 3}),
    Case("loop-held", "held", ("firmware loops",), "config", "held", order={"dies": "installer", "times": 3}),
    Case("loop-disk", "looping-firmware", ("4 times", "own disk"), "config", order={"times": 5}),
    Case("loop-always", "looping-firmware", ("each network boot installs it",), "finished", "always",
         order={"times": 7, "dies_last": "/answer/"}),
    Case("token-old", "wrong-token", ("newer boot",), "answers",
         order={"reports": (), "times": 2, "then": [{"url": "{first_answer}"}]}),
    Case("token-expired", "", order={"reports": ()}, at_s=16),
    Case("unknown-machine", "nothing-assigned", (), "offer", profile="", mac="52:54:00:88:00:fe"),
    Case("raising-arguments", "slow-plugin", ("clumsy", "inventory says no"), "", order={"dies": "installer"}),
    Case("slow-arguments", "slow-plugin", ("drowsy", " ms"), "", order={"dies": "installer"}),
)  # fmt: skip

HEALTHY: Final = tuple(
    Case(f"healthy-{firmware}", "", order={"firmware": firmware})
    for firmware in ("bios", "x64-uefi", "x64-uefi-http", "x64-uefi-ipxe")
)
TENANTS: Final = tuple(
    Case(f"tenant-{last}", "", park="tiny", mac=f"52:54:00:88:02:0{last}", order={"dies": "pxelinux"})
    for last in (1, 2)
)
"""They take the two addresses of the small pool."""
