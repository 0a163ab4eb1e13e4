"""What is known about a fetched payload: ``payload.json`` beside its files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from provd.payload.errors import PayloadError

RECORD = "payload.json"


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One file: size in octets, SHA-256, and the package and version it came from."""

    size: int
    sha256: str
    package: str
    version: str


class PayloadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A complete payload.

    Attributes:
        name: payload name.
        files: file name to its record.
        packages: package to ``downloaded`` or ``installed`` (copied from this machine).
    """

    name: str
    files: dict[str, FileRecord]
    packages: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write ``payload.json`` into ``folder``."""
        (folder / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")


def file_record(path: Path, package: str, version: str) -> FileRecord:
    """Describe a file that is on disk."""
    return FileRecord(size=path.stat().st_size, sha256=digest(path), package=package, version=version)


def digest(path: Path) -> str:
    """SHA-256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_record(folder: Path) -> PayloadRecord | None:
    """The record of a payload folder, or None where there is none.

    Raises:
        PayloadError: the record is there and cannot be read.
    """
    path = folder / RECORD
    try:
        return msgspec.json.decode(path.read_bytes(), type=PayloadRecord)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise PayloadError(f"{path}: not a payload record ({error}); remove {folder} and fetch again") from error


def damaged(folder: Path, record: PayloadRecord) -> tuple[str, ...]:
    """Names of files that are missing or whose bytes are not those recorded."""
    return tuple(
        name
        for name, file in record.files.items()
        if not (folder / name).is_file()
        or (folder / name).stat().st_size != file.size
        or digest(folder / name) != file.sha256
    )
