"""Many datagrams with one call: over loopback, in order, and one that cannot leave stops no other."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from provd.net.datagram_batch import (
    RECEIVED,
    SENT,
    DatagramBatch,
    from_interface,
    read_peer,
    read_pktinfo,
    to_address,
    to_hardware,
)
from provd.net.datagram_memory import MAX_DATAGRAM

HOME = 0x7F000001


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        for sock in (one, two):
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_IP, 8, 1)
        yield one, two


def test_everything_that_waits_comes_in_order_with_its_sender_and_our_address(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    one, two = sockets
    payloads = [bytes((number % 256,)) * (number + 1) for number in range(RECEIVED + 10)]
    for payload in payloads:
        two.sendto(payload, one.getsockname())
    batch = DatagramBatch(one.fileno())
    found = [*batch.receive(), *batch.receive()]
    assert [data for data, _ in found] == payloads
    assert {read_peer(peer) for _, peer in found} == {(HOME, HOME, HOME, two.getsockname()[1])}
    assert list(batch.receive()) == []


def test_a_queue_leaves_with_one_call_by_the_interface_and_address_that_were_named(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    one, two = sockets
    batch = DatagramBatch(one.fileno())
    source = from_interface(socket.if_nametoindex("lo"), 0x7F000005)
    for number in range(SENT):
        assert not batch.full
        batch.send(b"%d" % number, to_address(HOME, two.getsockname()[1]), source)
    assert batch.full
    with pytest.raises(BlockingIOError):
        two.recv(10)
    batch.flush()
    assert not batch.waiting
    got = [two.recvfrom(10) for _ in range(SENT)]
    assert [data for data, _ in got] == [b"%d" % number for number in range(SENT)]


def test_one_that_cannot_leave_is_noted_and_the_others_leave(sockets: tuple[socket.socket, socket.socket]) -> None:
    one, two = sockets
    batch = DatagramBatch(one.fileno())
    there = to_address(HOME, two.getsockname()[1])
    for name, control in ((there, b""), (there, from_interface(999_999, HOME)), (there, b"")):
        batch.send(b"x", name, control)
    batch.flush()
    assert [number for number, _ in batch.failed] == [1]
    assert batch.failed[0][1] in errno.errorcode
    assert [two.recv(10), two.recv(10)] == [b"x", b"x"]
    with pytest.raises(BlockingIOError):
        two.recv(10)


def test_the_next_use_of_a_place_has_nothing_of_the_last(sockets: tuple[socket.socket, socket.socket]) -> None:
    one, two = sockets
    batch = DatagramBatch(one.fileno())
    there = to_address(HOME, two.getsockname()[1])
    batch.send(b"a long one", there, from_interface(socket.if_nametoindex("lo"), HOME))
    batch.flush()
    batch.send(b"", there, b"")
    batch.flush()
    assert [two.recv(100), two.recv(100)] == [b"a long one", b""]


def test_a_datagram_that_is_too_long_is_refused_at_once(sockets: tuple[socket.socket, socket.socket]) -> None:
    batch = DatagramBatch(sockets[0].fileno())
    with pytest.raises(OSError, match="too long") as error:
        batch.send(b"x" * (MAX_DATAGRAM + 1), to_address(HOME, 1), b"")
    assert error.value.errno == errno.EMSGSIZE
    assert not batch.waiting


def test_ancillary_data_that_says_nothing_of_addresses() -> None:
    for control in (b"", b"\0" * 8, b"\xff" * 64, from_interface(1, HOME)[:20]):
        assert read_pktinfo(control) == (0, 0)


def test_a_link_layer_address_is_the_one_that_the_kernel_knows() -> None:
    name = to_hardware(2, bytes.fromhex("525400880011"))
    assert name == b"\x11\0\x08\0\2\0\0\0\0\0\0\6\x52\x54\0\x88\0\x11\0\0"
