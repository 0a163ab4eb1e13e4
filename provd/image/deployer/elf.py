"""Which shared libraries a program needs, read from its ELF dynamic section; nothing of it is run.

Source: System V ABI, chapter 5 (program header, dynamic section); 64-bit little-endian objects only.
"""

from __future__ import annotations

import struct

_PT_LOAD = 1
_PT_DYNAMIC = 2
_PT_INTERP = 3
_DT_NEEDED = 1
_DT_STRTAB = 5


def needed_libraries(content: bytes) -> tuple[str, ...]:
    """Names such as ``libc.so.6``, in the order of the object; empty for a static one.

    Raises:
        ValueError: not a 64-bit little-endian ELF object.
    """
    segments = _segments(content)
    entries = [
        struct.unpack_from("<qQ", content, position)
        for kind, offset, _, size in segments
        if kind == _PT_DYNAMIC
        for position in range(offset, offset + size, 16)
    ]
    tables = [value for tag, value in entries if tag == _DT_STRTAB]
    if not tables:
        return ()
    strings = _file_offset(segments, tables[0])
    return tuple(_text(content, strings + value) for tag, value in entries if tag == _DT_NEEDED)


def interpreter(content: bytes) -> str | None:
    """Path of the dynamic loader, as in ``/lib64/ld-linux-x86-64.so.2``; None for a library or a static program."""
    for kind, offset, _, _ in _segments(content):
        if kind == _PT_INTERP:
            return _text(content, offset)
    return None


def _segments(content: bytes) -> list[tuple[int, int, int, int]]:
    """Type, file offset, address and size in the file of every program header."""
    if content[:6] != b"\x7fELF\x02\x01":
        msg = "not a 64-bit little-endian ELF object"
        raise ValueError(msg)
    (table,) = struct.unpack_from("<Q", content, 32)
    entry_size, count = struct.unpack_from("<HH", content, 54)
    found = []
    for index in range(count):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", content, table + index * entry_size)
        found.append((kind, offset, address, size))
    return found


def _file_offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, offset, start, size in segments:
        if kind == _PT_LOAD and start <= address < start + size:
            return offset + address - start
    msg = f"address {address:#x} lies in no loaded segment"
    raise ValueError(msg)


def _text(content: bytes, offset: int) -> str:
    return content[offset : content.index(b"\0", offset)].decode("ascii")
