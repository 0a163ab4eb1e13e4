"""Signed distribution packages for the image floor: which archives the host uses, and single packages unpacked.

apt checks every package against the signed index of its archive; none is installed on the host.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from provd.image.errors import ImageError
from provd.image.recipe import AptSource
from provd.image.requirements import tool


def run(argv: list[str], what: str, cwd: Path | None = None) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        ImageError: it failed; the sentence has ``what`` and the last line of its errors.
    """
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
        msg = f"{what}: {lines[-1]}"
        raise ImageError(msg)
    return done.stdout


def host_sources(suite: str) -> tuple[AptSource, ...]:
    """The archives the host's own apt uses for a Debian suite, its updates and its security fixes.

    Raises:
        ImageError: the host has none for this suite, so that a mirror must be configured.
    """
    form = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    argv = [tool("apt-get"), "indextargets", "--format", form, "Created-By: Packages", "Architecture: amd64"]
    found: dict[tuple[str, str], list[str]] = {}
    for line in run(argv, "apt-get indextargets").splitlines():
        uri, release, component = line.split("|")
        if release.removesuffix("-updates").removesuffix("-security") == suite:
            found.setdefault((uri.rstrip("/"), release), []).append(component)
    if not any(release == suite for _, release in found):
        msg = f"apt on this host has no archive for {suite}: configure a mirror for the image"
        raise ImageError(msg)
    return tuple(AptSource(uri, release, tuple(dict.fromkeys(parts))) for (uri, release), parts in found.items())


def mirror_sources(mirror: str, suite: str, security: str | None = None) -> tuple[AptSource, ...]:
    """The archives of a Debian mirror given as URL; ``security`` is the URL of the security archive."""
    base = mirror.rstrip("/")
    sources = [AptSource(base, suite), AptSource(base, f"{suite}-updates")]
    if security is not None:
        sources.append(AptSource(security.rstrip("/"), f"{suite}-security"))
    return tuple(sources)


def resolve_kernel(metapackage: str) -> str:
    """The versioned kernel package that a metapackage such as ``linux-image-amd64`` depends on now.

    Raises:
        ImageError: apt does not know it.
    """
    text = run([tool("apt-cache"), "show", "--no-all-versions", metapackage], f"package {metapackage}")
    match = re.search(r"^Depends:.*?\b(linux-image-\d[^\s,]*)", text, re.MULTILINE)
    if match is None:
        msg = f"package {metapackage}: depends on no linux-image package"
        raise ImageError(msg)
    return match[1]


def candidate_versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions that `download` would fetch, by package.

    Raises:
        ImageError: apt does not know one of them.
    """
    wanted = tuple(packages)
    text = run([tool("apt-cache"), "show", "--no-all-versions", *wanted], "package versions")
    found = dict(re.findall(r"^Package: (\S+)$.*?^Version: (\S+)$", text, re.MULTILINE | re.DOTALL))
    for package in wanted:
        if package not in found:
            msg = f"package {package}: apt knows no version of it, run apt-get update"
            raise ImageError(msg)
    return {package: found[package] for package in wanted}


def download(packages: Iterable[str], directory: Path) -> dict[str, Path]:
    """Fetch packages, verified by apt, into the empty ``directory``; returns the .deb file of each."""
    directory.mkdir(parents=True, exist_ok=True)
    wanted = tuple(packages)
    argv = [tool("apt-get"), "download", "-q", "-o", "APT::Sandbox::User=root", *wanted]
    run(argv, "download of packages (is the package index fresh? apt-get update)", directory)
    return {package: next(directory.glob(f"{package}_*.deb")) for package in wanted}


def unpack(package: Path, directory: Path) -> None:
    """Unpack one .deb; no root needed, no script of it runs."""
    directory.mkdir(parents=True, exist_ok=True)
    run([tool("dpkg"), "-x", str(package), str(directory)], f"unpacking {package.name}")
