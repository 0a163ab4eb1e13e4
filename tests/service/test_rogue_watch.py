"""The rogue watch: at start, by timer, on demand, and from what clients say (row 39)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from provd.core.client_facts import client_facts
from provd.core.rogue import HEARD, Peers, Sighting
from provd.model.dhcp import DhcpRequest
from provd.model.event import Event
from provd.service.rogue import RogueWatch
from provd.wire.dhcp import decode_request
from tests.fakes.dhcp_world import DISCOVER, REQUEST, SERVER, DhcpWorld, ip, request

OTHER = ip("10.88.0.254")
SEEN = Sighting("eth0", OTHER, bytes.fromhex("525400880099"), ip("10.88.0.50"))
PXE = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0"}


class World:
    """The watch with a network on paper."""

    def __init__(self, interval_s: float = 900.0, peers: Peers | None = None) -> None:
        self.clock = Clock()
        self.events: list[Event] = []
        self.rounds: list[tuple[str, ...]] = []
        self.servers: list[Sighting] = []
        self.stopped = False
        self.watch = RogueWatch(self, self.clock, self.wall, self.events.append, lambda: ("eth0", "eth1"))
        self.watch.configure(interval_s, 3.0, peers or Peers(own={SERVER}))

    def wall(self) -> float:
        return 1_700_000_000.0 + self.clock.seconds()

    def ask(
        self,
        interfaces: Sequence[str],
        wait_s: float,
        answered: Callable[[Sighting], object],
        done: Callable[[], None],
    ) -> tuple[str, ...]:
        self.rounds.append(tuple(interfaces))
        for sighting in self.servers:
            if sighting.interface in interfaces:
                answered(sighting)
        self.clock.callLater(wait_s, done)
        return tuple(interfaces)

    def stop(self) -> None:
        self.stopped = True


def test_row_39_it_looks_at_start_and_by_timer() -> None:
    world = World(interval_s=900.0)
    world.watch.start()
    world.clock.advance(0)
    assert world.rounds == [("eth0", "eth1")]
    world.clock.pump([450.0, 450.0, 900.0])
    assert len(world.rounds) == 3
    world.watch.stop()
    world.clock.advance(9000.0)
    assert len(world.rounds) == 3
    assert world.stopped


def test_row_39_a_surprise_is_one_event_with_all_that_is_known() -> None:
    world = World()
    world.servers = [SEEN]
    world.watch.start()
    world.clock.pump([0.0, 900.0, 900.0])
    (event,) = world.events
    assert (event.kind, event.mac) == ("dhcp.rogue", "52:54:00:88:00:99")
    assert event.fields == {
        "interface": "eth0",
        "server": "10.88.0.254",
        "offers": "10.88.0.50",
        "how": "addresses",
    }
    assert world.watch.as_dict() == {"servers": 1, "rogue": 1, "questions": 6, "sightings": 3, "rogues": 1}
    (problem,) = world.watch.problems()
    assert problem == (
        "interface eth0: another DHCP server, 10.88.0.254 (52:54:00:88:00:99), offers addresses such as 10.88.0.50; "
        "switch one of the two off, or name it in [rogue] allow"
    )


def test_row_39_a_known_peer_is_no_event() -> None:
    world = World(peers=Peers(own={SERVER}, allowed={OTHER}))
    world.servers = [SEEN]
    world.watch.start()
    world.clock.advance(0)
    assert (world.events, world.watch.problems()) == ([], [])
    assert world.watch.rows()[0]["verdict"] == "allowed"


def test_row_39_it_can_be_switched_off_and_on() -> None:
    world = World(interval_s=0.0)
    world.watch.start()
    world.clock.advance(9000.0)
    assert world.rounds == []
    world.watch.configure(60.0, 3.0, Peers())
    world.clock.advance(0)
    assert len(world.rounds) == 1
    world.watch.configure(0.0, 3.0, Peers())
    world.clock.advance(9000.0)
    assert len(world.rounds) == 1


def test_row_39_on_demand_it_waits_for_the_answers() -> None:
    world = World(interval_s=0.0)
    world.servers = [SEEN]
    told: list[object] = []
    Deferred.fromCoroutine(world.watch.check()).addCallback(told.append)
    assert told == []
    world.clock.advance(3.0)
    (found,) = told
    assert isinstance(found, dict)
    assert found["interfaces"] == ["eth0", "eth1"]
    (row,) = found["servers"]
    assert (row["server"], row["verdict"], row["last_at"]) == ("10.88.0.254", "rogue", 1_700_000_000.0)


def hear(world: World, giaddr: int = 0) -> None:
    """A client behind the real DHCP service takes the other server's offer."""
    dhcp = DhcpWorld()
    taken: list[tuple[DhcpRequest, int]] = []
    dhcp.foreign = lambda asked, server: taken.append((asked, server))
    dhcp.restart()
    dhcp.ask(request(REQUEST, wanted=ip("10.88.0.50"), server=OTHER, giaddr=giaddr), unicast=bool(giaddr))
    ((asked, server),) = taken
    world.watch.heard(asked, server)


def test_row_39_a_clients_request_names_the_other_server_and_starts_a_question() -> None:
    world = World(interval_s=0.0)
    hear(world)
    (event,) = world.events
    assert (event.mac, event.fields["how"], event.fields["server"]) == ("", HEARD, "10.88.0.254")
    assert world.rounds == [("eth0",)]
    assert "was chosen by a client" in world.watch.problems()[0]
    # The answer tells its hardware address; that is the same surprise.
    world.watch._saw(SEEN)
    assert len(world.events) == 1
    assert world.watch.rows()[0]["mac"] == "52:54:00:88:00:99"


def test_row_39_clients_cannot_make_it_ask_often() -> None:
    world = World(interval_s=0.0)
    for server in range(1, 50):
        world.watch.heard(replace(_asked(), interface="eth0"), server)
    assert len(world.rounds) == 1


def test_row_39_a_server_behind_a_relay_is_told_with_the_relay() -> None:
    world = World(interval_s=0.0)
    hear(world, giaddr=ip("10.88.1.1"))
    assert world.events[0].fields["relay"] == "10.88.1.1"
    assert world.rounds == []
    assert "behind relay 10.88.1.1" in world.watch.problems()[0]


def _asked() -> DhcpRequest:
    dhcp = DhcpWorld()
    taken: list[DhcpRequest] = []
    dhcp.foreign = lambda asked, _server: taken.append(asked)
    dhcp.restart()
    dhcp.ask(request(REQUEST, wanted=ip("10.88.0.50"), server=OTHER))
    return taken[0]


@pytest.mark.parametrize("mode", ["dhcp", "proxy"])
def test_row_39_another_provd_answers_the_question_and_begins_no_boot(mode: str) -> None:
    from provd.core.rogue import BOOT, questions, read_answer

    dhcp = DhcpWorld()
    dhcp.configure(mode=mode, **({"pool": None} if mode == "proxy" else {}))
    mac = bytes.fromhex("525400880002")
    plain, boots = questions(mac, 7)
    found = [read_answer(sent.data, 7, mac, "eth0", b"x") for data in (plain, boots) for sent in dhcp.ask(data)]
    expected = {"dhcp": ["addresses", "addresses"], "proxy": [BOOT]}
    assert [one.how for one in found if one is not None] == expected[mode]
    assert {one.server for one in found if one is not None} == {SERVER}
    assert dhcp.director.asked == []


def test_row_39_in_a_proxied_subnet_a_client_names_the_other_server_too() -> None:
    dhcp = DhcpWorld()
    taken: list[int] = []
    dhcp.foreign = lambda _asked, server: taken.append(server)
    dhcp.restart()
    dhcp.configure(mode="proxy", pool=None)
    dhcp.ask(request(REQUEST, options=PXE, wanted=ip("10.88.0.50"), server=OTHER))
    dhcp.ask(request(DISCOVER, options=PXE))
    assert taken == [OTHER]


def test_row_39_a_server_allowed_by_its_mac_is_asked_before_a_client_that_names_it_is_an_alarm() -> None:
    packet = decode_request(request(REQUEST, wanted=ip("10.88.0.50"), server=OTHER))
    heard = DhcpRequest(packet, client_facts(packet), "eth0", SERVER)
    for allowed, alarms in ((SEEN.mac, 0), (bytes(6), 1)):
        world = World(interval_s=0.0, peers=Peers(own={SERVER}, allowed_macs={allowed}))
        world.servers = [SEEN] if allowed == SEEN.mac else []
        world.watch.heard(heard, OTHER)
        world.watch.heard(heard, OTHER)
        assert world.events == []
        world.clock.advance(3)
        world.watch.heard(heard, OTHER)
        assert (len(world.events), world.rounds) == (alarms, [("eth0",)])


def test_row_39_a_known_server_that_becomes_a_surprise_is_one_event() -> None:
    world = World(peers=Peers(own={SERVER}, allowed={OTHER}))
    world.servers = [SEEN]
    world.watch.start()
    world.clock.advance(0)
    assert world.events == []
    world.watch.configure(900.0, 3.0, Peers(own={SERVER}))
    world.watch.configure(900.0, 3.0, Peers(own={SERVER}))
    world.clock.advance(900.0)
    assert [event.kind for event in world.events] == ["dhcp.rogue"]


def test_row_39_another_machine_with_a_known_servers_address_is_one_event() -> None:
    world = World(peers=Peers(own={SERVER}, allowed_macs={SEEN.mac}))
    world.servers = [SEEN]
    world.watch.start()
    world.clock.advance(0)
    assert world.events == []
    world.servers = [replace(SEEN, mac=bytes.fromhex("525400880077"))]
    world.clock.pump([900.0, 900.0])
    assert [event.mac for event in world.events] == ["52:54:00:88:00:77"]
