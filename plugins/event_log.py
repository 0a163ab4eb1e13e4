"""Writes events to a file, one JSON object per line, and shows its end as ``provd event-log tail``.

    [plugins.event_log]
    file = ""                      # empty: DATA_DIR/events.jsonl
    kinds = ["*"]                  # as in file name patterns
    max_mib = 64                   # then it becomes FILE.1, and a former FILE.1 is gone

Tokens and values with secret-looking names are replaced by ``***`` before they are written. The file is readable by the
service user only. A line is appended after the reply has left; a full disk loses lines, never an answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from provd.plugin.api import Event, Operation, Plugin, Settings, hookimpl, scrub_value

_TAIL_BYTES = 1024 * 1024


class SettingsOfEventLog(Settings, frozen=True):
    """Where, what and how much."""

    file: str = ""
    kinds: tuple[str, ...] = ("*",)
    max_mib: int = 64
    data_dir: str = ""

    def __post_init__(self) -> None:
        if not self.file and not self.data_dir:
            raise ValueError("file is empty, and there is no data directory to put it in")
        if self.max_mib < 1:
            raise ValueError("max_mib must be at least 1")


class Tail(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments: ``lines`` to show at most, ``kind`` pattern, ``system`` name or empty."""

    lines: int = 20
    kind: str = "*"
    system: str = ""


class EventLog:
    """Appends lines; opens the file at the first event."""

    def __init__(self, settings: SettingsOfEventLog) -> None:
        self._path = Path(settings.file or Path(settings.data_dir) / "events.jsonl")
        self._kinds = settings.kinds
        self._most_bytes = settings.max_mib * 1024 * 1024
        self._descriptor = -1
        self._size = 0

    @hookimpl
    def provd_event(self, event: Event) -> None:
        if not any(fnmatchcase(event.kind, pattern) for pattern in self._kinds):
            return
        line = msgspec.json.encode(scrub_value(msgspec.to_builtins(event))) + b"\n"
        if self._descriptor >= 0 and self._size + len(line) > self._most_bytes:
            self.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._size = os.fstat(self._descriptor).st_size
        self._size += os.write(self._descriptor, line)

    @hookimpl
    def provd_operations(self) -> Iterable[Operation]:
        return [
            Operation(
                name="event-log.tail",
                summary="Show the newest lines of the event log.",
                permission="read",
                arguments=Tail,
                run=self.tail,
                example="provd event-log tail --lines 50 --kind 'install.*'",
            )
        ]

    def tail(self, arguments: Tail) -> list[object]:
        """Newest matching events, oldest first, from the last MiB of the file."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                lines = file.read().split(b"\n")[1 if size > _TAIL_BYTES else 0 :]
        except FileNotFoundError:
            return []
        found = [event for event in map(_decoded, lines) if event and _wanted(event, arguments)]
        return list(found[-arguments.lines :]) if arguments.lines > 0 else []

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _decoded(line: bytes) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(line, type=dict[str, object])
    except msgspec.MsgspecError:
        return None


def _wanted(event: dict[str, object], arguments: Tail) -> bool:
    system = not arguments.system or event.get("system") == arguments.system
    return system and fnmatchcase(str(event.get("kind", "")), arguments.kind)


PLUGIN = Plugin(name="event_log", settings=SettingsOfEventLog, build=EventLog)
