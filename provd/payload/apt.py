"""Packages through apt, without root and without touching the machine's own apt state.

apt checks the signed index (InRelease, by the machine's own keyrings) and the package's hash in it; the hash is checked
once more here on the bytes that are unpacked.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from provd.payload.errors import PayloadError

_URI_LINE = re.compile(r"^'[^']*' (?P<file>[^/\s]+\.deb) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$", re.MULTILINE)
# The machine's sources and proxies are wanted; its hooks after an update are not, they need root.
_KEPT = ("Acquire::", "APT::Architecture", "APT::Default-Release", "Dir::Etc::Trusted")


@dataclass(frozen=True, slots=True)
class Deb:
    """One package as the signed index describes it.

    ``package`` is named as it was asked for, ``file`` is its name in the download directory.
    """

    package: str
    version: str
    file: str
    size: int
    sha256: str


class PrivateApt:
    """apt with its state and cache below ``root``.

    Args:
        root: an empty directory that nobody else can write to.
        command: the ``apt-get`` and ``apt-config`` to call, by name.
    """

    def __init__(self, root: Path, *, apt_get: str = "apt-get", apt_config: str = "apt-config") -> None:
        self._apt_get = apt_get
        self._apt_config = apt_config
        self._config = root / "apt.conf"
        self._debs = root / "debs"
        for path in (root / "state/lists/partial", root / "cache/archives/partial", self._debs):
            path.mkdir(parents=True)
        self._root = root
        self._unread = ""
        self._env = {**os.environ, "LC_ALL": "C", "APT_CONFIG": str(self._config)}

    def update(self, progress: Callable[[float], None], architectures: Collection[str] = ()) -> None:
        """Fetch the signed indexes of the machine's own sources.

        Args:
            progress: told the share that is done.
            architectures: Debian's names of those whose packages are wanted beside the machine's own, as ``arm64``.

        Raises:
            PayloadError: apt is missing, or no index could be had.
        """
        self._write_config(architectures)
        output = self._run(["update"], "apt could not read the package index", progress)
        # A source that cannot be reached is a warning to apt; what is then missing shows as a missing package.
        failed = (line[2:].split() for line in output.splitlines() if line.startswith("W: Failed to fetch"))
        self._unread = " ".join(next(failed, ()))

    def resolve(self, packages: Sequence[str]) -> tuple[Deb, ...]:
        """The candidate version of each package, with size and SHA-256 from the signed index.

        Raises:
            PayloadError: a package is not offered, or is offered without a SHA-256.
        """
        try:
            output = self._run(["download", "--print-uris", *packages], "apt does not offer what is needed")
        except PayloadError as error:
            if not self._unread:
                raise
            raise PayloadError(f"{error}; a source of packages could not be read: {self._unread}") from error
        found: dict[str, Deb] = {}
        for match in _URI_LINE.finditer(output):
            deb, architecture = _deb(match)
            qualified = f"{deb.package}:{architecture}"
            found[deb.package] = deb
            found[qualified] = replace(deb, package=qualified)
        for package in packages:
            if package not in found:
                raise PayloadError(f"package {package} has no SHA-256 in the signed package index of this machine")
        return tuple(found[package] for package in packages)

    def download(self, debs: Sequence[Deb], progress: Callable[[float], None]) -> dict[str, Path]:
        """Fetch packages and check their hashes.

        Returns:
            package name to the file on disk.

        Raises:
            PayloadError: a transfer failed, or the bytes are not those the signed index names.
        """
        wanted = [f"{deb.package}={deb.version}" for deb in debs]
        self._run(["download", *wanted], "apt could not download a package", progress)
        files = {}
        for deb in debs:
            path = self._debs / deb.file
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != deb.sha256:
                raise PayloadError(
                    f"package {deb.package} {deb.version} has SHA-256 {digest}, the signed index says {deb.sha256}"
                )
            files[deb.package] = path
        return files

    def _write_config(self, architectures: Collection[str]) -> None:
        try:
            dump = subprocess.run([self._apt_config, "dump"], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise PayloadError(
                f"apt is not usable on this machine ({error}): payloads come from signed Debian packages"
            ) from error
        kept = [line for line in dump.splitlines() if line.startswith(_KEPT)]
        own = {
            "Dir::State": self._root / "state",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": self._root / "cache",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::main": "/dev/null",
            # apt's own user could not reach a private directory.
            "APT::Sandbox::User": "root",
            "APT::Get::AllowUnauthenticated": "false",
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::AllowWeakRepositories": "false",
            "Acquire::AllowDowngradeToInsecureRepositories": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "APT::Status-Fd": "1",
        }
        kept += [f'{key} "{value}";' for key, value in own.items()]
        # The machine's own is the first of apt's list, whatever is added to it.
        kept += [f'APT::Architectures:: "{name}";' for name in sorted(architectures)]
        self._config.write_text("\n".join(kept) + "\n")

    def _run(self, args: list[str], failure: str, progress: Callable[[float], None] = lambda _share: None) -> str:
        """Run apt-get in the download directory; its output, or :class:`PayloadError` with apt's own first error."""
        try:
            process = subprocess.Popen(
                [self._apt_get, "-q", *args],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=self._debs,
                env=self._env,
            )
        except OSError as error:
            raise PayloadError(f"apt-get cannot be started ({error}): payloads come from signed packages") from error
        lines = []
        with process:
            for line in process.stdout or ():
                if line.startswith("dlstatus:"):
                    progress(_percent(line) / 100)
                else:
                    lines.append(line)
        errors = [line[2:].strip() for line in lines if line.startswith("E:")]
        if process.returncode != 0:
            raise PayloadError(f"{failure}: {errors[0] if errors else f'exit status {process.returncode}'}")
        return "".join(lines)


def _deb(match: re.Match[str]) -> tuple[Deb, str]:
    """The package of a line, and its architecture."""
    package, version, architecture = match["file"].removesuffix(".deb").split("_", 2)
    return Deb(package, unquote(version), match["file"], int(match["size"]), match["sha256"]), architecture


def _percent(line: str) -> float:
    """Percentage of a ``dlstatus:ITEM:PERCENT:TEXT`` line of apt's status output."""
    try:
        return float(line.split(":")[2])
    except (IndexError, ValueError):
        return 0.0
