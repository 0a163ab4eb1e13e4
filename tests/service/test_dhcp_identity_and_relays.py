"""Client identity (I01 to I05, RFC 2131 section 4.2) and relays (L01 to L10, RFC 3046)."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.fakes.dhcp_world import (
    ACK,
    DISCOVER,
    MAC,
    NAK,
    OTHER_MAC,
    RELAY,
    REQUEST,
    SERVER,
    DhcpWorld,
    a_system,
    ip,
    request,
)

NONE: dict[int, bytes] = {}
HARDWARE = {61: b"\x01" + MAC}
DUID = {61: bytes.fromhex("ff00880011000100012c3d4e5f525400880011")}
OTHER_DUID = {61: bytes.fromhex("ff00880011000100019999999952540088ffff")}
IDENTITIES = {"none": NONE, "hardware": HARDWARE, "duid": DUID, "other-duid": OTHER_DUID}
INFORMATION = bytes.fromhex("0106") + b"labbr1" + bytes.fromhex("0203aabbcc")


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def test_I01_strict_identity_is_the_client_id_else_the_hardware_address() -> None:
    world = DhcpWorld(identity="client-id")
    given = {
        name: world.dora(options=options, xid=number).packet.yiaddr
        for number, (name, options) in enumerate(IDENTITIES.items())
    }
    assert len(set(given.values())) == 4
    assert world.dora(OTHER_MAC, options=DUID, xid=9).packet.yiaddr == given["duid"]


@pytest.mark.parametrize(("first", "second"), list(permutations(IDENTITIES, 2)))
def test_I01_auto_joins_the_identities_of_one_boot_of_an_unknown_machine(first: str, second: str) -> None:
    world = DhcpWorld()
    one = world.dora(options=IDENTITIES[first], xid=1).packet.yiaddr
    two = world.dora(options=IDENTITIES[second], xid=2).packet.yiaddr
    apart = {first, second} == {"duid", "other-duid"}
    assert (one != two) is apart


@pytest.mark.parametrize(("first", "second"), list(permutations(IDENTITIES, 2)))
@pytest.mark.parametrize("reserved", ["", "10.88.0.20"])
def test_I04_a_known_system_is_its_hardware_address_whatever_option_61_says(
    first: str, second: str, reserved: str
) -> None:
    world = DhcpWorld()
    world.know(a_system(address=reserved))
    one = world.dora(options=IDENTITIES[first], xid=1).packet.yiaddr
    assert world.dora(options=IDENTITIES[second], xid=2).packet.yiaddr == one
    assert one == ip(reserved or "10.88.0.100")


def test_I01_auto_remembers_which_client_id_is_whose_after_a_restart(world: DhcpWorld) -> None:
    one = world.dora(options=DUID, xid=1).packet.yiaddr
    two = world.dora(options=OTHER_DUID, xid=2).packet.yiaddr
    world.restart()
    assert world.dora(options=OTHER_DUID, xid=3).packet.yiaddr == two
    assert world.dora(options=DUID, xid=4).packet.yiaddr == one
    assert world.dora(options=NONE, xid=5).packet.yiaddr == one


def test_I01_a_second_client_id_keeps_its_address_after_the_first_ones_is_gone(world: DhcpWorld) -> None:
    world.dora(options=DUID, xid=1)
    world.pass_time(1800)
    two = world.dora(options=OTHER_DUID, xid=2).packet.yiaddr
    world.pass_time(1900)
    world.dora(OTHER_MAC, options={50: ip("10.88.0.100").to_bytes(4)}, xid=3)
    assert world.dora(options=OTHER_DUID, xid=4).packet.yiaddr == two


def test_I02_a_client_id_is_opaque(world: DhcpWorld) -> None:
    one = world.dora(options={61: b"\xff\x01\x02"}, xid=1).packet.yiaddr
    assert world.dora(options={61: b"\xff\x01\x03"}, xid=2).packet.yiaddr != one


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # One DUID, two interfaces (RFC 4361 section 6.1): two clients, whatever the octets mean.
        (b"\xff\0\0\0\1\0\1" + bytes(12), b"\xff\0\0\0\2\0\1" + bytes(12)),
        (b"\0client", b"\0Client"),
        (b"\0client", b"\0client\0"),
        (b"\x01" + MAC, b"\x06" + MAC),
        (b"\0" + b"x" * 200, b"\0" + b"x" * 199 + b"y"),
    ],
)
def test_I02_client_ids_that_differ_in_any_octet_are_two_clients(one: bytes, other: bytes) -> None:
    world = DhcpWorld(identity="client-id")
    # The hardware address is no part of the identity (RFC 2131 section 4.2).
    given = [world.dora(mac, options={61: name}).packet.yiaddr for name in (one, other) for mac in (MAC, OTHER_MAC)]
    assert (given[0], given[2]) == (given[1], given[3])
    assert given[0] != given[2]


@pytest.mark.parametrize("client_id", [HARDWARE[61], DUID[61], b"\x01", b"x" * 255])
def test_I03_option_61_is_echoed_in_offer_ack_and_nak(world: DhcpWorld, client_id: bytes) -> None:
    options = {61: client_id}
    ack = world.dora(options=options)
    nak = world.answer(request(REQUEST, options=options, wanted=ip("10.88.0.105"), server=SERVER))
    assert nak.kind == NAK
    assert [sent.packet.options[61] for sent in (*world.sent[:1], ack, nak)] == [client_id] * 3


def test_I03_no_option_61_where_the_client_sent_none(world: DhcpWorld) -> None:
    world.dora()
    world.answer(request(REQUEST, wanted=ip("10.88.0.105")))
    assert all(61 not in sent.packet.options for sent in world.sent)


def test_I04_a_system_is_found_by_its_uuid_after_its_card_was_exchanged(world: DhcpWorld) -> None:
    world.know(a_system(address="10.88.0.20", uuid="88880000-0000-4000-8000-525400880011"))
    uuid = {97: bytes.fromhex("0000008888000000408000525400880011")}
    assert world.dora(OTHER_MAC, options=uuid).packet.yiaddr == ip("10.88.0.20")


def test_I05_an_empty_or_short_client_id_is_no_identity(world: DhcpWorld) -> None:
    one = world.dora(options=NONE, xid=1).packet.yiaddr
    assert world.dora(options={61: b"\x07"}, xid=2).packet.yiaddr == one
    assert world.dora(OTHER_MAC, options={61: b"\x07"}, xid=3).packet.yiaddr != one


def test_row_41_two_interfaces_of_one_system_have_two_leases(world: DhcpWorld) -> None:
    system = a_system()
    cards = (*system.interfaces, *a_system(mac=OTHER_MAC).interfaces)
    world.know(type(system)("web1", interfaces=cards))
    assert world.dora(MAC).packet.yiaddr != world.dora(OTHER_MAC).packet.yiaddr
    assert {row.system for row in world.store.rows.values()} == {"web1"}


def relayed(kind: int, **more: object) -> bytes:
    return request(kind, giaddr=RELAY, options={82: INFORMATION}, **more)  # type: ignore[arg-type]


def test_L01_option_82_is_echoed_in_every_reply_byte_for_byte(world: DhcpWorld) -> None:
    ack = world.dora(giaddr=RELAY, options={82: INFORMATION})
    nak = world.answer(relayed(REQUEST, wanted=ip("10.88.1.105"), server=SERVER), unicast=True)
    assert nak.kind == NAK
    assert [sent.packet.options[82] for sent in (world.sent[0], ack, nak)] == [INFORMATION] * 3


def test_L01_a_malformed_option_82_is_echoed_as_well(world: DhcpWorld) -> None:
    data = request(DISCOVER, giaddr=RELAY, options={82: b"\x01\xff\x00"})
    assert world.answer(data, unicast=True).packet.options[82] == b"\x01\xff\x00"


def test_L02_option_82_stands_last_before_the_end(world: DhcpWorld) -> None:
    data = world.answer(relayed(DISCOVER), unicast=True).data
    assert data.rstrip(b"\0").endswith(bytes((82, len(INFORMATION))) + INFORMATION + b"\xff")


def test_L03_no_option_82_where_the_request_had_none(world: DhcpWorld) -> None:
    assert 82 not in world.answer(request(DISCOVER, giaddr=RELAY), unicast=True).packet.options


def test_L04_option_82_without_giaddr_chooses_no_subnet(world: DhcpWorld) -> None:
    information = bytes([5, 4]) + ip("10.88.1.0").to_bytes(4) + bytes([11, 4, 1, 2, 3, 4])
    sent = world.answer(request(DISCOVER, options={82: information}))
    assert (sent.packet.yiaddr, sent.packet.options[54]) == (ip("10.88.0.100"), SERVER.to_bytes(4))


def test_L05_what_the_relay_said_is_kept_with_the_lease(world: DhcpWorld) -> None:
    ack = world.dora(giaddr=RELAY, options={82: INFORMATION})
    client = world.director.heard[-1].request.client
    assert (client.relay.circuit_id, client.relay.remote_id) == (b"labbr1", bytes.fromhex("aabbcc"))
    assert world.store.rows[ack.packet.yiaddr].relay == f"0a580101:{INFORMATION.hex()}"


def test_L10_row_47_a_relay_that_says_nothing_of_itself_is_remembered_by_its_address(world: DhcpWorld) -> None:
    address = world.dora(giaddr=RELAY).packet.yiaddr
    assert world.store.rows[address].relay == "0a580101:"
    world.answer(request(REQUEST, ciaddr=address), unicast=True, source=address)
    assert world.director.heard[-1].request.client.relay.giaddr == RELAY
    assert world.store.rows[address].relay == "0a580101:"


def test_L06_link_selection_comes_before_giaddr(world: DhcpWorld) -> None:
    information = bytes([5, 4]) + ip("10.88.0.0").to_bytes(4)
    sent = world.answer(request(DISCOVER, giaddr=RELAY, options={82: information}), unicast=True)
    assert sent.packet.yiaddr == ip("10.88.0.100")


def test_row_43_the_subnet_is_that_of_giaddr(world: DhcpWorld) -> None:
    sent = world.answer(relayed(DISCOVER), unicast=True)
    assert sent.packet.yiaddr == ip("10.88.1.100")
    assert sent.packet.options[3] == RELAY.to_bytes(4)


def test_L08_an_unknown_relay_is_silent_and_counted(world: DhcpWorld) -> None:
    assert world.ask(request(DISCOVER, giaddr=ip("10.99.0.1")), unicast=True) == []
    assert world.service.counters.dropped["unknown relay"] == 1
    assert world.director.heard[-1].kind == "dhcp.dropped"


def test_L10_a_unicast_renewal_is_known_by_what_the_relay_said_before(world: DhcpWorld) -> None:
    ack = world.dora(giaddr=RELAY, options={82: INFORMATION})
    address = ack.packet.yiaddr
    sent = world.answer(request(REQUEST, ciaddr=address), unicast=True, source=address)
    assert (sent.kind, sent.destination.address) == (ACK, address)
    assert 82 not in sent.packet.options
    assert world.director.heard[-1].request.client.relay.circuit_id == b"labbr1"
    assert world.store.rows[address].relay.endswith(INFORMATION.hex())


def test_L10_a_renewal_with_a_foreign_hardware_address_learns_nothing(world: DhcpWorld) -> None:
    address = world.dora(giaddr=RELAY, options={82: INFORMATION}).packet.yiaddr
    world.ask(request(REQUEST, mac=OTHER_MAC, ciaddr=address), unicast=True, source=address)
    assert world.director.heard[-1].request.client.relay.circuit_id == b""
