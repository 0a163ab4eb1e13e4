"""A Release file of an apt archive: which indexes a suite has (Debian's wiki, DebianRepository/Format)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_COMPRESSED = (".xz", ".gz", ".bz2", "")
"""The smallest first; apt and debootstrap ask in this order too."""


@dataclass(frozen=True, slots=True)
class Index:
    """SHA-256 in hexadecimal, and octets."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Release:
    """What a Release file says.

    Attributes:
        files: indexes by their path below the suite.
        components: as in ``main``; empty where the file names none.
        archs: as in ``amd64``; likewise.
        by_hash: whether clients ask for indexes by their digest.
    """

    files: dict[str, Index]
    components: tuple[str, ...]
    archs: tuple[str, ...]
    by_hash: bool

    def missing(self, components: Sequence[str], archs: Sequence[str]) -> Iterator[str]:
        """What of these the suite does not have, in words."""
        for kind, wanted, there in (
            ("component", components, self.components),
            ("architecture", archs, self.archs),
        ):
            for one in wanted:
                if there and one not in there:
                    yield f"{kind} {one!r}, but {', '.join(there)}"

    def indexes(self, components: Sequence[str], archs: Sequence[str]) -> list[str]:
        """Paths of the lists of packages, those of the Debian installer and the English descriptions among them."""
        found = []
        for component in components:
            for arch in dict.fromkeys((*archs, "all")):
                found.append(f"{component}/binary-{arch}/Packages")
                found.append(f"{component}/debian-installer/binary-{arch}/Packages")
            found.append(f"{component}/i18n/Translation-en")
        chosen = (next((one + end for end in _COMPRESSED if one + end in self.files), "") for one in found)
        return [one for one in chosen if one]


def release_of(path: Path) -> Release:
    """Read a Release or InRelease file, whose signature somebody else has checked.

    Raises:
        OSError: it cannot be read.
    """
    files: dict[str, Index] = {}
    fields: dict[str, str] = {}
    inside = False
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if not line.startswith(" "):
                key, _, value = line.partition(":")
                fields[key] = value.strip()
                inside = key == "SHA256"
            elif inside and len(words := line.split()) == 3 and words[1].isdecimal() and words[0].isalnum():
                files[words[2]] = Index(words[0].lower(), int(words[1]))
    return Release(
        files,
        # of security archives, components have the suite's name in front: updates/main
        tuple(one.removeprefix("updates/") for one in fields.get("Components", "").split()),
        tuple(fields.get("Architectures", "").split()),
        fields.get("Acquire-By-Hash", "").lower() == "yes",
    )
