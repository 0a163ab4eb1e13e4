"""ONC RPC version 2 over TCP (RFC 5531), as much as asking a server takes: calls with AUTH_SYS, one at a time."""

from __future__ import annotations

import struct
from itertools import count
from types import TracebackType
from typing import Final, Self

from provd.plugin.api import connect

TIMEOUT_S: Final = 3.0
_MOST: Final = 4 << 20
_LAST: Final = 0x80000000
_ACCEPTED: Final = {
    1: "does not speak this protocol",
    2: "does not speak this version",
    3: "does not know this procedure",
    4: "cannot read the arguments",
    5: "has a fault of its own",
}


class RpcError(OSError):
    """The server is not there, refuses, or answers something else; the sentence says which."""


def opaque(octets: bytes) -> bytes:
    """Variable-length opaque data (RFC 4506 section 4.10)."""
    return struct.pack(">I", len(octets)) + octets + bytes(-len(octets) % 4)


class Reader:
    """Takes values from the front of XDR (RFC 4506).

    Raises:
        RpcError: in every method, where the octets end too early.
    """

    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    def uint(self) -> int:
        """An unsigned integer of 32 bits."""
        return int.from_bytes(self.take(4))

    def opaque(self) -> bytes:
        """Variable-length opaque data."""
        length = self.uint()
        octets = self.take(length)
        self.take(-length % 4)
        return octets

    def take(self, length: int) -> bytes:
        """So many octets as they are."""
        octets = self._octets[self._at : self._at + length]
        if len(octets) != length:
            raise RpcError("the answer is cut off")
        self._at += length
        return octets


class RpcClient:
    """One connection, as a context manager.

    Args:
        host: name or address.
        port: TCP.

    Raises:
        RpcError: nobody answers there.
    """

    def __init__(self, host: str, port: int) -> None:
        self._numbers = count(1)
        try:
            self._socket = connect(host, port, TIMEOUT_S)
        except OSError as error:
            raise RpcError(f"{host} port {port}/tcp: {error.strerror or error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def call(self, program: int, version: int, procedure: int, arguments: bytes = b"") -> Reader:
        """The results of one procedure.

        Raises:
            RpcError: see there.
        """
        number = next(self._numbers)
        header = struct.pack(">6I", number, 0, 2, program, version, procedure)
        message = header + _credentials() + struct.pack(">II", 0, 0) + arguments
        try:
            self._socket.sendall(struct.pack(">I", _LAST | len(message)) + message)
            answer = Reader(self._record())
        except TimeoutError as error:
            raise RpcError(f"no answer within {TIMEOUT_S:.0f} s") from error
        except RpcError:
            raise
        except OSError as error:
            raise RpcError(f"the connection broke: {error.strerror or error}") from error
        if (answer.uint(), answer.uint()) != (number, 1):
            raise RpcError("the answer is to another call")
        if answer.uint() != 0:
            raise RpcError("the server denies the call")
        answer.uint()
        answer.opaque()
        if state := answer.uint():
            raise RpcError(f"the server {_ACCEPTED.get(state, f'says state {state}')}")
        return answer

    def _record(self) -> bytes:
        """One record, put together from its fragments (RFC 5531 section 11)."""
        record = b""
        while True:
            mark = int.from_bytes(self._exactly(4))
            record += self._exactly(mark & ~_LAST)
            if mark & _LAST:
                return record

    def _exactly(self, length: int) -> bytes:
        if length > _MOST:
            raise RpcError("the answer is too long for one")
        octets = b""
        while len(octets) < length:
            more = self._socket.recv(length - len(octets))
            if not more:
                raise RpcError("the server closes the connection")
            octets += more
        return octets


def _credentials() -> bytes:
    """AUTH_SYS of nobody in particular (RFC 5531 appendix A)."""
    body = struct.pack(">I", 0) + opaque(b"provd") + struct.pack(">III", 65534, 65534, 0)
    return struct.pack(">I", 1) + opaque(body)
