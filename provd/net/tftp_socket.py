"""UDP sockets for TFTP: one that knows which address was asked, and one with a fresh port for each transfer.

Twisted's own UDP port has no recvmsg and costs several calls per datagram, so these are read descriptors of their own.
"""

from __future__ import annotations

import errno
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorFDSet

from provd.net.tftp_lane import AT_MOST, MAX_ANSWER, UDP_SEGMENT, Ahead, Lane, connected
from provd.net.tftp_poller import TftpPoller

Address = tuple[str, int]
Received = Callable[[bytes, Address], None]
RequestReceived = Callable[[bytes, Address, str], None]
Ancillary = tuple[tuple[int, int, bytes], ...]

_PKTINFO: Final = struct.Struct("=i4s4s")
_IP_PKTINFO: Final = 8
_SO_RCVBUFFORCE: Final = 33
_REQUEST_BUFFER: Final = 4 << 20
_REQUESTS_PER_WAKE: Final = 64
_MAX_REQUEST: Final = 2048
_SEGMENT: Final = struct.Struct("=H")
_MOST_SEGMENTS: Final = 64
"""Of one call: the kernel's UDP_MAX_SEGMENTS before Linux 6.0."""
_MOST_OCTETS: Final = 65_507
"""Of one call: the largest datagram of IPv4, 65,535 less 20 IP and 8 UDP."""
_MOST_LANES: Final = 512
"""Transfers with a second socket, so that descriptors are left for others."""
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


class TransferEndpoint(Endpoint, Protocol):
    """Where one transfer takes place."""

    def hasten(self, peer: Address, steps: Ahead, seconds: Callable[[], float], size: int) -> bool:
        """Answer ``peer`` from what was made ahead, at ``seconds`` of the transfer's clock; False where none is faster.

        To be called while the client waits for an answer. ``size`` is the octets of each of several datagrams that are
        joined, 0 where each answer is one.
        """


class Network(Protocol):
    """Opens sockets; tests hand in another one."""

    def listen(self, local: str, port: int, received: RequestReceived) -> Endpoint:
        """Wait for requests on ``local``, 0.0.0.0 for all; ``received`` gets data, peer and the address that was asked.

        Raises:
            OSError: the address is not there or in use.
        """

    def open(self, local: str, peer: Address, received: Received) -> TransferEndpoint:
        """Where a transfer with ``peer`` takes place: a fresh port on ``local``.

        Raises:
            OSError: no socket or no port left.
        """


class UdpNetwork:
    """The real network."""

    def __init__(self, reactor: IReactorFDSet) -> None:
        """Take the reactor that watches the sockets."""
        self._poller = TftpPoller(reactor)

    def listen(self, local: str, port: int, received: RequestReceived) -> Endpoint:
        """See ``Network.listen``."""
        return RequestSocket(self._poller, request_port(local, port), received)

    def open(self, local: str, peer: Address, received: Received) -> TransferEndpoint:  # noqa: ARG002  any may send
        """See ``Network.open``."""
        return _TransferSocket(self._poller, _bound(local, 0), received)


def request_port(local: str, port: int) -> socket.socket:
    """A socket that tells which address was asked, with room for the requests of a rack.

    Raises:
        OSError: the address is not there or in use.
    """
    sock = _bound(local, port)
    sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _REQUEST_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _REQUEST_BUFFER)
    return sock


def _bound(local: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        sock.bind((local, port))
    except OSError:
        sock.close()
        raise
    return sock


class UdpSocket(ABC):
    """What both sockets share: sending and closing."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._descriptor = sock.fileno()
        self._open = self._segments = True

    @property
    def address(self) -> Address:
        """Address and port it is bound to."""
        host, port = self._socket.getsockname()
        return host, port

    def send(self, data: bytes, to: Address) -> None:
        """See ``Endpoint.send``."""
        # A full buffer, no route, a firewall: the peer's silence and the retransmission timer say the same. Lock-step
        # transfers live by this call: it is cheaper than sendmsg.
        try:
            self._socket.sendto(data, to)
        except OSError:
            return

    def send_all(self, datagrams: Sequence[bytes], to: Address) -> None:
        """A window leaves with one call where the system cuts it up itself (udp(7), UDP_SEGMENT)."""
        self._send_all(datagrams, to, ())

    def _send_all(self, datagrams: Sequence[bytes], to: Address, source: Ancillary) -> None:
        at, count = 0, len(datagrams)
        if count > 1 and self._segments:
            size = len(datagrams[0])
            most = min(_MOST_SEGMENTS, _MOST_OCTETS // size)
            ancillary = ((socket.IPPROTO_UDP, UDP_SEGMENT, _SEGMENT.pack(size)), *source)
            while at < count and self._segments:
                batch = datagrams[at : at + most]
                try:
                    self._socket.sendmsg(batch, ancillary, 0, to)
                except BlockingIOError:
                    return  # nor is there room for the rest
                except OSError as error:
                    # Larger than the link's packets, or a system without it: one by one from here on. Other errors
                    # are losses, which the peer's silence tells of.
                    self._segments = error.errno not in _NO_SEGMENTS
                    if not self._segments:
                        break
                at += len(batch)
        for datagram in datagrams[at:]:
            try:
                self._socket.sendmsg((datagram,), source, 0, to)
            except BlockingIOError:
                return
            except OSError:
                continue

    def close(self) -> None:
        """See ``Endpoint.close``."""
        if self._open:
            self._open = False
            self._unwatch()
            self._socket.close()

    @abstractmethod
    def _unwatch(self) -> None:
        """Nobody is told of what arrives any more."""


class _TransferSocket(UdpSocket):
    """One transfer's own port."""

    def __init__(self, poller: TftpPoller, sock: socket.socket, received: Received) -> None:
        # Blocking with a time limit, so that the poller may wait for the one client there is.
        sock.settimeout(None)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, AT_MOST)
        # Where datagrams do not leave, a buffer that is full would hold up everybody until they do.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, AT_MOST)
        super().__init__(sock)
        self._poller = poller
        self._received = received
        self._recvfrom = sock.recvfrom
        self._lane: Lane | None = None
        poller.add_transfer(self._descriptor, self)

    def read(self) -> bool:
        """Wait for a datagram, a millisecond at most; False where none came or the next will come elsewhere."""
        try:
            data, peer = self._recvfrom(MAX_ANSWER)
        except OSError:
            return False
        self._received(data, peer)
        return self._open and self._lane is None

    def hasten(self, peer: Address, steps: Ahead, seconds: Callable[[], float], size: int) -> bool:
        """See ``Endpoint.hasten``."""
        if self._poller.lanes >= _MOST_LANES:
            return False
        try:
            sock = connected(self._socket, peer, size)
        except OSError:
            return False
        self._lane = Lane(sock, steps, lambda data: self._received(data, peer), seconds)
        self._poller.add_lane(self._descriptor, self._lane.descriptor, self._lane)
        return True

    def _unwatch(self) -> None:
        self._poller.remove(self._descriptor)
        if self._lane is not None:
            self._lane.close()


class RequestSocket(UdpSocket):
    """The well-known port.

    Args:
        poller: watches it.
        sock: from :func:`request_port`.
        received: gets each datagram with its sender and the address that was asked.
    """

    def __init__(self, poller: TftpPoller, sock: socket.socket, received: RequestReceived) -> None:
        super().__init__(sock)
        self._received = received
        self._poller = poller
        poller.add(self._descriptor, self)

    def _unwatch(self) -> None:
        self._poller.remove(self._descriptor)

    def send_from(self, local: str, datagrams: Sequence[bytes], to: Address) -> None:
        """Send from one of this host's addresses."""
        source = _PKTINFO.pack(0, socket.inet_aton(local), bytes(4))
        self._send_all(datagrams, to, ((socket.IPPROTO_IP, _IP_PKTINFO, source),))

    def read(self) -> bool:
        """Take what waits, up to a bound that keeps the other listeners alive."""
        for _ in range(_REQUESTS_PER_WAKE):
            try:
                data, ancillary, _, peer = self._socket.recvmsg(_MAX_REQUEST, socket.CMSG_SPACE(_PKTINFO.size))
            except OSError:
                break
            local = _asked_address(ancillary)
            if local:
                self._received(data, peer, local)
            if not self._open:
                break
        return False


def _asked_address(ancillary: list[tuple[int, int, bytes]]) -> str:
    """The address that was asked, empty for broadcast and multicast (rule T20; RFC 1123 section 4.2.3.5)."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
            _, local, destination = _PKTINFO.unpack(data[: _PKTINFO.size])
            return socket.inet_ntoa(destination) if destination == local else ""
    return ""
