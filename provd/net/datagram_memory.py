"""Memory for many datagrams, laid out once as recvmmsg(2) and sendmmsg(2) want it (recv(2), ``struct msghdr``)."""

from __future__ import annotations

import ctypes
from typing import Final

MAX_DATAGRAM: Final = 4096
"""Octets of a payload at most."""
NAME: Final = 32
"""Octets of a socket address at most; ancillary data stands behind it."""
_CONTROL: Final = 64
"""Octets of ancillary data at most (cmsg(3))."""
PEER: Final = NAME + _CONTROL
"""Octets of both."""


class _Iovec(ctypes.Structure):
    """``struct iovec`` (readv(2))."""

    _fields_ = (("base", ctypes.c_void_p), ("len", ctypes.c_size_t))


class _Msghdr(ctypes.Structure):
    """``struct msghdr`` (recvmsg(2))."""

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
    """``struct mmsghdr`` (recvmmsg(2))."""

    _fields_ = (("hdr", _Msghdr), ("len", ctypes.c_uint32))


# Fields of ctypes cost three times what a number of a memoryview does, and each datagram has four of them: so they are
# read and written as numbers, by their place in such a view.
_POINTER: Final = ctypes.sizeof(ctypes.c_size_t)
_UINT32: Final = ctypes.sizeof(ctypes.c_uint32)
HEADER: Final = ctypes.sizeof(_Mmsghdr)
"""Octets of the header of one datagram."""
SIZES: Final = HEADER // _POINTER
"""Numbers in ``Memory.sizes`` for each datagram."""
COUNTS: Final = HEADER // _UINT32
"""Numbers in ``Memory.counts`` for each datagram."""
CONTROLLEN: Final = _Msghdr.controllen.offset // _POINTER
"""Which of a datagram's numbers in ``Memory.sizes`` is ``msg_controllen``."""
NAMELEN: Final = _Msghdr.namelen.offset // _UINT32
"""Which in ``Memory.counts`` is ``msg_namelen``."""
RECEIVED_LEN: Final = _Mmsghdr.len.offset // _UINT32
"""Which in ``Memory.counts`` is ``msg_len``, the octets that were received."""
IOVECS: Final = ctypes.sizeof(_Iovec) // _POINTER
"""Numbers in ``Memory.lengths`` for each datagram."""
LEN: Final = _Iovec.len.offset // _POINTER
"""Which in ``Memory.lengths`` is ``iov_len``."""


class Memory:
    """Room for ``count`` datagrams with addresses and ancillary data, which stand behind each other.

    Attributes:
        data: payloads, :data:`MAX_DATAGRAM` octets for each.
        peers: socket address and ancillary data of each.
        messages: what the kernel is handed.
        headers: the octets of ``messages``.
        sizes: the same octets as numbers of the size of a pointer, so ``sizes[number * SIZES + CONTROLLEN]``.
        counts: the same as 32-bit numbers.
        lengths: the lengths of the payloads, ``lengths[number * IOVECS + LEN]``.
    """

    def __init__(self, count: int) -> None:
        data, peers = bytearray(count * MAX_DATAGRAM), bytearray(count * PEER)
        vectors, headers = bytearray(count * ctypes.sizeof(_Iovec)), bytearray(count * HEADER)
        iovecs, self.messages = (_Iovec * count).from_buffer(vectors), (_Mmsghdr * count).from_buffer(headers)
        at = [ctypes.addressof(ctypes.c_char.from_buffer(one)) for one in (data, peers)]
        for number in range(count):
            iovec, header = iovecs[number], self.messages[number].hdr
            iovec.base, iovec.len = at[0] + number * MAX_DATAGRAM, MAX_DATAGRAM
            header.name, header.namelen = at[1] + number * PEER, NAME
            header.iov, header.iovlen = ctypes.pointer(iovec), 1
            header.control, header.controllen = at[1] + number * PEER + NAME, _CONTROL
        self.data, self.peers, self.headers = memoryview(data), memoryview(peers), memoryview(headers)
        self.sizes, self.counts = self.headers.cast("L"), self.headers.cast("I")
        self.lengths = memoryview(vectors).cast("L")
