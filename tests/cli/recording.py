"""A client that keeps what it was asked and checks the arguments against the real operations table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from provd.plugin.contract import Operation
from provd.service.operations import decode_arguments

ANSWERS: Mapping[str, Any] = {
    "answer.preview": {"document": "x", "media_type": "text/plain", "text": "d-i x\n"},
    "check": {"ok": True, "problems": []},
    "doctor": {"ok": True, "findings": []},
    "events": {"events": [], "last": 0},
    "rogue.check": {"interfaces": [], "servers": []},
    "system.export": {"toml": "", "systems": []},
    "system.import": {"added": [], "replaced": []},
    "system.show": {"interfaces": []},
    "trace": {
        "mac": "52:54:00:00:00:01", "system": "web1", "action": "install", "profile": "web", "session": "b1",
        "events": [], "outcome": "done", "verdict": "done",
    },
}  # fmt: skip
"""What commands look into; everything else is an empty list or object."""


class RecordingClient:
    """Stands for a service that has some operations.

    Args:
        table: the operations.
    """

    def __init__(self, table: Iterable[Operation]) -> None:
        self.table = {one.name: one for one in table}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.described = 0

    def call(self, operation: str, given: Mapping[str, object] | None = None, /, **arguments: object) -> Any:
        asked = {**(given or {}), **arguments}
        decode_arguments(self.table[operation], asked)
        self.calls.append((operation, asked))
        listed = operation.endswith((".list", ".find", ".abandoned")) or operation == "boots"
        return ANSWERS.get(operation, [] if listed else {})

    def operations(self) -> list[dict[str, Any]]:
        self.described += 1
        return [
            {
                "name": one.name,
                "summary": one.summary,
                "example": one.example,
                "arguments": msgspec.json.schema(one.arguments),
            }
            for one in self.table.values()
        ]
