"""Systems that could clash are found without looking at the others."""

from __future__ import annotations

from ipaddress import IPv4Address

from hypothesis import given, settings
from hypothesis import strategies as st

from provd.config.systems import clashes
from provd.core.system_claims import Claims
from provd.model.mac import Mac
from provd.model.system import Interface, System

CARDS = st.builds(
    lambda number, address: Interface(
        "eth0", Mac(bytes((2, 0, 0, 0, 0, number))), IPv4Address(0x0A000000 + address) if address else None
    ),
    st.integers(0, 4),
    st.integers(0, 4),
)
SYSTEMS = st.builds(
    System,
    name=st.sampled_from("abcd"),
    interfaces=st.lists(CARDS, max_size=2).map(tuple),
    uuid=st.sampled_from(["", "u1", "u2"]),
    client_id=st.sampled_from(["", "ab", "0x6162", "0xzz"]),
    circuit_id=st.sampled_from(["", "7", "0x37"]),
    remote_id=st.sampled_from(["", "s"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(SYSTEMS, max_size=8), SYSTEMS, st.data())
def test_rivals_are_exactly_those_that_clash(others: list[System], new: System, data: st.DataObject) -> None:
    claims = Claims()
    for system in others:
        claims.add(system)
    left = [system for system in others if not data.draw(st.booleans())]
    for system in others:
        if not any(system is one for one in left):
            claims.remove(system)
    rivals = {id(system) for system in claims.rivals(new)}
    for system in left:
        if any(clashes(new, system)):
            assert id(system) in rivals
    assert rivals <= {id(system) for system in left}


def test_a_system_among_thousands_is_compared_with_its_rivals_only() -> None:
    claims = Claims()
    for number in range(20_000):
        mac = Mac(b"\2\0" + number.to_bytes(4))
        claims.add(System(f"s{number}", interfaces=(Interface("eth0", mac, IPv4Address(0x0A000000 + number)),)))
    new = System("new", interfaces=(Interface("eth0", Mac(b"\2\0\0\0\0\7"), IPv4Address(0x0A000009)),))
    assert [system.name for system in claims.rivals(new)] == ["s7", "s9"]


def test_what_was_removed_leaves_nothing_behind() -> None:
    claims, system = Claims(), System("a", interfaces=(Interface("eth0", Mac(b"\2\0\0\0\0\1")),), uuid="u")
    claims.add(system)
    claims.remove(system)
    assert claims._holders == {}
