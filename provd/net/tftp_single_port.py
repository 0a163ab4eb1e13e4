"""TFTP with one port for everything: for networks whose firewalls know port 69 and no other (rule T01).

RFC 1350 section 4 has the server answer from a port of its own for each transfer. Here it answers from the port that
was asked, and a transfer is known by its client's address and port, and by the address that was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.interfaces import IReactorFDSet

from provd.net.tftp_lane import Ahead
from provd.net.tftp_poller import TftpPoller
from provd.net.tftp_socket import (
    Address,
    Endpoint,
    Received,
    RequestReceived,
    RequestSocket,
    TransferEndpoint,
    request_port,
)
from provd.wire import tftp

_EVERY: Final = "0.0.0.0"  # noqa: S104  the name of all addresses, nothing is bound to it here
_REQUESTS: Final = frozenset({bytes((0, tftp.RRQ)), bytes((0, tftp.WRQ))})


class SinglePortNetwork:
    """Implements :class:`provd.net.tftp_socket.Network`.

    Args:
        reactor: watches the ports.
    """

    def __init__(self, reactor: IReactorFDSet) -> None:
        self._poller = TftpPoller(reactor)
        self._listeners: dict[str, _Listener] = {}

    def listen(self, local: str, port: int, received: RequestReceived) -> Endpoint:
        """See ``Network.listen``."""
        listener = _Listener(self._poller, local, port, received)
        self._listeners[local] = listener
        return listener

    def open(self, local: str, peer: Address, received: Received) -> TransferEndpoint:
        """The transfer's share of the port that was asked.

        Raises:
            OSError: that port is closed.
        """
        listener = self._listeners.get(local) or self._listeners.get(_EVERY)
        if listener is None or listener.closed:
            raise OSError(f"no port of {local} is open")
        return _Share(listener, local, peer, received)


class _Listener:
    """One port: requests for the server, everything else for the transfer it belongs to."""

    def __init__(self, poller: TftpPoller, local: str, port: int, received: RequestReceived) -> None:
        self.shares: dict[tuple[Address, str], Received] = {}
        self.closed = False
        self._requests = received
        self.socket = RequestSocket(poller, request_port(local, port), self._received)

    @property
    def address(self) -> Address:
        return self.socket.address

    def send(self, data: bytes, to: Address) -> None:
        self.socket.send(data, to)

    def send_all(self, datagrams: Sequence[bytes], to: Address) -> None:
        self.socket.send_all(datagrams, to)

    def close(self) -> None:
        self.closed = True
        self.socket.close()

    def _received(self, data: bytes, peer: Address, local: str) -> None:
        share = None if data[:2] in _REQUESTS else self.shares.get((peer, local))
        if share is not None:
            share(data, peer)
        else:
            self._requests(data, peer, local)


class _Share:
    """One transfer on the common port."""

    def __init__(self, listener: _Listener, local: str, peer: Address, received: Received) -> None:
        self._listener, self._local, self._key = listener, local, (peer, local)
        self._received = received
        listener.shares[self._key] = received

    @property
    def address(self) -> Address:
        return self._local, self._listener.address[1]

    def send(self, data: bytes, to: Address) -> None:
        if not self._listener.closed:
            self._listener.socket.send_from(self._local, (data,), to)

    def send_all(self, datagrams: Sequence[bytes], to: Address) -> None:
        if not self._listener.closed:
            self._listener.socket.send_from(self._local, datagrams, to)

    def hasten(self, _peer: Address, _steps: Ahead, _seconds: Callable[[], float], _size: int) -> bool:
        return False

    def close(self) -> None:
        shares = self._listener.shares
        # A client that began anew from its port has the next transfer's entry here by now.
        if shares.get(self._key) is self._received:
            del shares[self._key]
