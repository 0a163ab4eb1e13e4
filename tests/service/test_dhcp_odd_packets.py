"""What a suite for DHCP servers tries beyond the rules' plain cases: odd fields, odd options."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from provd.model.subnet import Pool
from tests.fakes.dhcp_world import (
    DISCOVER,
    FOREIGN,
    MAC,
    OFFER,
    OTHER_MAC,
    RELAY,
    SERVER,
    DhcpWorld,
    ip,
    relayed_subnet,
    request,
)

ADDRESS = ip("10.88.0.100")
BROADCAST = 0xFFFFFFFF


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def raw(
    options: bytes,
    *,
    head: bytes = b"\x01\x01\x06\x00",
    sname: bytes = b"",
    file: bytes = b"",
    giaddr: int = 0,
    flags: int = 0,
    chaddr: bytes = MAC,
) -> bytes:
    """A message whose options are octets."""
    fields = head + b"\0\0\0\7" + b"\0\0" + flags.to_bytes(2) + bytes(12) + giaddr.to_bytes(4) + chaddr.ljust(16, b"\0")
    return fields + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + b"\x63\x82\x53\x63" + options


def sent_kinds(world: DhcpWorld, data: bytes, **arrival: object) -> list[int]:
    return [sent.kind for sent in world.ask(data, **arrival)]


# Header fields


@pytest.mark.parametrize(
    ("htype", "hlen", "to"),
    [
        (1, 6, ADDRESS),
        # Only Ethernet is reached without ARP; the others hear a broadcast (RFC 2131 section 4.1).
        (6, 6, BROADCAST),
        (24, 8, BROADCAST),
        (1, 16, BROADCAST),
        (0, 6, BROADCAST),
        (255, 1, BROADCAST),
    ],
)
def test_A04_D002_hardware_of_any_kind_is_answered_where_it_hears(
    world: DhcpWorld, htype: int, hlen: int, to: int
) -> None:
    data = raw(b"\x35\x01\x01\xff", head=bytes((1, htype, hlen, 0)), chaddr=b"0123456789abcdef")
    sent = world.answer(data)
    assert (sent.packet.htype, sent.packet.hlen, sent.packet.chaddr) == (htype, hlen, b"0123456789abcdef")
    assert sent.destination.address == to


def test_I01_hardware_types_are_apart(world: DhcpWorld) -> None:
    world = DhcpWorld(identity="client-id")
    kinds = [world.answer(raw(b"\x35\x01\x01\xff", head=bytes((1, htype, 6, 0)))).packet.yiaddr for htype in (1, 6)]
    assert kinds[0] != kinds[1]


@pytest.mark.parametrize("flags", [0x0001, 0x7FFF, 0x8001, 0xFFFF])
def test_D002_A03_bits_beside_the_broadcast_bit_are_copied_and_mean_nothing(world: DhcpWorld, flags: int) -> None:
    sent = world.answer(request(DISCOVER, flags=flags))
    assert sent.packet.flags == flags
    assert sent.destination.address == (BROADCAST if flags & 0x8000 else ADDRESS)


def test_D002_what_a_client_writes_into_the_servers_fields_is_not_repeated(world: DhcpWorld) -> None:
    data = bytearray(request(DISCOVER))
    data[16:24] = b"\x0a\x58\0\x6d\x01\x02\x03\x04"
    data[44:50], data[108:114] = b"server", b"a.file"
    packet = world.answer(bytes(data)).packet
    assert (packet.yiaddr, packet.siaddr, packet.sname, packet.file) == (ADDRESS, 0, b"", b"")


@pytest.mark.parametrize("giaddr", ["0.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1"])
def test_L08_a_giaddr_that_no_relay_has_is_not_answered_whatever_the_link_selection_says(
    world: DhcpWorld, giaddr: str
) -> None:
    link = bytes([5, 4]) + ip("10.88.1.0").to_bytes(4)
    assert world.ask(request(DISCOVER, giaddr=ip(giaddr), options={82: link}), unicast=True) == []
    assert world.service.counters.dropped["giaddr is no relay's"] == 1


@pytest.mark.parametrize("unicast", [True, False])
def test_L08_a_subnets_broadcast_address_is_no_relays(world: DhcpWorld, unicast: bool) -> None:
    """An answer would reach every host of it (RFC 1122 section 3.2.1.3)."""
    assert world.ask(request(DISCOVER, giaddr=ip("10.88.1.255")), unicast=unicast) == []
    assert world.service.counters.dropped["giaddr is no relay's"] == 1


def test_L08_the_higher_of_two_addresses_is_a_relays(world: DhcpWorld) -> None:
    """RFC 3021 section 2.1: a link of two has no broadcast address."""
    pair = IPv4Network("10.88.9.0/31")
    world.subnets = (*world.subnets, replace(relayed_subnet(), name="pair", network=pair, pool=Pool(pair[0], pair[0])))
    world.service.reconfigure(world.subnets, own=(SERVER,))
    assert world.answer(request(DISCOVER, giaddr=ip("10.88.9.1")), unicast=True).kind == OFFER


@pytest.mark.parametrize(("length", "said"), [(30, "10.88.9.3"), (31, None), (32, None)])
def test_D016_a_link_of_two_is_told_no_broadcast_address(world: DhcpWorld, length: int, said: str | None) -> None:
    """RFC 3021 section 2.1: it would be the router's own, which a client that takes it cannot reach any more."""
    network = IPv4Network(("10.88.9.0", length))
    first = network[0 if length > 30 else 2]
    small = replace(relayed_subnet(), name="small", network=network, pool=Pool(first, first), routers=())
    world.subnets = (*world.subnets, replace(small, relays=(IPv4Address("10.9.9.9"),)))
    world.service.reconfigure(world.subnets, own=(SERVER,))
    options = world.answer(request(DISCOVER, giaddr=ip("10.9.9.9")), unicast=True).packet.options
    assert (options[1], options.get(28)) == (network.netmask.packed, IPv4Address(said).packed if said else None)


def test_A01_a_relayed_packet_that_was_broadcast_is_answered_through_the_relay(world: DhcpWorld) -> None:
    sent = world.answer(request(DISCOVER, giaddr=RELAY, flags=0x8000), unicast=False)
    assert (sent.destination.address, sent.destination.port, sent.packet.yiaddr) == (RELAY, 67, ip("10.88.1.100"))


def test_A02_a_discover_with_ciaddr_is_answered_there(world: DhcpWorld) -> None:
    world.dora()
    sent = world.answer(request(DISCOVER, ciaddr=ADDRESS, flags=0x8000))
    assert (sent.kind, sent.destination.address, sent.packet.ciaddr) == (OFFER, ADDRESS, 0)


@pytest.mark.parametrize("secs", [0, 1, 255, 0xFFFF])
def test_O09_secs_of_any_size(world: DhcpWorld, secs: int) -> None:
    sent = world.answer(request(DISCOVER, secs=secs))
    assert (sent.packet.yiaddr, sent.packet.secs) == (ADDRESS, 0)


# Options


@pytest.mark.parametrize("code", [50, 51, 54, 55, 57, 60, 61, 77, 81, 82, 93, 94, 97, 118, 119, 121, 175])
def test_D016_options_without_a_value_are_no_reason_to_be_silent(world: DhcpWorld, code: int) -> None:
    sent = world.answer(request(DISCOVER, options={code: b""}))
    assert (sent.kind, sent.packet.yiaddr) == (OFFER, ADDRESS)
    assert {1, 3, 6, 51, 53, 54} <= set(sent.packet.options)
    assert world.service.counters.errors == 0


@pytest.mark.parametrize("wanted", [b"", b"\0", b"\xff", bytes(255), bytes(range(256)), b"\1\1\1\3\3\1"])
def test_D014_D016_request_lists_of_any_kind(world: DhcpWorld, wanted: bytes) -> None:
    options = world.answer(request(DISCOVER, options={55: wanted})).packet.options
    assert {1, 3, 6, 51, 53, 54} <= set(options)
    assert all(options.values())


@pytest.mark.parametrize("size", [b"", b"\0", b"\0\0", b"\0\x01", b"\x02\x3f", b"\xff\xff", bytes(3)])
def test_D008_sizes_that_are_tiny_or_malformed_count_as_576(world: DhcpWorld, size: bytes) -> None:
    world.configure(options={str(code): "x" * 200 for code in range(224, 234)})
    assert len(world.answer(request(DISCOVER, options={57: size})).data) <= (1472 if size == b"\xff\xff" else 548)


def test_D005_the_message_type_may_stand_in_an_overloaded_field(world: DhcpWorld) -> None:
    assert world.answer(raw(b"\x34\x01\x01\xff", file=b"\x35\x01\x01\xff")).kind == OFFER
    assert world.answer(raw(b"\x34\x01\x02\xff", sname=b"\x35\x01\x01\xff")).kind == OFFER


@pytest.mark.parametrize(
    "options",
    [
        b"\x35\x01\x01\x34\x01\x00\xff",
        b"\x35\x01\x01\x34\x01\x04\xff",
        b"\x35\x01\x01\x34\x02\x01\x01\xff",
        b"\x35\x01\x01\x34\x00\xff",
    ],
)
def test_D005_an_overload_that_is_none_leaves_the_fields_alone(world: DhcpWorld, options: bytes) -> None:
    assert world.answer(raw(options, sname=b"\x0c\xff", file=b"\x0c\xff")).kind == OFFER


def test_D005_an_overloaded_field_may_say_nothing_and_may_lack_its_end(world: DhcpWorld) -> None:
    assert world.answer(raw(b"\x35\x01\x01\x34\x01\x03\xff")).kind == OFFER
    assert world.answer(raw(b"\x35\x01\x01\x34\x01\x01\xff", file=b"\x0c\x7e" + b"a" * 126)).kind == OFFER


def test_D006_D007_an_option_that_came_in_parts_is_one_and_leaves_in_parts(world: DhcpWorld) -> None:
    name = b"\xff" + b"a" * 259
    parts = b"".join(bytes((61, len(part))) + part for part in (name[:100], name[100:101], name[101:]))
    sent = world.answer(raw(b"\x35\x01\x01" + parts + b"\xff"))
    assert (sent.kind, sent.packet.options[61]) == (OFFER, name)
    # RFC 3396 section 6: what does not fit into one instance leaves in several.
    assert bytes((61, 255)) + name[:255] + bytes((61, 5)) + name[255:] in sent.data
    assert {1, 3, 6, 51, 53, 54} <= set(sent.packet.options)


@pytest.mark.parametrize(
    "options", [b"\x35\x01\x01", b"\0\0\x35\0\xff", b"\x35\x01\x01\0\0\0", b"\x35\x01\x01\xff\x0c\xff"]
)
def test_D004_padding_and_the_end_in_odd_places(world: DhcpWorld, options: bytes) -> None:
    expected = [] if b"\x35\0" in options else [OFFER]
    assert sent_kinds(world, raw(options)) == expected


def test_D011_two_message_types_are_none(world: DhcpWorld) -> None:
    assert world.ask(raw(b"\x35\x01\x01\x35\x01\x03\xff")) == []
    assert world.service.counters.dropped["malformed"] == 1


@pytest.mark.parametrize(
    "information", [b"\x01", b"\x01\x05ab", b"\xff\xff", bytes(255), b"\x05\x03\1\2\3", b"\x0b\x00"]
)
def test_L01_L05_a_relays_option_of_any_form_is_echoed(world: DhcpWorld, information: bytes) -> None:
    sent = world.answer(request(DISCOVER, giaddr=RELAY, options={82: information}), unicast=True)
    assert sent.packet.options[82] == information
    assert sent.packet.yiaddr == ip("10.88.1.100")


@pytest.mark.parametrize(
    ("wish", "given"),
    [(b"\0\0\0\0", 60), (b"\0\0\0\1", 60), (b"\xff\xff\xff\xff", 86400), (b"\0\0", 3600), (b"\0\0\x0e\x11", 3601)],
)
def test_O07_O08_lease_times_of_any_size(world: DhcpWorld, wish: bytes, given: int) -> None:
    options = world.answer(request(DISCOVER, options={51: wish})).packet.options
    lease, t1, t2 = (int.from_bytes(options[code]) for code in (51, 58, 59))
    assert lease == given
    assert 0 < t1 < t2 < lease


def test_O02_a_discover_with_a_server_identifier_is_a_discover(world: DhcpWorld) -> None:
    assert world.answer(request(DISCOVER, server=FOREIGN)).kind == OFFER


@pytest.mark.parametrize(
    "wanted", ["10.88.0.0", "10.88.0.255", "10.88.0.1", "10.88.0.254", "10.88.0.50", "10.99.0.5", "255.255.255.255"]
)
def test_O01_an_address_that_cannot_be_given_is_no_reason_to_be_silent(world: DhcpWorld, wanted: str) -> None:
    assert world.answer(request(DISCOVER, wanted=ip(wanted))).packet.yiaddr == ADDRESS


@pytest.mark.parametrize("client_id", [b"\0", b"\0\0", b"\0name", b"\xff", b"\x01" + OTHER_MAC])
def test_I03_I05_client_ids_of_type_0_and_of_another_card_are_echoed(world: DhcpWorld, client_id: bytes) -> None:
    ack = world.dora(options={61: client_id})
    assert ack.packet.options[61] == client_id
