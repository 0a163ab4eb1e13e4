"""Make the deployer without root: a distribution kernel, and an initial RAM disk that writes an image to the disk."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from provd.image.deployer.initramfs import SCRIPTS, Unpacked, build_initramfs
from provd.image.errors import ImageError
from provd.image.packages import candidate_versions, download, resolve_kernel, run, unpack
from provd.image.progress import Progress, part, silent
from provd.image.requirements import require, tool

KERNEL = "linux-image-amd64"
#: Packages of the programs in the archive; their libraries come from the packages these depend on.
TOOL_PACKAGES = ("busybox-static", "dosfstools", "fdisk", "util-linux", "zstd")
_TOOLS = ("apt-cache", "apt-get", "depmod", "dpkg", "zstd")
_VERSION_FILE = "version"


@dataclass(frozen=True, slots=True)
class DeployerPayload:
    """What a machine boots in order to be written to.

    Attributes:
        kernel: file with the kernel, signed by the distribution for Secure Boot.
        initrd: file with the initial RAM disk.
        version: kernel release and content hash, as the deployer shows it.
    """

    kernel: Path
    initrd: Path
    version: str


def payload_paths(cache: Path) -> DeployerPayload | None:
    """The deployer in ``cache``, or None where it has not been built; quick, for use at every start."""
    version = cache / _VERSION_FILE
    if not version.is_file():
        return None
    return DeployerPayload(cache / "vmlinuz", cache / "initrd.zst", version.read_text(encoding="ascii").strip())


def build_deployer(
    cache: Path, progress: Progress = silent, *, firmware: tuple[str, ...] = (), refresh: bool = False
) -> DeployerPayload:
    """Build the deployer into ``cache``, or find the one built before from the same packages and scripts.

    Args:
        cache: directory of the payload; it then holds ``vmlinuz``, ``initrd.zst`` and ``version``.
        progress: told what is being done.
        firmware: Debian packages with firmware for network cards and disks, as in ``firmware-bnx2x``.
        refresh: build even if it is there already.

    Raises:
        ImageError: a tool or package is missing; one sentence.
    """
    require(*_TOOLS)
    progress("looking up packages", 0.0)
    kernel = resolve_kernel(KERNEL)
    packages = _closure(TOOL_PACKAGES)
    version = _version(kernel, (*packages, *firmware))
    present = payload_paths(cache)
    if not refresh and present is not None and present.version == version:
        progress("the deployer is there already", 1.0)
        return present
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".deployer-", dir=cache) as name:
        _build(Path(name), kernel, packages, firmware, version, part(progress, 0.05, 0.98))
        for file in ("vmlinuz", "initrd.zst", _VERSION_FILE):
            (Path(name) / file).chmod(0o644)
            (Path(name) / file).replace(cache / file)
    progress("the deployer is ready", 1.0)
    return DeployerPayload(cache / "vmlinuz", cache / "initrd.zst", version)


def _build(
    work: Path, kernel: str, packages: tuple[str, ...], firmware: tuple[str, ...], version: str, progress: Progress
) -> None:
    progress(f"downloading {kernel} and {len(packages)} small packages", 0.0)
    debs = download((kernel, *packages, *firmware), work / "debs")
    progress("unpacking packages", 0.4)
    unpack(debs[kernel], work / "kernel")
    for package in packages:
        unpack(debs[package], work / "tools")
    for package in firmware:
        unpack(debs[package], work / "firmware" / package)
    images = list((work / "kernel/boot").glob("vmlinuz-*"))
    if len(images) != 1:
        msg = f"package {kernel}: holds {len(images)} kernels, must be one"
        raise ImageError(msg)
    release = images[0].name.removeprefix("vmlinuz-")
    roots = tuple(work / "firmware" / package for package in firmware)
    progress("packing the initial RAM disk", 0.55)
    archive = build_initramfs(Unpacked(work / "tools", work / "kernel", release, roots), version)
    (work / "initrd.zst").write_bytes(archive)
    shutil.copyfile(images[0], work / "vmlinuz")
    (work / _VERSION_FILE).write_text(f"{version}\n", encoding="ascii")


def _closure(packages: tuple[str, ...]) -> tuple[str, ...]:
    """The packages and all they depend on, sorted; data packages without a library do no harm but cost a download."""
    argv = [tool("apt-cache"), "depends", "--recurse", "--important", *packages]
    text = run(argv, "dependencies of the deployer's programs")
    # A package stands at the margin, a virtual one in angle brackets, its dependencies are indented.
    names = re.findall(r"^([a-z0-9][a-z0-9.+-]*)$", text, re.MULTILINE)
    return tuple(sorted(name for name in set(names) if name in packages or _is_library(name)))


def _is_library(package: str) -> bool:
    return package.startswith(("lib", "zlib")) and not package.endswith(("-data", "-bin", "-common", "-perl", "-dev"))


def _version(kernel: str, packages: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for package, number in candidate_versions((kernel, *packages)).items():
        digest.update(f"{package}={number}\n".encode())
    for path in sorted([*SCRIPTS.iterdir(), *Path(__file__).parent.glob("*.py")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{kernel.removeprefix('linux-image-')}-{digest.hexdigest()[:12]}"
