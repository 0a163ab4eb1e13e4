"""The archives that apt uses on this host (sources.list(5)): deb822 files and one-line files, read at run time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"deb\s+(?:\[[^\]]*\]\s+)?(?P<rest>\S+\s+\S.*)")
_FILE = re.compile(r"[A-Za-z0-9_.-]+\.(list|sources)")
_SUFFIXES = ("-updates", "-security", "-proposed-updates", "-backports")


@dataclass(frozen=True, slots=True)
class Archive:
    """One archive with binary packages.

    Attributes:
        uri: base, without a final slash; it may hold a user and a password.
        suites: names below ``dists/``.
        components: as in ``main``.
    """

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


def archives_of(directory: Path, suite: str, wanted: str) -> list[Archive]:
    """The archives of one suite with its updates and security fixes.

    Third-party archives name Debian's suites too; what has no component ``main`` is not the distribution.

    Args:
        directory: apt's, as in ``/etc/apt``.
        suite: the base suite, as in ``bookworm``.
        wanted: the suite that is asked for now, or empty; its archives come first.
    """
    family = {suite, *(suite + suffix for suffix in _SUFFIXES)}
    found = [one for one in read(directory) if "main" in one.components and family.intersection(one.suites)]
    return sorted(found, key=lambda one: wanted not in one.suites)


def codename(os_release: Path) -> str:
    """The host's own suite (os-release(5)), or empty."""
    try:
        text = os_release.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    match = re.search(r'^VERSION_CODENAME="?([\w.-]+)"?$', text, re.MULTILINE)
    return match[1] if match else ""


def read(directory: Path) -> list[Archive]:
    """Every enabled ``deb`` archive with an HTTP or HTTPS address, in apt's order; what cannot be read is left out."""
    found: list[Archive] = []
    for path in (directory / "sources.list", *_parts(directory / "sources.list.d")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found += _deb822(text) if path.suffix == ".sources" else _one_line(text)
    return [one for one in found if one.uri.startswith(("http://", "https://"))]


def _parts(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if _FILE.fullmatch(path.name))
    except OSError:
        return []


def _one_line(text: str) -> Iterator[Archive]:
    for line in text.splitlines():
        match = _LINE.fullmatch(line.partition("#")[0].strip())
        if match:
            uri, suite, *components = match["rest"].split()
            yield Archive(uri.rstrip("/"), (suite,), tuple(components))


def _deb822(text: str) -> Iterator[Archive]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    for stanza in _stanzas(lines):
        if stanza.get("enabled", "yes").lower() in {"no", "false", "0", "off", "without", "disable"}:
            continue
        if "deb" in stanza.get("types", "").split():
            suites, components = stanza.get("suites", "").split(), stanza.get("components", "").split()
            for uri in stanza.get("uris", "").split():
                yield Archive(uri.rstrip("/"), tuple(suites), tuple(components))


def _stanzas(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    stanza: dict[str, str] = {}
    key = ""
    for line in (*lines, ""):
        if not line.strip():
            if stanza:
                yield stanza
            stanza, key = {}, ""
        elif line[0].isspace():
            stanza[key] = f"{stanza.get(key, '')} {line.strip()}"
        else:
            name, _, value = line.partition(":")
            key = name.strip().lower()
            stanza[key] = value.strip()
