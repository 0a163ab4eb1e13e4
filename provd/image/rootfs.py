"""A Debian root file system from packages, by mmdebstrap, as root or in a user name space."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from provd.image.bootable import DiskIds
from provd.image.errors import ImageError
from provd.image.progress import Progress
from provd.image.recipe import TEMPLATE, AptSource, Recipe
from provd.image.requirements import tool

_UNNEEDED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")
#: Before the kernel comes: its initial RAM disk is packed at once, and with a level that does not cost minutes.
_QUICK_INITRAMFS = (
    'mkdir -p "$1/etc/initramfs-tools/conf.d" && '
    'printf "COMPRESS=zstd\\nCOMPRESSLEVEL=3\\n" > "$1/etc/initramfs-tools/conf.d/provd"'
)
_INSTALLED = re.compile(r"(\d+) newly installed")


def run_as_root() -> tuple[str, ...]:
    """Words before a command that must act on a root file system: none for root, else mmdebstrap's name space."""
    return () if os.geteuid() == 0 else (tool("mmdebstrap"), "--unshare-helper")


def make_rootfs(
    recipe: Recipe, sources: tuple[AptSource, ...], root: Path, ids: DiskIds, log: Path, progress: Progress
) -> None:
    """Install the recipe's packages into the directory ``root`` and finish it as a machine to be.

    Args:
        recipe: what to install.
        sources: where packages come from, and what the image's sources.list says.
        root: must not exist.
        ids: written into fstab and grub.cfg.
        log: everything mmdebstrap, apt and dpkg print.
        progress: told of every package.

    Raises:
        ImageError: mmdebstrap failed; the sentence has its last error and names the log.
    """
    lines = [source.line() for source in sources]
    environment = {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "PROVD_TEMPLATE": str(TEMPLATE),
        "PROVD_ROOT_UUID": str(ids.root_filesystem),
        "PROVD_ESP_ID": ids.esp_id,
        "PROVD_SOURCES": "\n".join(lines),
    }
    with subprocess.Popen(
        _argv(recipe, root, lines),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        last_error = _follow(process, recipe.name, log, progress)
    if process.returncode:
        msg = f"building {recipe.name}: {last_error or 'mmdebstrap failed'} (see {log})"
        raise ImageError(msg)


def _argv(recipe: Recipe, root: Path, lines: list[str]) -> list[str]:
    include = ",".join([recipe.kernel, *recipe.packages])
    argv = [tool("mmdebstrap"), f"--mode={'root' if os.geteuid() == 0 else 'unshare'}", "--variant=minbase"]
    argv += ["--format=directory", "--verbose", f"--include={include}"]
    # The image is thrown away when the power fails while it is built.
    argv.append("--dpkgopt=force-unsafe-io")
    if not recipe.documentation:
        argv += [f"--dpkgopt=path-exclude={path}" for path in _UNNEEDED]
        argv.append("--dpkgopt=path-include=/usr/share/doc/*/copyright")
    argv += [
        "--aptopt=APT::Install-Recommends false",
        f"--essential-hook={_QUICK_INITRAMFS}",
        f'--customize-hook=sh "{TEMPLATE}/customize.sh" "$1"',
    ]
    # Packages that the machine installs later come whole and are written safely.
    argv.append('--customize-hook=rm -f "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$1/etc/apt/apt.conf.d/99mmdebstrap"')
    return [*argv, recipe.suite, str(root), *lines]


def _follow(process: subprocess.Popen[str], name: str, log: Path, progress: Progress) -> str:
    """Read the output to its end; returns the last line that looks like an error."""
    total, done, shown, error = 400, 0, 0.0, ""
    with log.open("w", encoding="utf-8") as copy:
        for line in process.stdout or ():
            copy.write(line)
            if match := _INSTALLED.search(line):
                # The essential packages come first; both rounds count as one.
                total = max(total, 2 * int(match[1]) + 200)
            if line.startswith(("Unpacking ", "Setting up ")):
                done += 1
                # The number of packages is learnt in two steps; what was shown stays until the new share passes it.
                shown = max(shown, done / total)
                progress(f"{name}: {line.split(' (')[0].strip().lower()}", shown)
            elif line.startswith(("E: ", "dpkg: error")):
                error = line.strip()
    return error
