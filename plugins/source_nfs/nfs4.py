"""NFS version 4.0 (RFC 7530): is there a directory, and what is in a file."""

from __future__ import annotations

import struct
from pathlib import PurePosixPath
from typing import Final

from .rpc import Reader, RpcClient, RpcError, opaque

PROGRAM: Final = 100003
_VERSION: Final = 4
_NULL, _COMPOUND = 0, 1
_GETATTR, _LOOKUP, _PUTROOTFH, _READ = 9, 15, 24, 25
_TYPE_ATTRIBUTE: Final = 1
_DIRECTORY: Final = 2
_STATUS: Final = {
    1: "not the owner", 2: "no such directory", 5: "input or output error", 13: "access denied", 20: "not a directory",
    10016: "security too weak", 10013: "the server is in its period of grace", 10021: "minor version not supported",
}  # fmt: skip


def ping(client: RpcClient) -> None:
    """Call NULL.

    Raises:
        RpcError: the server speaks no version 4.
    """
    client.call(PROGRAM, _VERSION, _NULL)


def look_up(client: RpcClient, path: str) -> None:
    """Go down to a directory.

    Raises:
        RpcError: the server says no, with its reason.
    """
    parts = PurePosixPath(path).parts[1:]
    # Attribute 1 is the type of what was found (RFC 7530 section 5.6).
    operations = [_start(), *map(_lookup, parts), struct.pack(">III", _GETATTR, 1, 1 << _TYPE_ATTRIBUTE)]
    answer = _compound(client, operations, path)
    words = answer.uint()
    answer.take(4 * words)
    if Reader(answer.opaque()).uint() != _DIRECTORY:
        raise RpcError(f"{path}: not a directory")


def read(client: RpcClient, path: str, offset: int, length: int) -> tuple[bytes, bool]:
    """Octets of a file and whether they are its last ones; without opening it (RFC 7530 section 9.1.4.3).

    Raises:
        RpcError: the server says no, with its reason.
    """
    parts = PurePosixPath(path).parts[1:]
    # The stateid of zeros stands for no open at all.
    reading = struct.pack(">I16sQI", _READ, bytes(16), offset, length)
    answer = _compound(client, [_start(), *map(_lookup, parts), reading], path)
    last = bool(answer.uint())
    return answer.opaque(), last


def _start() -> bytes:
    return struct.pack(">I", _PUTROOTFH)


def _lookup(name: str) -> bytes:
    return struct.pack(">I", _LOOKUP) + opaque(name.encode())


def _compound(client: RpcClient, operations: list[bytes], path: str) -> Reader:
    """Everything in one call; the reader stands at the results of the last operation."""
    header = opaque(b"") + struct.pack(">II", 0, len(operations))
    answer = client.call(PROGRAM, _VERSION, _COMPOUND, header + b"".join(operations))
    status = answer.uint()
    answer.opaque()
    done = answer.uint()
    if status:
        raise RpcError(f"{path}: {_STATUS.get(status, f'NFS status {status}')}")
    for _ in range(done):
        answer.uint()
        answer.uint()
    return answer
