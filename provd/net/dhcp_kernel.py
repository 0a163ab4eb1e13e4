"""What the DHCP listener asks of the kernel: links with their addresses, and sockets bound to one link."""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from provd.net.datagram_batch import DatagramBatch
from provd.net.rawsocket import RawSender

_SIOCGIFCONF: Final = 0x8912
_SIOCGIFMTU: Final = 0x8921
_SIOCGIFINDEX: Final = 0x8933
_IFREQ: Final = 40 if struct.calcsize("P") == 8 else 32
_IFCONF_ENTRIES: Final = 4096
_IP_PKTINFO: Final = 8
_SO_RCVBUFFORCE: Final = 33
_RECEIVE_BUFFER: Final = 8 << 20
_LOOPBACK: Final = 127 << 24


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface.

    Attributes:
        name: as configured.
        index: changes when the interface is made anew.
        mtu: octets of the largest IP packet.
        addresses: IPv4 addresses as ints, the first one first.
        loopback: its addresses are the host's own.
    """

    name: str
    index: int
    mtu: int
    addresses: tuple[int, ...]
    loopback: bool = field(init=False)

    def __post_init__(self) -> None:
        """Look at the addresses once: every answer asks."""
        object.__setattr__(self, "loopback", any(one & 0xFF000000 == _LOOPBACK for one in self.addresses))


class RawOutput(Protocol):
    """Sends IP packets to a hardware address."""

    def send(self, interface: str, index: int, packet: bytes, mac: bytes, failed: Callable[[str], None]) -> None:
        """Send one packet, at once or on the next turn of the reactor; then ``failed`` tells why it could not leave.

        Raises:
            OSError: it cannot leave.
        """

    def hold(self) -> None:
        """What is sent from here on leaves with :meth:`flush`."""

    def flush(self) -> None:
        """Send what waits."""

    def close(self) -> None:
        """Free the socket."""


class Kernel(Protocol):
    """The kernel, or a fake one."""

    def link(self, name: str) -> Link | None:
        """The interface as it is now, None where there is none."""

    def udp(self, link: Link, port: int) -> socket.socket:
        """A UDP socket that hears and speaks on this link only.

        Raises:
            OSError: the port is taken or not allowed.
        """

    def batch(self, sock: socket.socket) -> DatagramBatch | None:
        """Calls for many datagrams at once on this socket, None where there are none."""

    def raw(self, soon: Callable[[Callable[[], None]], object]) -> RawOutput:
        """A sender to hardware addresses; ``soon`` calls a function on the next turn of the reactor.

        Raises:
            OSError: not allowed.
        """

    def close(self) -> None:
        """Free what looking at links takes; it is not asked again."""


class LinuxKernel:
    """The real one.

    Its probe is opened once: a process without a free descriptor must not take its interfaces for gone.
    """

    def __init__(self) -> None:
        self._probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def link(self, name: str) -> Link | None:
        """See ``Kernel.link``."""
        request = struct.pack("16s24x", name.encode())
        try:
            index = fcntl.ioctl(self._probe, _SIOCGIFINDEX, request)
            mtu = fcntl.ioctl(self._probe, _SIOCGIFMTU, request)
            addresses = _addresses(self._probe, name)
        except (OSError, ValueError):
            return None
        return Link(name, struct.unpack_from("=i", index, 16)[0], struct.unpack_from("=i", mtu, 16)[0], addresses)

    def close(self) -> None:
        """See ``Kernel.close``."""
        self._probe.close()

    def udp(self, link: Link, port: int) -> socket.socket:
        """See ``Kernel.udp``."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            # Several interfaces share the port, each with its own socket.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.name.encode() + b"\0")
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            try:
                sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
            except PermissionError:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            sock.bind(("0.0.0.0", port))  # noqa: S104  # broadcasts reach no other address; the device bounds it
        except OSError:
            sock.close()
            raise
        return sock

    def batch(self, sock: socket.socket) -> DatagramBatch | None:
        """See ``Kernel.batch``."""
        try:
            return DatagramBatch(sock.fileno())
        except OSError:
            return None

    def raw(self, soon: Callable[[Callable[[], None]], object]) -> RawOutput:
        """See ``Kernel.raw``."""
        return RawSender(soon)


def _addresses(probe: socket.socket, name: str) -> tuple[int, ...]:
    """IPv4 addresses of a link, second ones and labelled ones included (netdevice(7), SIOCGIFCONF)."""
    buffer = array.array("B", bytes(_IFREQ * _IFCONF_ENTRIES))
    at, size = buffer.buffer_info()
    answer = fcntl.ioctl(probe, _SIOCGIFCONF, struct.pack("iP", size, at))
    used = struct.unpack("iP", answer)[0]
    octets = buffer.tobytes()[:used]
    found: list[int] = []
    for start in range(0, used, _IFREQ):
        label = octets[start : start + 16].partition(b"\0")[0].decode("utf-8", "replace")
        if label.partition(":")[0] == name:
            found.append(int.from_bytes(octets[start + 20 : start + 24]))
    return tuple(found)
