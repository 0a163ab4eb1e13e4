"""A damaged file: a copy is kept aside and a new file is made of every record that can still be believed.

Steps that an interruption may fall between: copy aside, build ``.salvaging``, rename it to ``.salvaged`` (from here on
the new file counts), remove the old file's journal, rename to the store's name. The next start finishes what was begun.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from provd.store.durable_file import sync, write_private
from provd.store.kinds import KINDS
from provd.store.sqlite_record import Codec, RecordError, carve, unseal
from provd.store.sqlite_schema import SEARCHED, create, key_column, upsert

DAMAGE: Final = (sqlite3.Error, RecordError, UnicodeDecodeError)
"""How damage shows; sqlite3 cannot decode its own message where it quotes a damaged name."""

Rows = dict[int | str, tuple[int, bytes]]
"""Key to sequence number and body."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """What is known of the damage.

    Attributes:
        path: the damaged file.
        reason: how the damage showed.
        journal: its write-ahead log before SQLite opened it.
        dropped: SQLite did not read commits of that log, so that its tables alone are not enough.
    """

    path: Path
    reason: str
    journal: bytes
    dropped: bool


def salvage(damaged: Damaged, stamp: str, connect: Callable[[Path], sqlite3.Connection]) -> str:
    """Replace a damaged file by a new one with every sound record; the sentence says what was found.

    Args:
        damaged: the file.
        stamp: end of the copy's name.
        connect: opens a new file.
    """
    path = damaged.path
    copy = path.with_name(f"{path.name}.damaged-{stamp}")
    raw = path.read_bytes()
    write_private(copy, raw)
    if damaged.journal:
        write_private(Path(f"{copy}-wal"), damaged.journal)
    rows, whole = _rows(path, raw + damaged.journal, everything=damaged.dropped)
    building = Path(f"{path}.salvaging")
    building.unlink(missing_ok=True)
    os.close(os.open(building, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    _build(building, rows, connect)
    sync(building)
    building.rename(f"{path}.salvaged")
    sync(path.parent)
    finish_salvage(path)
    counts = ", ".join(f"{len(found)} {kind}" for kind, found in rows.items())
    missing = "" if whole else "; records on damaged pages are lost, and removed ones may be back"
    return f"the store {path} was damaged ({damaged.reason}); a copy is kept as {copy}; recovered: {counts}{missing}"


def finish_salvage(path: Path) -> None:
    """Put a new file that was complete into place; nothing to do where there is none."""
    salvaged = Path(f"{path}.salvaged")
    if not salvaged.exists():
        return
    # SQLite would replay the old file's journal over the new file.
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    sync(path.parent)
    salvaged.rename(path)
    sync(path.parent)


def _rows(path: Path, raw: bytes, *, everything: bool) -> tuple[dict[str, Rows], bool]:
    """What SQLite can still read, and where it stops or ``everything`` is wanted, what lies there as sound records."""
    found: dict[str, Rows] = {}
    incomplete: set[str] = set()
    for codec in KINDS:
        found[codec.kind], complete = _readable(path, codec)
        if everything or not complete:
            incomplete.add(codec.kind)
    codecs = {codec.kind: codec for codec in KINDS if codec.kind in incomplete}
    for kind, sequence, body in carve(list(codecs), raw) if codecs else ():
        _keep(codecs[kind], found[kind], sequence, body)
    return found, not incomplete


def _readable(path: Path, codec: Codec[Any]) -> tuple[Rows, bool]:
    """Sound records that SQLite reads from either end of a table, and whether it came through."""
    rows: Rows = {}
    for direction in ("ASC", "DESC"):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            key = key_column(codec.kind)
            statement = f"SELECT record FROM {codec.kind} ORDER BY {key} {direction}"  # noqa: S608  names of ours
            for (record,) in connection.execute(statement):
                try:
                    _keep(codec, rows, *unseal(codec.kind, record))
                except RecordError:
                    continue
            whole = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        except DAMAGE:
            continue
        else:
            return rows, whole
        finally:
            connection.close()
    return rows, False


def _keep(codec: Codec[Any], rows: Rows, sequence: int, body: bytes) -> None:
    try:
        key = codec.key(codec.read(body))
    except RecordError:
        return
    if key not in rows or sequence > rows[key][0]:
        rows[key] = sequence, body


def _build(path: Path, rows: dict[str, Rows], connect: Callable[[Path], sqlite3.Connection]) -> None:
    connection = connect(path)
    try:
        create(connection)
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            for codec in KINDS:
                searched = SEARCHED.get(codec.kind, lambda _value: ())
                for sequence, body in rows[codec.kind].values():
                    value = codec.read(body)
                    record = codec.encode(value, sequence)
                    connection.execute(upsert(codec.kind), (codec.key(value), record, *searched(value)))
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()
