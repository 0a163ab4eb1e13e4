"""A range of a file on its way into a connection: what the kernel is given, and what the client has taken."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios
from typing import Final

from twisted.internet.error import ConnectionAborted

from provd.net.http_body import ShortBodyError

PIECE: Final = 1024 * 1024
"""Octets that are looked for in memory, and given to the kernel, in one turn.

A connection that may fill its whole buffer in one turn leaves the kernel megabytes to send after it; those leave on the
client's acknowledgements and the processor of the server stands still meanwhile.
"""
_INT: Final = struct.Struct("i")
_UNKNOWN: Final = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})


def in_memory(file: int, octet: int) -> bool:
    """Whether reading there needs no disk (preadv2(2), RWF_NOWAIT); where that cannot be asked, it is taken for so.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        os.preadv(file, (bytearray(1),), octet, os.RWF_NOWAIT)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _UNKNOWN:
            return True
        raise
    return True


class Transfer:
    """One file's range on its way into one connection.

    Args:
        connection: descriptor of the socket; nobody else writes to it meanwhile.
        file: open descriptor. Both are duplicated by :meth:`hold`, and closed by :meth:`close`.
        at: first octet.
        warm: octets up to here are in memory.
        stop: first octet that is not sent.
        stall_s: seconds in which the client has to take something.

    Attributes:
        at: first octet that was not given to the kernel.
        moved_at: monotonic seconds of the last progress.
        given_up: nobody waits for it any more.
    """

    __slots__ = ("_held", "_queued", "at", "connection", "file", "given_up", "moved_at", "stall_s", "stop", "warm")

    def __init__(self, connection: int, file: int, at: int, warm: int, stop: int, stall_s: float) -> None:
        self.connection, self.file = connection, file
        self.at, self.warm, self.stop, self.stall_s = at, warm, stop, stall_s
        self.moved_at = 0.0
        self._queued = 0
        self.given_up = self._held = False

    def write(self) -> None:
        """Give the kernel what it takes of the piece that is in memory.

        Raises:
            ConnectionAborted: the client went away.
            ShortBodyError: the file became shorter.
        """
        try:
            sent = os.sendfile(self.connection, self.file, self.at, self.warm - self.at)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            raise ConnectionAborted(error.strerror) from error
        if not sent:
            raise ShortBodyError(f"the file ends at octet {self.at}, {self.stop} were announced")
        self.at += sent

    def extend(self) -> bool:
        """Whether there is more to write: of this piece, or of a next one that is in memory."""
        if self.at < self.warm:
            return True
        high = min(self.at + PIECE, self.stop)
        if self.at >= self.stop or not in_memory(self.file, high - 1):
            return False
        self.warm = high
        return True

    def taken(self) -> bool:
        """Whether the client took something since this was last asked.

        The kernel asks for more only when a third of its buffer has left, which is megabytes on a way that was quick
        at first; what is left there (tcp(7), SIOCOUTQ) tells of less.
        """
        before = self._queued
        try:
            (self._queued,) = _INT.unpack(fcntl.ioctl(self.connection, termios.TIOCOUTQ, bytes(_INT.size)))
        except OSError:
            return False
        return self._queued < before

    def hold(self) -> None:
        """Keep both descriptors open, whatever becomes of the connection.

        Raises:
            OSError: no descriptor is left.
        """
        connection = os.dup(self.connection)
        try:
            self.file = os.dup(self.file)
        except OSError:
            os.close(connection)
            raise
        self.connection, self._held = connection, True

    def close(self) -> None:
        """Close what :meth:`hold` opened."""
        if self._held:
            self._held = False
            os.close(self.connection)
            os.close(self.file)
