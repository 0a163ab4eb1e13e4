"""All systems as plugins see them."""

from __future__ import annotations

from ipaddress import IPv4Address

from provd.model.mac import Mac
from provd.model.system import InstallState, Interface, System
from provd.plugin.machines import Machine
from provd.service.machines import machines

CARDS = (Interface("eth0", Mac.parse("52:54:00:00:00:01")), Interface("eth1", Mac.parse("52:54:00:00:00:02")))


def test_a_machine_has_the_first_address_of_its_cards_and_its_state() -> None:
    system = System("web1", "web", CARDS, tags=("a",), groups=("b",), answers={"root_password_hash": "$6$x"})
    addresses = {CARDS[1].mac.octets: str(IPv4Address("10.0.0.9"))}
    states = {"web1": InstallState("installed", installed_at=5.0)}
    (found,) = machines([system], states.__getitem__, lambda mac: addresses.get(mac, ""))
    assert found == Machine(
        "web1", "web1", "web", ("52:54:00:00:00:01", "52:54:00:00:00:02"), "10.0.0.9", "installed", 5.0, ("a",), ("b",)
    )


def test_they_are_made_one_by_one() -> None:
    asked: list[str] = []

    def state_of(name: str) -> InstallState:
        asked.append(name)
        return InstallState()

    found = machines([System("a", interfaces=CARDS), System("b", interfaces=CARDS)], state_of, lambda _mac: "")
    assert asked == []
    assert (next(found).state, asked) == ("new", ["a"])
