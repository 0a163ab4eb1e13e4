"""The deployer's initial RAM disk: busybox, a few programs with their libraries, kernel modules and our scripts."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provd.image.deployer.cpio import CpioWriter
from provd.image.deployer.elf import interpreter, needed_libraries
from provd.image.deployer.modules import ModuleTree, plain_module, plain_path
from provd.image.errors import ImageError
from provd.image.packages import run
from provd.image.requirements import tool

SCRIPTS = Path(__file__).parent / "files"
#: Program in the archive to where Debian packages hold it (the first that is there).
PROGRAMS = {
    "usr/bin/zstd": ("usr/bin/zstd",),
    "usr/sbin/sfdisk": ("usr/sbin/sfdisk", "sbin/sfdisk"),
    "usr/sbin/blkdiscard": ("usr/sbin/blkdiscard", "sbin/blkdiscard"),
    "usr/sbin/mkfs.fat": ("usr/sbin/mkfs.fat", "sbin/mkfs.fat"),
}
_BUSYBOX = ("bin/busybox", "usr/bin/busybox")
_LIBRARY_DIRS = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib64", "lib64")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Unpacked packages.

    Attributes:
        tools: root of busybox-static, the programs and their libraries.
        kernel: root of the kernel package.
        release: kernel release, as ``uname -r`` says.
        firmware: roots of firmware packages.
    """

    tools: Path
    kernel: Path
    release: str
    firmware: tuple[Path, ...] = ()


def build_initramfs(unpacked: Unpacked, version: str) -> bytes:
    """The archive, compressed with zstd (Linux reads it since 5.9).

    Raises:
        ImageError: a program or library is in none of the packages.
    """
    out = io.BytesIO()
    archive = CpioWriter(out)
    for name in ("proc", "sys", "dev", "run", "tmp", "mnt", "sbin", "etc"):
        archive.directory(name)
    # The kernel opens /dev/console for the first process before that can mount anything.
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3, 0o666)
    archive.file("etc/deployer-version", f"{version}\n".encode())
    _add_scripts(archive)
    _add_programs(archive, unpacked.tools)
    _add_modules(archive, unpacked)
    for root in unpacked.firmware:
        _add_firmware(archive, root)
    archive.close()
    argv = [tool("zstd"), "-q", "-12", "-T0", "-c"]
    done = subprocess.run(argv, input=out.getvalue(), capture_output=True, check=False)
    if done.returncode:
        msg = f"compressing the deployer failed: {done.stderr.decode(errors='replace').strip()}"
        raise ImageError(msg)
    return done.stdout


def _add_scripts(archive: CpioWriter) -> None:
    for path in sorted(SCRIPTS.iterdir()):
        if path.name == "init":
            archive.file("init", path.read_bytes(), 0o755)
        else:
            archive.file(f"lib/deployer/{path.name}", path.read_bytes(), 0o755)


def _add_programs(archive: CpioWriter, root: Path) -> None:
    archive.file("bin/busybox", _find(root, _BUSYBOX).read_bytes(), 0o755)
    # Debian's busybox-static is a static program and needs nothing of what follows.
    queue: list[str] = []
    for target, places in PROGRAMS.items():
        content = _find(root, places).read_bytes()
        archive.file(target, content, 0o755)
        queue += needed_libraries(content)
        loader = interpreter(content)
        if loader is not None:
            queue.append(loader.rpartition("/")[2])
    done: set[str] = set()
    while queue:
        name = queue.pop()
        if name in done:
            continue
        done.add(name)
        content = _find(root, tuple(f"{place}/{name}" for place in _LIBRARY_DIRS)).read_bytes()
        # Programs name the loader by its path; Debian's loader searches the other directory without configuration.
        place = "lib64" if name.startswith("ld-linux") else "lib/x86_64-linux-gnu"
        archive.file(f"{place}/{name}", content, 0o755)
        queue += needed_libraries(content)


def _find(root: Path, places: tuple[str, ...]) -> Path:
    for place in places:
        if (root / place).is_file():
            return root / place
    msg = f"{places[0]}: in none of the unpacked packages"
    raise ImageError(msg)


def _add_modules(archive: CpioWriter, unpacked: Unpacked) -> None:
    base = "usr/lib/modules" if (unpacked.kernel / "usr/lib/modules").is_dir() else "lib/modules"
    directory = unpacked.kernel / base / unpacked.release
    if not (directory / "modules.dep").exists():
        # depmod wants /lib/modules below its base directory.
        root = directory.parents[2]
        run([tool("depmod"), "-b", str(root), unpacked.release], "module dependencies")
    tree = ModuleTree.read(directory)
    chosen = tree.select()
    target = f"lib/modules/{unpacked.release}"
    for path in chosen:
        # Not stripped: under Secure Boot the kernel checks the signature at the module's end.
        archive.file(f"{target}/{plain_path(path)}", plain_module(directory / path))
    for name, text in tree.index(chosen).items():
        archive.file(f"{target}/{name}", text.encode())


def _add_firmware(archive: CpioWriter, root: Path) -> None:
    for path in _files(root):
        name = str(path.relative_to(root)).removeprefix("usr/")
        if not name.startswith("lib/firmware/"):
            continue
        if path.is_symlink():
            archive.symlink(name, str(path.readlink()))
        else:
            archive.file(name, path.read_bytes())


def _files(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in root.rglob("*") if path.is_symlink() or path.is_file())
