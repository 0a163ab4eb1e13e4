"""provd with the shipped plugins that boot every family, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from plugins.grub_efi.server_image import SERVER_MARK
from provd.testing.world import CONFIG, World

KERNEL = b"kernel" * 40_000
INITRD = b"initrd" * 90_000

ENABLED = (
    "client_classes",
    "relay",
    "pxelinux",
    "grub_efi",
    "source_http",
    "installer_preseed",
    "installer_kickstart",
    "installer_autoinstall",
    "installer_ignition",
    "installer_alpine",
    "installer_autoyast",
    "installer_agama",
    "installer_plain",
    "install_callbacks",
)
PROFILES = {
    "web": 'distro = "deb"\nkernel_args = ["quiet", "greeting=hello there", "console=ttyS0,115200"]\n'
    '[answers]\ntimezone = "Europe/Berlin"\n',
    "ubuntu": 'distro = "u24"\n[answers]\nroot_password_hash = "$6$x"\n',
    "fcos": 'distro = "fcos43"\n[answers]\nroot_password_hash = "$6$x"\n',
    "flat": 'distro = "flatcar4459"\n[answers]\nroot_password_hash = "$6$x"\n',
    "alpine": 'distro = "alpine322"\n[answers]\nroot_password_hash = "$6$x"\n',
    "agama": 'distro = "sles16"\n[answers]\nroot_password_hash = "$6$x"\n',
    "sles": 'distro = "sles15"\n[answers]\nroot_password_hash = "$6$x"\n',
    "ks": 'distro = "el9"\n[answers]\nroot_password_hash = "$6$x"\n',
}
DISTROS = {
    "deb": 'family = "debian"\ninstaller = "preseed"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/debian"\n[vars]\nsuite = "bookworm"\n',
    "u24": 'family = "ubuntu"\nversion = "24.04"\ninstaller = "autoinstall"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/u/live server.iso"\n',
    "fcos43": 'family = "coreos"\nversion = "43"\ninstaller = "ignition"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/f/rootfs.img"\n',
    "flatcar4459": 'family = "flatcar"\nversion = "4459"\ninstaller = "ignition"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/flatcar/4459.2.1/"\n',
    "alpine322": 'family = "alpine"\nversion = "3.22"\ninstaller = "alpine"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/alpine/v3.22"\n',
    "sles15": 'family = "suse"\nversion = "15"\ninstaller = "autoyast"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/sles"\n',
    "sles16": 'family = "suse"\nversion = "16.0"\ninstaller = "agama"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/sles16"\n'
    '[vars]\nproduct = "SLES"\nrepository = "install"\n',
    "el9": 'family = "redhat"\nversion = "9"\ninstaller = "kickstart"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://10.88.0.9/rocky"\n',
}


class SimulatedServer(World):
    """One provd; also the driver of the simulated clients that talk to it."""

    config = CONFIG
    enabled: tuple[str, ...] = ENABLED

    def __init__(
        self,
        root: Path,
        more: str = "",
        further: Mapping[str, bytes | str] | None = None,
        plugin_dirs: Sequence[Path] = (),
    ) -> None:
        loaders = ("pxelinux.0", "lpxelinux.0", "ldlinux.c32", "shimx64.efi", "grubx64.efi", "grubx64-http.efi")
        files: dict[str, bytes | str] = {
            "data/payload/debian-12/linux": KERNEL,
            "data/payload/debian-12/initrd.gz": INITRD,
            **{f"data/payload/loaders/{name}": name.encode() * 300 for name in loaders},
            **{f"site/distros/{name}.toml": text for name, text in DISTROS.items()},
            **{f"site/profiles/{name}.toml": text for name, text in PROFILES.items()},
        }
        files["data/payload/loaders/grubx64-http.efi"] = b"grubx64-http.efi" * 300 + SERVER_MARK
        super().__init__(
            root,
            enabled=self.enabled,
            more=more,
            files={**files, **(further or {})},
            config=self.config,
            plugin_dirs=plugin_dirs,
        )
