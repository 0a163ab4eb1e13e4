"""Payload files that the machine's own package manager has already put in place."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path


def installed_version(package: str, paths: Iterable[str], root: Path = Path("/")) -> str:
    """Version of an installed package all of whose ``paths`` are there unchanged; empty where it cannot be used.

    Args:
        package: package name.
        paths: paths inside the package, without a leading slash.
        root: where the machine's files begin.
    """
    wanted = {f"/{path}" for path in paths}
    if not all((root / path[1:]).exists() for path in wanted):
        return ""
    state = _dpkg(
        "dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "-W", "-f", "${db:Status-Status} ${Version}", package
    ).split()
    if len(state) != 2 or state[0] != "installed":
        return ""
    # `dpkg --verify` prints one line for each file whose checksum is not the package's.
    changed = {
        line.split()[-1] for line in _dpkg("dpkg", f"--root={root}", "--verify", package).splitlines() if line.strip()
    }
    return "" if changed & wanted else state[1]


def _dpkg(*command: str) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return run.stdout
