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
from collections.abc import Iterator
from typing import Final

RECEIVED: Final = 128
"""Datagrams of one receiving call at most."""
SENT: Final = 256
"""Datagrams of one sending call at most."""
MAX_DATAGRAM: Final = 4096

_NAME: Final = 32
_CONTROL: Final = 64
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


class _Memory:
    """Room for ``count`` datagrams with addresses and ancillary data."""

    def __init__(self, count: int) -> None:
        self.data, self.names, self.controls = (bytearray(count * size) for size in (MAX_DATAGRAM, _NAME, _CONTROL))
        self.iovecs, self.messages = (_Iovec * count)(), (_Mmsghdr * count)()
        at = [ctypes.addressof(ctypes.c_char.from_buffer(one)) for one in (self.data, self.names, self.controls)]
        for number in range(count):
            iovec, header = self.iovecs[number], self.messages[number].hdr
            iovec.base, iovec.len = at[0] + number * MAX_DATAGRAM, MAX_DATAGRAM
            header.name, header.namelen = at[1] + number * _NAME, _NAME
            header.iov, header.iovlen = ctypes.pointer(iovec), 1
            header.control, header.controllen = at[2] + number * _CONTROL, _CONTROL


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
        self._queued = 0
        self.failed: list[tuple[int, int]] = []

    def receive(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """What waits: octets, socket address and ancillary data of each datagram, :data:`RECEIVED` at most."""
        memory, messages = self._in, self._in.messages
        count = self._recvmmsg(self._descriptor, messages, RECEIVED, socket.MSG_DONTWAIT, None)
        data, names, controls = memory.data, memory.names, memory.controls
        for number in range(count):
            message = messages[number]
            at, name, control = number * MAX_DATAGRAM, number * _NAME, number * _CONTROL
            used = control + message.hdr.controllen
            # The kernel wrote how much it used; the next call needs to hear how much there is.
            message.hdr.controllen, message.hdr.namelen = _CONTROL, _NAME
            yield (
                bytes(data[at : at + message.len]),
                bytes(names[name : name + _NAME]),
                bytes(controls[control:used]),
            )

    def send(self, data: bytes, name: bytes, control: bytes) -> None:
        """Queue one datagram; the queue must not be :attr:`full`.

        Args:
            data: payload, :data:`MAX_DATAGRAM` octets at most.
            name: from :func:`to_address` or :func:`to_hardware`.
            control: from :func:`from_interface`, or empty.

        Raises:
            OSError: it is too long.
        """
        memory, number = self._out, self._queued
        size = len(data)
        if size > MAX_DATAGRAM:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        at, name_at, control_at = number * MAX_DATAGRAM, number * _NAME, number * _CONTROL
        memory.data[at : at + size] = data
        memory.names[name_at : name_at + len(name)] = name
        memory.controls[control_at : control_at + len(control)] = control
        memory.iovecs[number].len = size
        header = memory.messages[number].hdr
        header.namelen, header.controllen = len(name), len(control)
        self._queued = number + 1

    def flush(self) -> None:
        """Send what is queued; a datagram that cannot leave is noted in :attr:`failed`, and the others leave."""
        sent, queued, self._queued = 0, self._queued, 0
        while sent < queued:
            rest = ctypes.byref(self._out.messages, sent * ctypes.sizeof(_Mmsghdr))
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
