"""Where the options of a message go when the options field is too small for all of them (RFC 2131 section 4.1).

Works on encoded options only and knows nothing of packets, so the rule can be read and tested by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from provd.wire.codes import END, OVERLOAD

FILE_SIZE: Final = 128
SNAME_SIZE: Final = 64
_OVERLOAD_OPTION_SIZE: Final = 3


@dataclass(slots=True)
class Placement:
    """Encoded options by field; ``file`` and ``sname`` are empty where the field is not overloaded.

    Attributes:
        options: content of the options field, without END.
        file: options for the ``file`` field, END included, not padded.
        sname: options for the ``sname`` field, END included, not padded.
        dropped: codes that found no room, most important first.
    """

    options: bytes
    file: bytes = b""
    sname: bytes = b""
    dropped: tuple[int, ...] = ()


@dataclass(slots=True)
class _Field:
    """One field that takes options; they stand in it in wire order."""

    room: int
    chosen: list[int] = field(default_factory=list)

    def take(self, index: int, size: int) -> bool:
        if size > self.room:
            return False
        self.room -= size
        self.chosen.append(index)
        return True

    def give(self, index: int, size: int) -> None:
        self.room += size
        self.chosen.remove(index)

    def join(self, parts: Sequence[tuple[int, bytes]]) -> bytes:
        return b"".join([parts[index][1] for index in sorted(self.chosen)])

    def overloaded(self, parts: Sequence[tuple[int, bytes]]) -> bytes:
        return self.join(parts) + bytes((END,)) if self.chosen else b""


def place(
    parts: Sequence[tuple[int, bytes]],
    *,
    room: int,
    trailer: tuple[int, bytes] | None,
    keep: Sequence[int],
    spare_file: bool,
    spare_sname: bool,
) -> Placement:
    """Give every option a field, most important first, and drop what finds no room.

    An option is never cut (RFC 2131 section 4.1) and its instances stay in one field. For one that only the options
    field can hold, smaller ones but those of ``keep`` move into the free fields. The trailer (option 82) goes last into
    the options field and nowhere else (RFC 3046 section 2.2); it ranks after ``keep`` and before all others.
    ``parts`` are (code, encoded instances) in wire order, ``room`` counts octets without END, ``keep`` has the most
    important code first; ``spare_*`` say which fields are free.
    """
    overload = _OVERLOAD_OPTION_SIZE if spare_file or spare_sname else 0
    main = _Field(room - overload)
    file = _Field(FILE_SIZE - 1 if spare_file else -1)
    sname = _Field(SNAME_SIZE - 1 if spare_sname else -1)
    dropped: list[int] = []

    def fill(indexes: Sequence[int]) -> None:
        for index in indexes:
            code, octets = parts[index]
            if any(target.take(index, len(octets)) for target in (main, file, sname)):
                continue
            if code in keep or not _make_room(main, (file, sname), parts, len(octets), keep):
                dropped.append(code)
            else:
                main.take(index, len(octets))

    kept, others = _by_importance(parts, keep)
    fill(kept)
    tail = b"" if trailer is None else trailer[1]
    if trailer is not None and len(tail) > main.room:
        dropped.append(trailer[0])
        tail = b""
    main.room -= len(tail)
    fill(others)
    flag = (1 if file.chosen else 0) | (2 if sname.chosen else 0)
    head = main.join(parts) + (bytes((OVERLOAD, 1, flag)) if flag else b"")
    return Placement(head + tail, file.overloaded(parts), sname.overloaded(parts), tuple(dropped))


def _by_importance(parts: Sequence[tuple[int, bytes]], keep: Sequence[int]) -> tuple[list[int], list[int]]:
    """Positions of what stays as long as possible, in the order of ``keep``, and of all others in wire order."""
    at = {code: index for index, (code, _) in enumerate(parts)}
    kept = [at[code] for code in keep if code in at]
    return kept, [index for index in range(len(parts)) if index not in kept]


def _make_room(
    main: _Field, spare: Sequence[_Field], parts: Sequence[tuple[int, bytes]], size: int, keep: Sequence[int]
) -> bool:
    """Move options, the last ones first, out of the options field until it has ``size`` octets; all or nothing."""
    moved: list[tuple[_Field, int, int]] = []
    for index in sorted(main.chosen, reverse=True):
        if main.room >= size:
            return True
        code, octets = parts[index]
        fitting = [one for one in spare if code not in keep and one.room >= len(octets)]
        if fitting:
            # The fuller field first, so that the other one keeps its room for what is larger.
            target = min(fitting, key=_room)
            target.take(index, len(octets))
            main.give(index, len(octets))
            moved.append((target, index, len(octets)))
    if main.room >= size:
        return True
    for target, index, octets_moved in moved:
        target.give(index, octets_moved)
        main.take(index, octets_moved)
    return False


def _room(one: _Field) -> int:
    return one.room
