"""Many datagrams with one call into the kernel: recvmmsg(2) and sendmmsg(2), which Python's sockets do not have.

A call per datagram costs a change of the lock that Python's threads share, and the thread that writes leases takes it
in that moment. Memory for all datagrams is laid out once; a datagram costs its octets.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from typing import Final

from provd.net.datagram_memory import (
    CONTROLLEN,
    COUNTS,
    HEADER,
    IOVECS,
    LEN,
    MAX_DATAGRAM,
    NAME,
    NAMELEN,
    PEER,
    RECEIVED_LEN,
    SIZES,
    Memory,
)  # fmt: skip

RECEIVED: Final = 128
"""Datagrams of one receiving call at most."""
SENT: Final = 256
"""Datagrams of one sending call at most."""
_SOCKADDR: Final = struct.Struct("=H2s4s8x")
_SOCKADDR_LL: Final = struct.Struct("=H2siHBB8s")
_IPV4: Final = b"\x08\x00"
_CMSG: Final = struct.Struct("@Nii")
_PKTINFO: Final = struct.Struct("=i4s4s")
_IP_PKTINFO: Final = 8


def to_address(address: int, port: int) -> bytes:
    """A socket address (ip(7), ``struct sockaddr_in``)."""
    return _SOCKADDR.pack(socket.AF_INET, port.to_bytes(2), address.to_bytes(4))


def to_hardware(index: int, mac: bytes) -> bytes:
    """A link-layer address for IPv4 (packet(7), ``struct sockaddr_ll``).

    Args:
        index: of the interface.
        mac: hardware address, 8 octets at most.
    """
    return _SOCKADDR_LL.pack(socket.AF_PACKET, _IPV4, index, 0, 0, len(mac), mac)


def from_interface(index: int, local: int) -> bytes:
    """Ancillary data that says by which interface and from which address a datagram leaves (ip(7), IP_PKTINFO)."""
    head = _CMSG.pack(_CMSG.size + _PKTINFO.size, socket.IPPROTO_IP, _IP_PKTINFO)
    return (head + _PKTINFO.pack(index, local.to_bytes(4), bytes(4))).ljust(socket.CMSG_SPACE(_PKTINFO.size), b"\0")


def read_address(name: bytes) -> tuple[int, int]:
    """Address and port of a socket address."""
    _, port, address = _SOCKADDR.unpack_from(name)
    return int.from_bytes(address), int.from_bytes(port)


def read_pktinfo(control: bytes) -> tuple[int, int]:
    """Our address as the kernel would answer from, and the address that was asked; zeros where nothing says so."""
    if len(control) < _CMSG.size + _PKTINFO.size:
        return 0, 0
    _, level, kind = _CMSG.unpack_from(control)
    if (level, kind) != (socket.IPPROTO_IP, _IP_PKTINFO):
        return 0, 0
    _, local, asked = _PKTINFO.unpack_from(control, _CMSG.size)
    return int.from_bytes(local), int.from_bytes(asked)


def read_peer(peer: bytes) -> tuple[int, int, int, int]:
    """Our address, the address that was asked, and the sender's address and port."""
    return *read_pktinfo(peer[NAME:]), *read_address(peer)


class DatagramBatch:
    """Both calls on one non-blocking socket.

    Args:
        descriptor: of the socket.
        receiving: the socket is read from, too.

    Attributes:
        failed: number in the queue and error number of the datagrams that could not leave, until somebody takes them.

    Raises:
        OSError: the C library has no such calls.
    """

    def __init__(self, descriptor: int, *, receiving: bool = True) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        try:
            self._recvmmsg, self._sendmmsg = library.recvmmsg, library.sendmmsg
        except AttributeError as error:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from error
        self._descriptor = descriptor
        self._in, self._out = Memory(RECEIVED if receiving else 1), Memory(SENT)
        self._fresh = bytes(self._in.headers)
        self._names: list[bytes | None] = [None] * SENT
        self._controls: list[bytes | None] = [None] * SENT
        self._queued = 0
        self.failed: list[tuple[int, int]] = []

    def receive(self) -> list[tuple[bytes, bytes]]:
        """What waits, :data:`RECEIVED` datagrams at most: octets, and what :func:`read_peer` reads.

        The second is equal for datagrams that came from one sender in one way.
        """
        memory = self._in
        count = self._recvmmsg(self._descriptor, memory.messages, RECEIVED, socket.MSG_DONTWAIT, None)
        data, peers, sizes, counts = memory.data, memory.peers, memory.sizes, memory.counts
        found: list[tuple[bytes, bytes]] = []
        for number in range(count):
            at, peer = number * MAX_DATAGRAM, number * PEER
            octets = data[at : at + counts[number * COUNTS + RECEIVED_LEN]].tobytes()
            found.append((octets, peers[peer : peer + NAME + sizes[number * SIZES + CONTROLLEN]].tobytes()))
        if count > 0:
            # The kernel wrote how much it used; the next call needs to hear how much there is.
            memory.headers[: count * HEADER] = self._fresh[: count * HEADER]
        return found

    def send(self, data: bytes, name: bytes, control: bytes) -> None:
        """Queue one datagram; the queue must not be :attr:`full`.

        Args:
            data: payload, :data:`MAX_DATAGRAM` octets at most.
            name: from :func:`to_address` or :func:`to_hardware`; the same object again costs nothing. So with
                ``control``.
            control: from :func:`from_interface`, or empty.

        Raises:
            OSError: it is too long.
        """
        memory, number = self._out, self._queued
        size, at = len(data), number * MAX_DATAGRAM
        if size > MAX_DATAGRAM:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        memory.data[at : at + size] = data
        memory.lengths[number * IOVECS + LEN] = size
        if self._names[number] is not name:
            self._names[number], at = name, number * PEER
            memory.peers[at : at + len(name)] = name
            memory.counts[number * COUNTS + NAMELEN] = len(name)
        if self._controls[number] is not control:
            self._controls[number], at = control, number * PEER + NAME
            memory.peers[at : at + len(control)] = control
            memory.sizes[number * SIZES + CONTROLLEN] = len(control)
        self._queued = number + 1

    def flush(self) -> None:
        """Send what is queued; a datagram that cannot leave is noted in :attr:`failed`, and the others leave."""
        sent, queued, self._queued = 0, self._queued, 0
        while sent < queued:
            rest = ctypes.byref(self._out.messages, sent * HEADER)
            count = self._sendmmsg(self._descriptor, rest, queued - sent, socket.MSG_DONTWAIT)
            if count > 0:
                sent += count
                continue
            fault = ctypes.get_errno()
            if fault == errno.EINTR:
                continue
            self.failed.append((sent, fault))
            sent += 1

    @property
    def full(self) -> bool:
        """Nothing more fits into the queue."""
        return self._queued == SENT

    @property
    def waiting(self) -> bool:
        """Something is queued."""
        return self._queued > 0
