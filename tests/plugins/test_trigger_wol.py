"""trigger_wol: machines are woken when something happens."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock

from provd.net.runtime import TwistedRuntime
from provd.plugin.api import Event, GiveUpError, Runtime
from provd.plugin.errors import PluginError
from provd.testing.runtime import FakeRuntime, run_now
from provd.wire.magic_packet import magic_packet
from tests.fakes.shipped_plugins import shipped

OWN, OTHER = "52:54:00:aa:bb:cc", "52:54:00:aa:bb:01"
EVENT = Event("install.finished", 1.5, "s1", "head1", OWN)
WAKE: dict[str, Any] = {"name": "workers", "on": ["install.finished"], "broadcast": ["127.255.255.255"], "repeat": 1}


def wake(event: Event, runtime: Runtime | None = None, **more: Any) -> str:
    host = shipped("trigger_wol", {"wakes": [{**WAKE, **more}]})
    host.start(runtime or FakeRuntime())
    return str(run_now(host.triggers["workers"].run(event)))


def octets(text: str) -> bytes:
    return magic_packet(bytes.fromhex(text.replace(":", "")))


def test_the_machine_of_the_event_is_woken_where_no_other_is_named() -> None:
    runtime = FakeRuntime()
    assert wake(EVENT, runtime) == f"woke {OWN} at 127.255.255.255"
    assert runtime.broadcasts == [(octets(OWN), "127.255.255.255", 9)]


def test_named_machines_are_woken_as_often_as_wanted() -> None:
    runtime = FakeRuntime()
    wake(EVENT, runtime, port=7, macs=[OTHER, OWN], repeat=2)
    assert runtime.broadcasts == [(octets(OTHER), "127.255.255.255", 7), (octets(OWN), "127.255.255.255", 7)] * 2
    assert runtime.slept == [1.0]


def test_the_packet_leaves_through_the_real_runtime() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.255.255.255", 0))
        listener.settimeout(5)
        runtime = TwistedRuntime(MemoryReactorClock())  # type: ignore[no-untyped-call]
        wake(EVENT, runtime, port=listener.getsockname()[1])
        assert listener.recv(2000) == octets(OWN)


class OneWay(FakeRuntime):
    """Knows no way to one network."""

    def broadcast(self, data: bytes, address: str, port: int) -> None:
        if address == "10.1.0.255":
            raise OSError(101, "Network is unreachable")
        super().broadcast(data, address, port)


def test_one_network_without_a_way_keeps_no_machine_of_another_asleep() -> None:
    runtime = OneWay()
    told = wake(EVENT, runtime, broadcast=["10.1.0.255", "10.0.0.255"], repeat=2)
    assert told == f"woke {OWN} at 10.0.0.255; not at 10.1.0.255: Network is unreachable"
    assert [address for _, address, _ in runtime.broadcasts] == ["10.0.0.255"] * 2


def test_a_network_without_a_way_is_a_failure_that_names_it() -> None:
    class Broken(FakeRuntime):
        def broadcast(self, data: bytes, address: str, port: int) -> None:
            raise OSError(101, "Network is unreachable")

    with pytest.raises(OSError, match=r"workers: 127\.255\.255\.255: Network is unreachable"):
        wake(EVENT, Broken())


def test_events_of_other_systems_wake_nobody() -> None:
    runtime = FakeRuntime()
    assert wake(EVENT, runtime, systems=["web*"]) == "nobody: workers does not want events of head1"
    assert runtime.broadcasts == []
    wake(EVENT, runtime, systems=["web*", "head*"], macs=[OTHER])
    assert runtime.broadcasts == [(octets(OTHER), "127.255.255.255", 9)]


def test_an_event_without_a_hardware_address_is_given_up() -> None:
    with pytest.raises(GiveUpError, match=r"the event install\.finished names no hardware address"):
        wake(Event("install.finished", 1.5, system="head1"))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"broadcast": []}, "'workers': broadcast names no address"),
        ({"broadcast": ["10.0.0"]}, "'workers': broadcast: "),
        ({"macs": ["52:54"]}, "'workers': macs: "),
        ({"port": 0}, "'workers': port must be from 1 to 65535"),
        ({"repeat": 11}, "'workers': repeat must be from 1 to 10"),
        ({"mac": OWN}, "mac"),
    ],
)
def test_wrong_settings_say_which(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence):
        wake(EVENT, **more)


def test_a_network_that_is_there_at_the_second_try_is_no_loss() -> None:
    class Late(FakeRuntime):
        def broadcast(self, data: bytes, address: str, port: int) -> None:
            if not self.slept:
                raise OSError(101, "Network is unreachable")
            super().broadcast(data, address, port)

    assert wake(EVENT, Late(), repeat=2) == f"woke {OWN} at 127.255.255.255"
