"""A second socket for a long transfer, connected to its client: the answers that were made ahead leave through it.

On a connected socket the kernel looks for no route and Python makes no address of each datagram, which are a third of
what a block in lock-step costs. But it hears nobody else, and a stranger is to be told that this is not its transfer
(RFC 1350 section 4; rule T02). So the transfer's first socket stays open on the same port: the kernel gives the
client's datagrams to the connected one, everybody else's to the other.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from provd.core.tftp_ahead import Steps

AT_MOST: Final = struct.pack("@ll", 0, 1000)
"""Time limit of a wait for a datagram, or for room for one (socket(7), SO_RCVTIMEO and SO_SNDTIMEO): a millisecond."""
UDP_SEGMENT: Final = 103
MAX_ANSWER: Final = 400
"""Octets that are read of a datagram: an acknowledgement has 4, the rest is an error's text. Python takes more memory
from the system for each read of more than 512."""


class Ahead(Protocol):
    """What was made ahead; ``provd.core.tftp_transfer.ReadTransfer`` says what the attributes mean."""

    ahead: Steps
    moved_at: float
    moved_before: float


class Lane:
    """Takes the client's datagrams: answers those that were expected, and hands on the others.

    Args:
        sock: from :func:`connected`.
        steps: the transfer's.
        received: gets every datagram that is not the next expected acknowledgement.
        seconds: of the clock that the transfer goes by.
    """

    __slots__ = ("_ahead", "_received", "_seconds", "_socket", "_steps", "descriptor")

    def __init__(
        self, sock: socket.socket, steps: Ahead, received: Callable[[bytes], None], seconds: Callable[[], float]
    ) -> None:
        self._socket = sock
        self.descriptor = sock.fileno()
        self._steps, self._ahead = steps, steps.ahead
        self._received, self._seconds = received, seconds

    def read(self) -> bool:
        """Wait for a datagram, a millisecond at most, and deal with it; False where none came."""
        # One frame and no more calls than these: a rack's loaders and kernels come by here, block by block.
        try:
            data = os.read(self.descriptor, MAX_ANSWER)
        except OSError:
            return False
        ahead = self._ahead
        if not ahead or ahead[-1][0] != data:
            self._received(data)
            return self.descriptor >= 0
        try:
            os.write(self.descriptor, ahead[-1][1])
        except OSError:
            # A system that does not cut up what is joined, or an error of an earlier datagram: the longer way.
            self._received(data)
            return self.descriptor >= 0
        ahead.pop()
        steps = self._steps
        steps.moved_before, steps.moved_at = steps.moved_at, self._seconds()
        return True

    def close(self) -> None:
        """Free the socket."""
        self.descriptor = -1
        self._socket.close()


def connected(first: socket.socket, peer: tuple[str, int], size: int) -> socket.socket:
    """A socket on the port of another one that hears ``peer`` alone.

    Args:
        first: the other one.
        peer: address and port.
        size: octets of a datagram; what is larger is several of them, joined (udp(7), UDP_SEGMENT). 0: all are single.

    Raises:
        OSError: no descriptor is left, or the system cannot cut up what is joined.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        # Set on the first one only now: a port that is asked for with it may be one that another transfer has.
        for one in (first, sock):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, AT_MOST)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, AT_MOST)
        if size:
            sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        sock.bind(first.getsockname())
        sock.connect(peer)
        # Between the two calls strangers were heard, and the client's own repetitions: lost, as datagrams are.
        with suppress(OSError):
            while True:
                sock.recv(MAX_ANSWER, socket.MSG_DONTWAIT)
    except OSError:
        sock.close()
        raise
    return sock
