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
class _Bin:
    """One field that takes options, in wire order."""

    room: int
    chosen: list[int] = field(default_factory=list)

    def take(self, index: int, size: int) -> bool:
        if size > self.room:
            return False
        self.room -= size
        self.chosen.append(index)
        return True

    def join(self, parts: Sequence[tuple[int, bytes]]) -> bytes:
        return b"".join([parts[index][1] for index in sorted(self.chosen)])


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

    An option is never cut (RFC 2131 section 4.1) and its instances stay in one field. The trailer (option 82) goes last
    into the options field and nowhere else (RFC 3046 section 2.2); it ranks after ``keep`` and before all others.

    Args:
        parts: (code, encoded instances) in wire order.
        room: octets of the options field, the END option not counted.
        trailer: (code, encoded instances) of the option that stands last.
        keep: codes that are dropped last, most important first.
        spare_file: the ``file`` field is free for options.
        spare_sname: the ``sname`` field is free for options.
    """
    spare = spare_file or spare_sname
    main = _Bin(room - (_OVERLOAD_OPTION_SIZE if spare else 0))
    extra_file = _Bin(FILE_SIZE - 1 if spare_file else -1)
    extra_sname = _Bin(SNAME_SIZE - 1 if spare_sname else -1)
    rank = {code: position for position, code in enumerate(keep)}
    order = sorted(range(len(parts)), key=lambda index: (rank.get(parts[index][0], len(rank)), index))
    kept = [index for index in order if parts[index][0] in rank]
    others = order[len(kept) :]
    dropped: list[int] = []

    def fill(indexes: list[int]) -> None:
        for index in indexes:
            code, octets = parts[index]
            if not any(target.take(index, len(octets)) for target in (main, extra_file, extra_sname)):
                dropped.append(code)

    fill(kept)
    tail = b""
    if trailer is not None:
        if len(trailer[1]) <= main.room:
            tail = trailer[1]
            main.room -= len(tail)
        else:
            dropped.append(trailer[0])
    fill(others)

    flag = (1 if extra_file.chosen else 0) | (2 if extra_sname.chosen else 0)
    head = main.join(parts)
    if flag:
        head += bytes((OVERLOAD, 1, flag))
    return Placement(
        options=head + tail,
        file=extra_file.join(parts) + bytes((END,)) if flag & 1 else b"",
        sname=extra_sname.join(parts) + bytes((END,)) if flag & 2 else b"",
        dropped=tuple(dropped),
    )
