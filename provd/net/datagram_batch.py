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

RECEIVED: Final = 128
"""Datagrams of one receiving call at most."""
SENT: Final = 256
"""Datagrams of one sending call at most."""
MAX_DATAGRAM: Final = 4096

_NAME: Final = 32
_CONTROL: Final = 64
_PEER: Final = _NAME + _CONTROL
_SOCKADDR: Final = struct.Struct("=H2s4s8x")
_SOCKADDR_LL: Final = struct.Struct("=H2siHBB8s")
_IPV4: Final = b"\x08\x00"
_CMSG: Final = struct.Struct("@Nii")
_PKTINFO: Final = struct.Struct("=i4s4s")
_IP_PKTINFO: Final = 8


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("len", ctypes.c_size_t))


class _Msghdr(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.POINTER(_Iovec)),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Mmsghdr(ctypes.Structure):
    _fields_ = (("hdr", _Msghdr), ("len", ctypes.c_uint32))


# Fields of ctypes cost three times what a number of a memoryview does, and each datagram has four of them.
_POINTER: Final = ctypes.sizeof(ctypes.c_size_t)
_HEADER: Final = ctypes.sizeof(_Mmsghdr)
_SIZES: Final = _HEADER // _POINTER
_COUNTS: Final = _HEADER // 4
_CONTROLLEN: Final = _Msghdr.controllen.offset // _POINTER
_NAMELEN: Final = _Msghdr.namelen.offset // 4
_RECEIVED_LEN: Final = _Mmsghdr.len.offset // 4
_IOVECS: Final = ctypes.sizeof(_Iovec) // _POINTER
_LEN: Final = _Iovec.len.offset // _POINTER


class _Memory:
    """Room for ``count`` datagrams with addresses and ancillary data, which stand behind each other.

    Attributes:
        data: payloads, :data:`MAX_DATAGRAM` octets for each.
        peers: socket address and ancillary data of each.
        messages: what the kernel is handed.
        headers: the octets of ``messages``.
        sizes: the same octets as numbers of the size of a pointer, so ``sizes[number * _SIZES + _CONTROLLEN]``.
        counts: the same as 32-bit numbers.
        lengths: the lengths of the payloads, ``lengths[number * _IOVECS + _LEN]``.
    """

    def __init__(self, count: int) -> None:
        data, peers = bytearray(count * MAX_DATAGRAM), bytearray(count * _PEER)
        vectors, headers = bytearray(count * ctypes.sizeof(_Iovec)), bytearray(count * _HEADER)
        iovecs, self.messages = (_Iovec * count).from_buffer(vectors), (_Mmsghdr * count).from_buffer(headers)
        at = [ctypes.addressof(ctypes.c_char.from_buffer(one)) for one in (data, peers)]
        for number in range(count):
            iovec, header = iovecs[number], self.messages[number].hdr
            iovec.base, iovec.len = at[0] + number * MAX_DATAGRAM, MAX_DATAGRAM
            header.name, header.namelen = at[1] + number * _PEER, _NAME
            header.iov, header.iovlen = ctypes.pointer(iovec), 1
            header.control, header.controllen = at[1] + number * _PEER + _NAME, _CONTROL
        self.data, self.peers, self.headers = memoryview(data), memoryview(peers), memoryview(headers)
        self.sizes, self.counts = self.headers.cast("L"), self.headers.cast("I")
        self.lengths = memoryview(vectors).cast("L")


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
    return *read_pktinfo(peer[_NAME:]), *read_address(peer)


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
        self._in, self._out = _Memory(RECEIVED if receiving else 1), _Memory(SENT)
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
            at, peer = number * MAX_DATAGRAM, number * _PEER
            octets = data[at : at + counts[number * _COUNTS + _RECEIVED_LEN]].tobytes()
            found.append((octets, peers[peer : peer + _NAME + sizes[number * _SIZES + _CONTROLLEN]].tobytes()))
        if count > 0:
            # The kernel wrote how much it used; the next call needs to hear how much there is.
            memory.headers[: count * _HEADER] = self._fresh[: count * _HEADER]
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
        memory.lengths[number * _IOVECS + _LEN] = size
        if self._names[number] is not name:
            self._names[number], at = name, number * _PEER
            memory.peers[at : at + len(name)] = name
            memory.counts[number * _COUNTS + _NAMELEN] = len(name)
        if self._controls[number] is not control:
            self._controls[number], at = control, number * _PEER + _NAME
            memory.peers[at : at + len(control)] = control
            memory.sizes[number * _SIZES + _CONTROLLEN] = len(control)
        self._queued = number + 1

    def flush(self) -> None:
        """Send what is queued; a datagram that cannot leave is noted in :attr:`failed`, and the others leave."""
        sent, queued, self._queued = 0, self._queued, 0
        while sent < queued:
            rest = ctypes.byref(self._out.messages, sent * _HEADER)
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
