"""Layouts of real media, as small files: what their makers' tools write.

Sources: ``.treeinfo`` by lorax and pungi (productmd's format 1.x, and the older one of anaconda's buildinstall);
``.disk/info`` and ``dists/`` by debian-cd; ``version.info`` by debian-installer's build; ``.disk/info`` and ``casper/`` by
Ubuntu's cdimage; ``EFI/fedora/grub.cfg`` and ``coreos/`` by coreos-assembler; ``version.txt`` by Flatcar's build scripts;
``.alpine-release`` and ``latest-releases.yaml`` by the image builder in Alpine's aports;
``media.1/`` and ``boot/`` by SUSE's build service; ``install/`` and ``LiveOS/`` by openSUSE's product-composer and
Agama's live image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

Files = Mapping[str, bytes]

_BOOT = {"images/pxeboot/vmlinuz": b"kernel", "images/pxeboot/initrd.img": b"initrd"}
_VENDORS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "rhel": {"Red Hat Enterprise Linux": ("6.10", "7.9", "8.10", "9.4", "10.0")},
    "centos": {"CentOS": ("6.10", "7"), "CentOS Linux": ("8.5.2111",)},
    "centos-stream": {"CentOS Stream": ("8", "9", "10")},
    "rocky": {"Rocky Linux": ("8.10", "9.4", "10.0")},
    "alma": {"AlmaLinux": ("8.10", "9.4", "10.0")},
    "oracle": {"Oracle Linux Server": ("7.9",), "Oracle Linux": ("8.10", "9.4", "10.0")},
    "eurolinux": {"EuroLinux": ("7.9", "8.9", "9.3")},
    "scientific": {"Scientific": ("6.10",), "Scientific Linux": ("7.9",)},
    "fedora": {"Fedora": tuple(str(number) for number in range(34, 45))},
}
_OPENEULER = {"20.03": "20.03-LTS-SP4", "22.03": "22.03-LTS-SP4", "24.03": "24.03-LTS"}
_DEBIAN = {
    "9": ("stretch", "9.13.0"),
    "10": ("buster", "10.13.0"),
    "11": ("bullseye", "11.11.0"),
    "12": ("bookworm", "12.5.0"),
    "13": ("trixie", "13.1.0"),
}
_UBUNTU = {
    "20.04": "20.04.6 LTS", "20.10": "20.10", "21.04": "21.04", "21.10": "21.10", "22.04": "22.04.5 LTS", "22.10": "22.10",
    "23.04": "23.04", "23.10": "23.10.1", "24.04": "24.04.2 LTS", "24.10": "24.10", "25.04": "25.04", "25.10": "25.10",
    "26.04": "26.04 LTS",
}  # fmt: skip


_FEDORA_COREOS = {
    "37": "37.20230401.3.0", "38": "38.20231027.3.2", "39": "39.20240407.3.0", "40": "40.20241019.3.0",
    "41": "41.20250315.3.0", "42": "42.20250929.3.0", "43": "43.20251110.3.1", "44": "44.20260501.3.0",
}  # fmt: skip
_ALPINE = ("3.18.12", "3.19.9", "3.20.8", "3.21.5", "3.22.2", "3.23.0")
_FLATCAR = ("3510.3.6", "3602.2.3", "3760.2.0", "3815.2.5", "3975.2.2", "4081.3.6", "4152.2.3", "4230.2.4", "4459.2.1")


def treeinfo(name: str, version: str, arch: str = "x86_64") -> bytes:
    """``.treeinfo`` in the format of its time."""
    old = name in {"CentOS", "Scientific"} or version.startswith("6.")
    general = f"[general]\narch = {arch}\nfamily = {name}\nname = {name}-{version}\ntimestamp = 1714000000\n"
    general += f"variant = BaseOS\nversion = {version}\n"
    if old:
        return (
            f"{general}[images-{arch}]\nkernel = images/pxeboot/vmlinuz\ninitrd = images/pxeboot/initrd.img\n".encode()
        )
    head = "[header]\ntype = productmd.treeinfo\nversion = 1.2\n\n"
    release = f"\n[release]\nname = {name}\nshort = {name.split()[0]}\nversion = {version}\n\n[tree]\narch = {arch}\n"
    return (head + general + release).encode()


def layouts() -> Iterator[tuple[str, str, Files]]:
    """Name of the signature, the whole version, and the files."""
    for distro, vendors in _VENDORS.items():
        for vendor, versions in vendors.items():
            for version in versions:
                files = {".treeinfo": treeinfo(vendor, version), ".discinfo": b"1714000000.1\n", **_BOOT}
                yield f"{distro}-{version.split('.')[0]}", version, files
    for number, version in _OPENEULER.items():
        yield f"openeuler-{number}", version, {".treeinfo": treeinfo("openEuler", version), **_BOOT}
    yield from _debian()
    yield from _ignition()
    yield from _alpine()
    yield from _suse()
    yield from _agama()
    for number, version in _UBUNTU.items():
        yield f"ubuntu-{number}", version.split()[0], {
            ".disk/info": f'Ubuntu-Server {version} "Some Animal" - Release amd64 (20240424)'.encode(),
            "casper/vmlinuz": b"kernel",
            "casper/initrd": b"initrd",
            "casper/ubuntu-server-minimal.squashfs": b"",
        }  # fmt: skip


def _ignition() -> Iterator[tuple[str, str, Files]]:
    for number, version in _FEDORA_COREOS.items():
        grub = (
            "set default=\"1\"\nmenuentry 'Fedora CoreOS (Live)' --class fedora --class gnu-linux {\n"
            f"\tlinux /images/pxeboot/vmlinuz mitigations=auto,nosmt coreos.liveiso=fedora-coreos-{version}"
            " ignition.firstboot ignition.platform.id=metal\n"
            f"{'#' * 80} COREOS_KARG_EMBED_AREA\n\tinitrd /images/pxeboot/initrd.img /images/ignition.img\n}}\n"
        )
        yield f"fedora-coreos-{number}", version, {
            "EFI/fedora/grub.cfg": grub.encode(),
            "coreos/igninfo.json": b'{"file": "images/ignition.img"}',
            "images/pxeboot/vmlinuz": b"kernel",
            "images/pxeboot/initrd.img": b"initrd",
            "images/pxeboot/rootfs.img": b"rootfs",
        }  # fmt: skip
    for version in _FLATCAR:
        build, branch, patch = version.split(".")
        text = f"FLATCAR_BUILD={build}\nFLATCAR_BRANCH={branch}\nFLATCAR_PATCH={patch}\nFLATCAR_VERSION={version}\n"
        yield f"flatcar-{build}", version, {
            "version.txt": f'{text}FLATCAR_VERSION_ID={version}\nFLATCAR_BUILD_ID=""\nFLATCAR_SDK_VERSION={build}.0.0\n'.encode(),
            "flatcar_production_pxe.vmlinuz": b"kernel",
            "flatcar_production_pxe_image.cpio.gz": b"initrd",
            "flatcar_production_image.bin.bz2": b"image",
            "flatcar_production_image.bin.bz2.sig": b"signature",
        }  # fmt: skip


def _alpine() -> Iterator[tuple[str, str, Files]]:
    for version in _ALPINE:
        number = version.rpartition(".")[0]
        for profile, flavor, name in (
            ("standard", "lts", f"alpine-{number}"),
            ("virt", "virt", f"alpine-{number}-virt"),
        ):
            yield name, version, {
                ".alpine-release": f"alpine-{profile}-{version} 250716\n".encode(),
                f"boot/vmlinuz-{flavor}": b"kernel",
                f"boot/initramfs-{flavor}": b"initrd",
                f"boot/modloop-{flavor}": b"modules",
                "apks/x86_64/APKINDEX.tar.gz": b"index",
                "apks/.boot_repository": b"",
            }  # fmt: skip
        for arch, name in (("x86_64", f"alpine-{number}-netboot"), ("aarch64", f"alpine-{number}-netboot-arm64")):
            releases = (
                f"---\n-\n  title: Standard\n  branch: v{number}\n  arch: {arch}\n  version: {version}\n"
                f"  flavor: alpine-standard\n  file: alpine-standard-{version}-{arch}.iso\n"
            )
            yield name, version, {
                f"releases/{arch}/latest-releases.yaml": releases.encode(),
                f"releases/{arch}/netboot/vmlinuz-lts": b"kernel",
                f"releases/{arch}/netboot/initramfs-lts": b"initrd",
                f"releases/{arch}/netboot/modloop-lts": b"modules",
                f"main/{arch}/APKINDEX.tar.gz": b"index",
            }  # fmt: skip


def _suse() -> Iterator[tuple[str, str, Files]]:
    boot = {"boot/x86_64/loader/linux": b"kernel", "boot/x86_64/loader/initrd": b"initrd"}
    arm = {"boot/aarch64/linux": b"kernel", "boot/aarch64/initrd": b"initrd"}
    for pack in range(1, 6):
        build = f"SLE-12-SP{pack}-Server-DVD-x86_64-Build0473\n".encode()
        yield f"sles-12.{pack}", f"12.{pack}", {"media.1/build": build, **boot}
    for arch, ending, files in (("x86_64", "", boot), ("aarch64", "-arm64", arm)):
        for pack in range(2, 8):
            name = f"SLE-15-SP{pack}-Full-{arch}-Build101.1"
            media = f"SUSE - {name}-Media\n{name}\n1\n".encode()
            yield f"sles-15.{pack}{ending}", f"15.{pack}", {"media.1/media": media, **files}
        for minor in range(7):
            name = f"openSUSE-Leap-15.{minor}-{'NET' if minor % 2 else 'DVD'}-{arch}-Build710.3"
            yield f"opensuse-leap-15.{minor}{ending}", f"15.{minor}", {
                "media.1/media": f"openSUSE - {name}-Media\n{name}\n1\n".encode(),
                "media.1/products": f"/ openSUSE-Leap 15.{minor}-1\n".encode(),
                **files,
            }  # fmt: skip


def _agama() -> Iterator[tuple[str, str, Files]]:
    for version, (arch, ending) in product(("16.0", "16.1"), (("x86_64", ""), ("aarch64", "-arm64"))):
        for distro, vendor, name, what in (
            ("sles", "SUSE", f"SLES-{version}-{arch}-Build101.6", "SLES"),
            ("opensuse-leap", "openSUSE", f"Leap-{version}-offline-installer-{arch}-Build171.1", "Leap"),
        ):
            yield f"{distro}-{version}{ending}", version, {
                "install/media.1/media": f"{vendor} - {name}\n{name}\n1\n".encode(),
                "install/media.1/products": f"/ {what} {version}-1\n".encode(),
                "install/repodata/repomd.xml": b"<repomd/>",
                f"boot/{arch}/loader/linux": b"kernel",
                f"boot/{arch}/loader/initrd": b"initrd",
                "boot/grub2/grub.cfg": b"set default=0\n",
                "LiveOS/squashfs.img": b"live",
            }  # fmt: skip


def _debian() -> Iterator[tuple[str, str, Files]]:
    for number, (suite, version) in _DEBIAN.items():
        for arch, folder in (("amd64", "install.amd"), ("arm64", "install.a64")):
            if (number, arch) == ("9", "arm64"):
                continue
            for kind, name in (("DVD Binary-1", f"debian-{number}"), ("NETINST", f"debian-{number}-netinst")):
                info = f'Debian GNU/Linux {version} "{suite.capitalize()}" - Official {arch} {kind} 20240210-11:27\n'
                yield f"{name}-arm64" if arch == "arm64" else name, version, {
                    ".disk/info": info.encode(),
                    f"dists/{suite}/Release": f"Origin: Debian\nCodename: {suite}\n".encode(),
                    f"{folder}/vmlinuz": b"kernel",
                    f"{folder}/initrd.gz": b"initrd",
                }  # fmt: skip
        yield f"debian-{number}-netboot", number, {
            "version.info": f"Debian version:  {number} ({suite})\nInstaller build: 20230607+deb12u5\n".encode(),
            "debian-installer/amd64/linux": b"kernel",
            "debian-installer/amd64/initrd.gz": b"initrd",
            "debian-installer/amd64/pxelinux.cfg/default": b"",
        }  # fmt: skip
        if number == "9":
            continue
        yield f"debian-{number}-arm64-netboot", number, {
            "version.info": f"Debian version:  {number} ({suite})\nInstaller build: 20230607+deb12u5\n".encode(),
            "debian-installer/arm64/linux": b"kernel",
            "debian-installer/arm64/initrd.gz": b"initrd",
            "debian-installer/arm64/grub/grub.cfg": b"menuentry 'Install' {\n linux /debian-installer/arm64/linux --- quiet\n}\n",
        }  # fmt: skip
