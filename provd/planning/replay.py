"""Runs a recording against a provd in memory and tells where its answers would differ from those recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from provd.model.content import Content, FileRequest, NotFound, settled
from provd.model.lease import Lease
from provd.service.dhcp_ports import Arrival
from provd.service.recorder import outcome
from provd.testing.world import MemoryServer
from provd.wire.codes import MessageType
from provd.wire.dhcp import decode
from provd.wire.errors import WireError
from provd.wire.ipv4_udp import Datagram, read_packet
from provd.wire.options import decode_option, option_name
from provd.wire.packet import DhcpPacket
from provd.wire.pcapng import Frame
from provd.wire.tftp import Request
from provd.wire.tftp import decode as decode_tftp

_WAIT_S = 0.25
_TURNS = 60
"""Turns of ``_WAIT_S`` in which a reply that is held back (a probe, ``reply_delay_ms``) may leave."""
_PER_ANSWER = frozenset({51, 58, 59})
"""Times of a lease: what is left of it when a packet is repeated differs by itself."""
_CLIENT_ID = 61


@dataclass(slots=True)
class Exchange:
    """One packet of a machine with the answers it got.

    Attributes:
        at: seconds since the first packet.
        asked: the packet in words.
        datagram: as it arrived.
        frame: its record.
        kind: ``dhcp``, ``pxe`` or ``tftp``.
        replies: DHCP answers that were recorded.
        served: what a TFTP request got.
        differs: what would differ, one line each; filled by :func:`replay`.
    """

    at: float
    asked: str
    datagram: Datagram
    frame: Frame
    kind: str
    replies: list[bytes] = field(default_factory=list)
    served: str = ""
    differs: list[str] = field(default_factory=list)


def exchanges(frames: Sequence[Frame]) -> list[Exchange]:
    """A recording as questions and answers.

    Raises:
        WireError: a packet of it cannot be read; the sentence says which.
    """
    found: list[Exchange] = []
    for number, frame in enumerate(frames, 1):
        try:
            note: Any = json.loads(frame.note)
            datagram = read_packet(frame.packet)
            if frame.inbound:
                made = Exchange(frame.at - frames[0].at, "", datagram, frame, str(note["kind"]))
                made.asked, made.served = _words(made), str(note.get("answer", ""))
                found.append(made)
            else:
                decode(datagram.data)
                _answered(found, datagram.data)
        except (WireError, ValueError, KeyError, TypeError, LookupError) as error:
            raise WireError("recording", f"packet {number} cannot be read: {error}") from error
    return found


def _answered(found: Sequence[Exchange], reply: bytes) -> None:
    """Give a reply to the newest question with its transaction number (octets 4 to 8 of both).

    A recording may begin between the two: an answer whose question it has not is left out.
    """
    for one in reversed(found):
        if one.kind != "tftp" and one.datagram.data[4:8] == reply[4:8]:
            one.replies.append(reply)
            return


def _words(one: Exchange) -> str:
    if one.kind == "tftp":
        request = decode_tftp(one.datagram.data)
        if not isinstance(request, Request):
            raise WireError("TFTP", "a packet that is no request")
        return f"TFTP {request.filename}"
    packet = decode(one.datagram.data)
    where = f"through relay {IPv4Address(packet.giaddr)}" if packet.giaddr else f"on {one.frame.interface}"
    return f"{_type(packet)} of {packet.chaddr[:6].hex(':')} {where}"


def _type(packet: DhcpPacket) -> str:
    number = packet.options.get(53, b"\0")[0]
    return MessageType(number).name if number in list(MessageType) else f"message type {number}"


def server_address(found: Sequence[Exchange]) -> tuple[str, str]:
    """Provd's own address (dotted quad) and the interface, as the recording has them."""
    for one in found:
        if one.kind != "tftp":
            return str(json.loads(one.frame.place)["local"]), one.frame.interface
    raise WireError("recording", "has no DHCP packet of a machine")


def replay(server: MemoryServer, found: Sequence[Exchange]) -> list[Exchange]:
    """Every exchange whose answers would differ, with what differs.

    Args:
        server: a provd in memory with the configuration in question.
        found: the recording.
    """
    _remember(server, found)
    for one in found:
        server.clock.advance(max(0.0, one.at - server.clock.seconds()))
        if one.kind == "tftp":
            now = _served(server, one)
            one.differs += [f"got {one.served}, would get {now}"] if now != one.served else []
        else:
            one.differs += _compared(one.replies, _answers(server, one))
    return [one for one in found if one.differs]


def _remember(server: MemoryServer, found: Sequence[Exchange]) -> None:
    """The addresses that machines got are those they had before, so that the empty pool here gives them again."""
    leases: dict[int, Lease] = {}
    for one in found:
        for reply in (decode(data) for data in one.replies):
            subnet = server.services.whereabouts.subnet_of(str(IPv4Address(reply.yiaddr))) if reply.yiaddr else None
            if subnet is not None:
                client_id = decode(one.datagram.data).options.get(_CLIENT_ID, b"")
                mac = reply.chaddr[:6]
                leases[reply.yiaddr] = Lease(reply.yiaddr, subnet.name, mac, client_id, state="expired")
    server.services.dhcp.load(leases.values())


def _answers(server: MemoryServer, one: Exchange) -> list[bytes]:
    place = json.loads(one.frame.place)
    arrival = Arrival(
        interface=one.frame.interface,
        local=int(IPv4Address(place["local"])),
        source=one.datagram.source,
        source_port=one.datagram.source_port,
        unicast=one.datagram.destination != 0xFFFFFFFF,
        addresses=tuple(int(IPv4Address(text)) for text in place["addresses"]),
        mtu=int(place["mtu"]),
        pxe=one.kind == "pxe",
    )
    server.sent.clear()
    server.services.dhcp.handle(one.datagram.data, arrival)
    server.turn()
    for _ in range(_TURNS):
        if server.sent:
            break
        server.clock.advance(_WAIT_S)
        server.turn()
    return list(server.sent)


def _served(server: MemoryServer, one: Exchange) -> str:
    packet = decode_tftp(one.datagram.data)
    assert isinstance(packet, Request)  # noqa: S101  exchanges() has seen it
    peer, local = str(IPv4Address(one.datagram.source)), str(IPv4Address(one.datagram.destination))
    request = FileRequest("tftp", packet.filename, peer, local, dict(packet.options), local_port=one.datagram.port)
    answer = settled(server.services.files.open(request))
    if isinstance(answer, Content | NotFound):
        server.services.file_events.on_event("tftp.request", request, {})
        if isinstance(answer, Content) and answer.status < 400:
            server.services.file_events.on_event("tftp.sent", request, {"bytes": answer.length, "seconds": 0.0})
            if answer.on_sent is not None:
                answer.on_sent(answer.length)
    server.turn()
    return outcome(answer)


def _compared(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[str]:
    for number in range(max(len(old), len(new))):
        before = decode(old[number]) if number < len(old) else None
        after = decode(new[number]) if number < len(new) else None
        if before is None or after is None:
            yield f"answered with {_answer(before)}, would be answered with {_answer(after)}"
        else:
            yield from (f"{key}: {was} -> {now}" for key, was, now in _differences(before, after))


def _answer(packet: DhcpPacket | None) -> str:
    return "nothing" if packet is None else f"{_type(packet)} {IPv4Address(packet.yiaddr)}"


def _differences(before: DhcpPacket, after: DhcpPacket) -> Iterator[tuple[str, str, str]]:
    if _type(before) != _type(after):
        yield "answer", _answer(before), _answer(after)
        return
    for name, was, now in (
        ("address", before.yiaddr, after.yiaddr),
        ("next server", before.siaddr, after.siaddr),
    ):
        if was != now:
            yield name, str(IPv4Address(was)), str(IPv4Address(now))
    for name, text, other in (("file", before.file, after.file), ("server name", before.sname, after.sname)):
        if text != other:
            yield name, repr(_text(text)), repr(_text(other))
    for code in sorted((before.options.keys() | after.options.keys()) - _PER_ANSWER):
        was_octets, now_octets = before.options.get(code), after.options.get(code)
        if was_octets != now_octets:
            yield f"option {code} ({option_name(code)})", _value(code, was_octets), _value(code, now_octets)


def _text(octets: bytes) -> str:
    return octets.partition(b"\0")[0].decode("latin-1")


def _value(code: int, octets: bytes | None) -> str:
    if octets is None:
        return "(none)"
    try:
        return repr(decode_option(code, octets))
    except WireError:
        return octets.hex(":")
