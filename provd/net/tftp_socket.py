"""UDP sockets for TFTP: one that knows which address was asked, and one with a fresh port for each transfer.

Twisted's own UDP port has no recvmsg and costs several calls per datagram, so these are read descriptors of their own.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Final, Protocol, cast

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

Address = tuple[str, int]
Received = Callable[[bytes, Address], None]
RequestReceived = Callable[[bytes, Address, str], None]

_PKTINFO: Final = struct.Struct("=i4s4s")
_IP_PKTINFO: Final = 8
_SO_RCVBUFFORCE: Final = 33
_REQUEST_BUFFER: Final = 4 << 20
_REQUESTS_PER_WAKE: Final = 64
_MAX_REQUEST: Final = 2048
_MAX_ANSWER: Final = 1024
_UDP_SEGMENT: Final = 103
_SEGMENT: Final = struct.Struct("=H")
_MOST_SEGMENTS: Final = 64
"""Of one call: the kernel's UDP_MAX_SEGMENTS before Linux 6.0."""
_MOST_OCTETS: Final = 65_507
"""Of one call: the largest datagram of IPv4, 65,535 less 20 IP and 8 UDP."""
_NO_SEGMENTS: Final = frozenset({errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.ENOPROTOOPT, errno.EOPNOTSUPP})


class Endpoint(Protocol):
    """A bound UDP socket."""

    @property
    def address(self) -> Address:
        """Address and port it is bound to."""

    def send(self, data: bytes, to: Address) -> None:
        """Send one datagram; one that cannot leave is lost, as datagrams are."""

    def send_all(self, datagrams: Sequence[bytes], to: Address) -> None:
        """Send several in order, all of one size but the last, which may be shorter."""

    def close(self) -> None:
        """Free the port; nothing is received any more."""


class Network(Protocol):
    """Opens sockets; tests hand in another one."""

    def listen(self, local: str, port: int, received: RequestReceived) -> Endpoint:
        """Wait for requests on ``local``, 0.0.0.0 for all; ``received`` gets data, peer and the address that was asked.

        Raises:
            OSError: the address is not there or in use.
        """

    def open(self, local: str, received: Received) -> Endpoint:
        """A fresh port on ``local``.

        Raises:
            OSError: no socket or no port left.
        """


class UdpNetwork:
    """The real network."""

    def __init__(self, reactor: IReactorFDSet) -> None:
        """Take the reactor that watches the sockets."""
        self._reactor = reactor

    def listen(self, local: str, port: int, received: RequestReceived) -> Endpoint:
        """See ``Network.listen``."""
        sock = _bound(local, port)
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _REQUEST_BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _REQUEST_BUFFER)
        return _RequestSocket(self._reactor, sock, received)

    def open(self, local: str, received: Received) -> Endpoint:
        """See ``Network.open``."""
        return _TransferSocket(self._reactor, _bound(local, 0), received)


def _bound(local: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        sock.bind((local, port))
    except OSError:
        sock.close()
        raise
    return sock


class _UdpSocket:
    """What both sockets share: registration with the reactor, sending, closing."""

    def __init__(self, reactor: IReactorFDSet, sock: socket.socket) -> None:
        self._reactor = reactor
        self._socket = sock
        self._descriptor = sock.fileno()
        self._open = self._segments = True
        reactor.addReader(cast("IReadDescriptor", self))

    @property
    def address(self) -> Address:
        host, port = self._socket.getsockname()
        return host, port

    def send(self, data: bytes, to: Address) -> None:
        # A full buffer, no route, a firewall: the peer's silence and the retransmission timer say the same.
        try:
            self._socket.sendto(data, to)
        except OSError:
            return

    def send_all(self, datagrams: Sequence[bytes], to: Address) -> None:
        """A window leaves with one call where the system cuts it up itself (udp(7), UDP_SEGMENT)."""
        at, count = 0, len(datagrams)
        if count > 1 and self._segments:
            size = len(datagrams[0])
            most = min(_MOST_SEGMENTS, _MOST_OCTETS // size)
            ancillary = ((socket.IPPROTO_UDP, _UDP_SEGMENT, _SEGMENT.pack(size)),)
            while at < count and self._segments:
                batch = datagrams[at : at + most]
                try:
                    self._socket.sendmsg(batch, ancillary, 0, to)
                except OSError as error:
                    # Larger than the link's packets, or a system without it: one by one from here on. Other errors
                    # are losses, which the peer's silence tells of.
                    self._segments = error.errno not in _NO_SEGMENTS
                    if not self._segments:
                        break
                at += len(batch)
        for datagram in datagrams[at:]:
            self.send(datagram, to)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._reactor.removeReader(cast("IReadDescriptor", self))
            self._socket.close()

    def fileno(self) -> int:
        return self._descriptor if self._open else -1

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002, N802
        self.close()

    def logPrefix(self) -> str:  # noqa: N802
        return "tftp"


@implementer(IReadDescriptor)
class _TransferSocket(_UdpSocket):
    """One transfer's own port."""

    def __init__(self, reactor: IReactorFDSet, sock: socket.socket, received: Received) -> None:
        self._received = received
        self._recvfrom = sock.recvfrom
        super().__init__(reactor, sock)

    def doRead(self) -> None:  # noqa: N802
        # One datagram per wake: lock-step has never more than one, and asking again costs a system call.
        try:
            data, peer = self._recvfrom(_MAX_ANSWER)
        except OSError:
            return
        self._received(data, peer)


@implementer(IReadDescriptor)
class _RequestSocket(_UdpSocket):
    """The well-known port."""

    def __init__(self, reactor: IReactorFDSet, sock: socket.socket, received: RequestReceived) -> None:
        self._received = received
        super().__init__(reactor, sock)

    def doRead(self) -> None:  # noqa: N802
        for _ in range(_REQUESTS_PER_WAKE):
            try:
                data, ancillary, _, peer = self._socket.recvmsg(_MAX_REQUEST, socket.CMSG_SPACE(_PKTINFO.size))
            except OSError:
                return
            local = _asked_address(ancillary)
            if local:
                self._received(data, peer, local)
            if not self._open:
                return


def _asked_address(ancillary: list[tuple[int, int, bytes]]) -> str:
    """The address that was asked, empty for broadcast and multicast (rule T20; RFC 1123 section 4.2.3.5)."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
            _, local, destination = _PKTINFO.unpack(data[: _PKTINFO.size])
            return socket.inet_ntoa(destination) if destination == local else ""
    return ""
