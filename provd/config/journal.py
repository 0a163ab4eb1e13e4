"""Writes several files as one: after a crash at any point, either all of them are written or none is.

Every new content lies beside its target under a temporary name, durable, before a journal names them all; the journal's
rename is the moment of truth. Then the targets are renamed into place and the journal goes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from provd.config.errors import ConfigError

JOURNAL: Final = ".provd-journal.json"
_NEW: Final = ".provd-new"


class Step(msgspec.Struct, frozen=True):
    """One file of a change.

    Attributes:
        target: path relative to the directory of the journal.
        remove: the target goes; else the temporary file beside it takes its place.
    """

    target: str
    remove: bool = False


def write_files(root: Path, changes: Mapping[Path, bytes | None]) -> None:
    """Write files below one directory, all or none.

    Args:
        root: the directory that keeps the journal.
        changes: path below ``root`` to its new octets, None for a file that goes.

    Raises:
        ConfigError: a file cannot be written. Nothing is changed then, but for a failure after the journal was
            written, which :func:`finish` repairs.
    """
    finish(root)
    steps = [Step(str(path.relative_to(root)), raw is None) for path, raw in changes.items()]
    try:
        for path, raw in changes.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if raw is not None:
                _write_durably(_beside(path), raw, _mode_of(path))
        if len(steps) > 1:
            _write_durably(_beside(root / JOURNAL), msgspec.json.encode(steps), 0o600)
            _beside(root / JOURNAL).rename(root / JOURNAL)
            _sync_directory(root)
    except OSError as error:
        for path in (*changes, root / JOURNAL):
            with suppress(OSError):
                _beside(path).unlink(missing_ok=True)
        raise _failed(error, root) from error
    _apply(root, steps)


def finish(root: Path) -> bool:
    """Complete a change that a crash interrupted after its journal was written, and undo one that it had not reached.

    Args:
        root: the directory that keeps the journal.

    Returns:
        Whether a change was completed.

    Raises:
        ConfigError: the journal cannot be read, or the files cannot be written.
    """
    journal = root / JOURNAL
    try:
        raw = journal.read_bytes()
    except FileNotFoundError:
        _undo(root)
        return False
    except OSError as error:
        raise _failed(error, root) from error
    try:
        steps = msgspec.json.decode(raw, type=list[Step])
    except msgspec.DecodeError as error:
        raise ConfigError(str(journal), "", f"is damaged ({error}); remove it once the files are right") from error
    for step in steps:
        if not (root / step.target).resolve().is_relative_to(root.resolve()):
            raise ConfigError(str(journal), "", f"names {step.target!r}, which lies outside its directory")
    _apply(root, steps)
    return True


def _apply(root: Path, steps: list[Step]) -> None:
    folders = set()
    try:
        for step in steps:
            target = root / step.target
            folders.add(target.parent)
            if step.remove:
                target.unlink(missing_ok=True)
            else:
                # A file that is there already was renamed before the crash.
                with suppress(FileNotFoundError):
                    _beside(target).rename(target)
        for folder in folders:
            _sync_directory(folder)
        (root / JOURNAL).unlink(missing_ok=True)
        _sync_directory(root)
    except OSError as error:
        raise _failed(error, root) from error


def _undo(root: Path) -> None:
    if not root.is_dir():
        return
    folders = [path for path in root.iterdir() if path.is_dir()]
    # Templates have folders of their own for single installers.
    deeper = [path for path in root.glob("templates/*") if path.is_dir() and not path.is_symlink()]
    for folder in (root, *folders, *deeper):
        for left in folder.glob(f".*{_NEW}"):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """The temporary name; the catalogue reads no hidden files, nor any that do not end in ``.toml``."""
    return path.with_name(f".{path.name}{_NEW}")


def _mode_of(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return 0o644


def _write_durably(path: Path, raw: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(raw)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(error: OSError, root: Path) -> ConfigError:
    return ConfigError(str(error.filename or root), "", f"cannot be written: {error.strerror}")
