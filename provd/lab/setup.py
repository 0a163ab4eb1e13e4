"""Set-up of a Debian machine for the demo and the tests: packages, virtual environment. Standard library only.

Run as ``python3 -m provd.lab.setup`` from a checkout. It may be run again at any time and then does only what is
missing. No package that starts a service is ever installed; `provd.lab.unpacked` unpacks single programs of such.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from provd.image.requirements import DEBIAN_PACKAGES

#: Installed for the laboratory, beside what the image floor needs. None starts a service.
LAB_PACKAGES = (
    "busybox",
    "ca-certificates",
    "curl",
    "fish",
    "gdisk",
    "gpg",
    "gpgv",
    "groff-base",
    "grub-common",
    "grub-efi-amd64-bin",
    "grub-pc-bin",
    "ipxe-qemu",
    "iproute2",
    "nftables",
    "openssh-client",
    "ovmf",
    "qemu-efi-aarch64",
    "qemu-system-arm",
    "qemu-system-x86",
    "seabios",
    "strace",
    "util-linux",
    "zsh",
)

#: Packages that bring a service. They must never be installed, neither by name nor as a dependency.
DAEMON_PACKAGES = frozenset(
    {
        *("atftpd", "dnsmasq", "isc-dhcp-relay", "isc-dhcp-server", "kea-dhcp4-server", "nfs-ganesha"),
        *("nfs-kernel-server", "nginx", "openssh-server", "rpcbind", "tftpd-hpa"),
    }
)

_POLICY = Path("/usr/sbin/policy-rc.d")
_LISTS = Path("/var/lib/apt/lists")
_RECORD = "installed-packages.txt"
_STAMP = "provd-setup.stamp"


class SetupError(Exception):
    """One sentence on what is missing and who can change it."""


def packages_wanted() -> tuple[str, ...]:
    """Every package by name, sorted. ``venv`` support is among them where this Python has none."""
    wanted = {*DEBIAN_PACKAGES, *LAB_PACKAGES}
    if importlib.util.find_spec("ensurepip") is None:
        wanted.add(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return tuple(sorted(wanted))


def packages_missing(wanted: Iterable[str]) -> tuple[str, ...]:
    """Those that are not fully installed."""
    argv = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *wanted]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    present = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return tuple(name for name in wanted if name not in present)


def install_command(packages: Sequence[str]) -> list[str]:
    """The apt-get command line: nothing that is only recommended, and nothing of the machine is removed for it."""
    options = ["-y", "-q", "--no-install-recommends", "--no-remove"]
    return ["apt-get", "install", *options, "-o", "Dpkg::Use-Pty=0", *packages]


@contextlib.contextmanager
def no_services(policy: Path = _POLICY) -> Iterator[None]:
    """Forbid package scripts to start services, by Debian's policy-rc.d; a policy of the machine's own is kept."""
    if policy.exists():
        yield
        return
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def _say(text: str) -> None:
    print(f"==> {text}", flush=True)


def _run(argv: Sequence[str], what: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    if subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
        msg = f"{what} failed; see the lines above"
        raise SetupError(msg)


def install_packages(record: Path) -> None:
    """Install what is missing and add it to a list of what was installed here.

    Raises:
        SetupError: not root, no Debian, or apt failed.
    """
    if shutil.which("apt-get") is None:
        msg = "this set-up knows Debian only: apt-get is not there"
        raise SetupError(msg)
    missing = packages_missing(packages_wanted())
    if not missing:
        return
    if os.geteuid() != 0:
        msg = f"{len(missing)} Debian packages are missing and only root can install them: {' '.join(missing)}"
        raise SetupError(msg)
    _say(f"installing {len(missing)} Debian packages: {' '.join(missing)}")
    if not any(_LISTS.glob("*_Packages*")):
        _run(["apt-get", "update", "-q"], "apt-get update")
    with no_services():
        try:
            _run(install_command(missing), "apt-get install")
        except SetupError:
            _say("the package lists may be old: reading them anew")
            _run(["apt-get", "update", "-q"], "apt-get update")
            _run(install_command(missing), "apt-get install")
    record.parent.mkdir(parents=True, exist_ok=True)
    with record.open("a") as out:
        out.writelines(f"{name}\n" for name in missing)


def stamp_of(project: Path) -> str:
    """What the environment depends on: project file, interpreter and place."""
    digest = hashlib.sha256((project / "pyproject.toml").read_bytes())
    digest.update(f"{sys.version}\n{project}".encode())
    return digest.hexdigest()


def make_environment(project: Path, venv: Path) -> None:
    """Create or renew the virtual environment with provd (editable) and its test tools.

    Raises:
        SetupError: pip failed.
    """
    stamp = venv / _STAMP
    wanted = stamp_of(project)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    python = venv / "bin" / "python"
    if not python.exists():
        _say(f"creating the virtual environment {venv}")
        _run([sys.executable, "-m", "venv", str(venv)], "python -m venv")
    _say("installing provd and its test tools into it")
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run([*pip, "-e", f"{project}[test]"], "pip install")
    stamp.write_text(wanted)


def compile_path(venv: Path) -> None:
    """Compile what answers DHCP where this machine can; provd does the same without, for more processor time.

    Raises:
        SetupError: the step itself is broken.
    """
    argv = [str(venv / "bin" / "python"), "-m", "provd.lab.compile", "--if-possible"]
    _run(argv, "compiling")


def main(argv: Sequence[str] | None = None) -> int:
    """Do the whole set-up; 0 if everything is there afterwards."""
    parser = argparse.ArgumentParser(prog="python3 -m provd.lab.setup", description=__doc__.splitlines()[0])
    parser.add_argument("--no-packages", action="store_true", help="leave Debian packages alone (works without root)")
    options = parser.parse_args(argv)
    project = Path(__file__).resolve().parents[2]
    started = time.monotonic()
    try:
        if not options.no_packages:
            install_packages(project / ".lab" / _RECORD)
        make_environment(project, project / ".venv")
        compile_path(project / ".venv")
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    _say(f"set-up complete ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
