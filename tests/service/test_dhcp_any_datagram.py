"""Any datagram leads to a reply, a counted refusal or a counted drop, never to an exception (security rows C13, C14)."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provd.service.binding_table import binding_row
from tests.fakes.dhcp_world import GOLDEN, MAC, DhcpWorld, a_system, captured, ip

NAMES = sorted(path.stem for path in GOLDEN.glob("*.bin") if not path.stem.startswith("tftp"))
CAPTURES = [captured(name) for name in NAMES]
INTERFACES = [("eth0", ip("10.88.0.1")), ("eth9", ip("192.0.2.1"))]


def accounted(world: DhcpWorld, data: bytes, *, unicast: bool, interface: tuple[str, int], source: int) -> None:
    """Hand in a datagram and check that it left a trace."""
    counters = world.service.counters
    before = counters.sent.total() + counters.dropped.total() + counters.retransmitted + counters.writes
    name, local = interface
    sent = world.ask(data, unicast=unicast, interface=name, local=local, addresses=(local,), source=source)
    after = counters.sent.total() + counters.dropped.total() + counters.retransmitted + counters.writes
    assert counters.errors == 0
    assert after > before
    assert len(sent) <= 1
    if sent:
        assert sent[0].interface == name
        assert len(sent[0].data) + 28 <= 1500


@pytest.fixture(scope="module")
def world() -> DhcpWorld:
    world = DhcpWorld()
    world.know(a_system(mac=MAC, address="10.88.0.20"))
    return world


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=600), unicast=st.booleans(), interface=st.sampled_from(INTERFACES))
def test_C13_any_octets_with_any_delivery_and_any_subnet(
    world: DhcpWorld, data: bytes, *, unicast: bool, interface: tuple[str, int]
) -> None:
    accounted(world, data, unicast=unicast, interface=interface, source=0)


options = st.dictionaries(
    st.sampled_from([12, 43, 50, 51, 53, 54, 55, 57, 60, 61, 77, 81, 82, 93, 94, 97, 118, 175, 200]),
    st.binary(max_size=40),
    max_size=8,
)
few_addresses = st.sampled_from([0, ip("10.88.0.100"), ip("10.88.0.1"), ip("10.88.1.1"), ip("10.88.0.20"), 0xFFFFFFFF])


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.integers(0, 15),
    values=options,
    ciaddr=few_addresses,
    giaddr=few_addresses,
    wanted=few_addresses,
    server=few_addresses,
    hlen=st.integers(0, 16),
    flags=st.sampled_from([0, 0x8000]),
    unicast=st.booleans(),
    interface=st.sampled_from(INTERFACES),
    source=few_addresses,
    step=st.floats(0, 4000),
)
def test_C13_any_message_that_decodes(
    world: DhcpWorld,
    kind: int,
    values: dict[int, bytes],
    ciaddr: int,
    giaddr: int,
    wanted: int,
    server: int,
    hlen: int,
    flags: int,
    interface: tuple[str, int],
    source: int,
    step: float,
    *,
    unicast: bool,
) -> None:
    world.pass_time(step)
    values = {code: value for code, value in values.items() if code != 53}
    values |= {53: bytes((kind,))} if kind else {}
    values |= {50: wanted.to_bytes(4)} if wanted else {}
    values |= {54: server.to_bytes(4)} if server else {}
    body = b"".join(bytes((code, len(value))) + value for code, value in values.items())
    header = bytes((1, 1, hlen, 0)) + b"\0\0\0\7" + b"\0\0" + flags.to_bytes(2) + ciaddr.to_bytes(4) + bytes(8)
    data = header + giaddr.to_bytes(4) + MAC.ljust(16, b"\0") + bytes(192) + b"\x63\x82\x53\x63" + body + b"\xff"
    accounted(world, data, unicast=unicast, interface=interface, source=source)


@settings(max_examples=300, deadline=None)
@given(
    capture=st.sampled_from(CAPTURES),
    at=st.integers(0, 599),
    octet=st.integers(0, 255),
    giaddr=few_addresses,
    arrival=st.fixed_dictionaries(
        {
            "unicast": st.booleans(),
            "source": few_addresses,
            "local": few_addresses,
            "addresses": st.lists(few_addresses, max_size=2).map(tuple),
            "interface": st.sampled_from(["eth0", "eth9", ""]),
            "mtu": st.sampled_from([68, 576, 1500, 65535]),
        }
    ),
)
def test_C13_without_any_subnet_every_packet_of_every_delivery_is_counted_once(
    capture: bytes, at: int, octet: int, giaddr: int, arrival: dict[str, Any]
) -> None:
    world = DhcpWorld()
    world.service.reconfigure((), own=())
    data = bytearray(capture)
    data[24:28] = giaddr.to_bytes(4)
    data[at % len(data)] = octet
    assert world.ask(bytes(data), **arrival) == []
    counters = world.service.counters
    assert (counters.errors, counters.dropped.total(), counters.sent.total()) == (0, 1, 0)


@settings(max_examples=200, deadline=None)
@given(
    name=st.binary(max_size=255),
    fqdn=st.binary(max_size=255),
    mac=st.binary(min_size=6, max_size=6).filter(any),
)
def test_C14_any_name_goes_through_the_whole_way_to_store_events_and_explain(
    name: bytes, fqdn: bytes, mac: bytes
) -> None:
    world = DhcpWorld()
    ack = world.dora(mac, options={12: name, 81: fqdn})
    assert world.service.counters.errors == 0
    (lease,) = world.store.rows.values()
    # RFC 1123 section 2.1, or nothing at all.
    assert re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.|$))*", lease.hostname)
    assert not lease.hostname.endswith(".")
    assert binding_row(lease, world.wall)["hostname"] == lease.hostname
    assert 12 not in ack.packet.options
    assert 81 not in ack.packet.options


@pytest.mark.parametrize("seed", range(4))
def test_mutated_captures(world: DhcpWorld, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(1500):
        data = bytearray(chance.choice(CAPTURES))
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        accounted(world, bytes(data), unicast=chance.random() < 0.5, interface=chance.choice(INTERFACES), source=0)
        world.sent.clear()
        world.director.heard.clear()


@pytest.mark.parametrize("name", [b"", b"-", b"\0", b"\xff" * 255, b"." * 63, b"a" * 255, b"..\0..", "ü".encode()])
def test_C14_hostile_host_names_go_through_the_whole_way(name: bytes) -> None:
    world = DhcpWorld()
    world.dora(options={12: name, 81: b"\0\0\0" + name})
    assert world.service.counters.errors == 0
    assert all(row.hostname.strip("-.") == row.hostname for row in world.store.rows.values())
