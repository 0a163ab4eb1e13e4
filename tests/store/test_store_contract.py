"""What every store keeps to; one class, run against each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import pytest

from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.mac import Mac
from provd.model.session import BootSession
from provd.model.system import InstallState, Interface, System
from provd.model.token import InstallToken
from provd.model.trigger import TriggerRun
from provd.store.interface import StaleWriteError, Store, SystemWrite
from provd.store.memory import MemoryStore
from provd.store.sqlite import SqliteStore
from tests.fakes.owner_thread import OwnerThread

NOW = 1_800_000_000.0
LEASE = Lease(0x0A000064, "lan", b"\x52\x54\x00\x00\x00\x01", expires_at=NOW + 3600, context={"relay": "x"})
SYSTEM = System(
    "web1",
    profile="debian-12",
    interfaces=(Interface("eth0", Mac.parse("52:54:00:00:00:01"), IPv4Address("10.0.0.20")),),
    answers={"users": {"ann": {"groups": ["sudo"]}}, "root": {"file": "/x", "once": True}},
    tags=("a", "b"),
)
TOKEN = InstallToken("live-token", "web1", "s1", "10.0.0.100", NOW, NOW + 60)


@pytest.fixture
def owner() -> OwnerThread:
    return OwnerThread()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, owner: OwnerThread) -> Iterator[Store]:
    made: Store = (
        MemoryStore(owner.deliver)
        if request.param == "memory"
        else SqliteStore(tmp_path / "provd.db", deliver=owner.deliver, wall=lambda: NOW)
    )
    yield made
    made.close()


def session(name: str, **fields: object) -> BootSession:
    return replace(BootSession(name, "52:54:00:00:00:01", "web1", NOW, NOW), **fields)  # type: ignore[arg-type]


class TestStoreContract:
    def test_a_lease_is_replaced_by_address(self, store: Store, owner: OwnerThread) -> None:
        owner.wait(lambda done: store.leases.commit([LEASE], [], done))
        later = msgspec.structs.replace(LEASE, expires_at=float("inf"), client_id=b"\x01abc", state="released")
        owner.wait(lambda done: store.leases.commit([later], [], done))
        assert list(store.leases.load()) == [later]

    def test_leases_come_in_the_order_of_addresses_and_go_by_address(self, store: Store, owner: OwnerThread) -> None:
        leases = [msgspec.structs.replace(LEASE, address=address) for address in (9, 3, 0xFFFFFFFE)]
        owner.wait(lambda done: store.leases.commit(leases, [], done))
        owner.wait(lambda done: store.leases.commit([msgspec.structs.replace(LEASE, address=5)], [9], done))
        assert [lease.address for lease in store.leases.load()] == [3, 5, 0xFFFFFFFE]

    def test_done_is_never_called_from_within_the_commit(self, store: Store, owner: OwnerThread) -> None:
        told: list[Exception | None] = []
        store.leases.commit([LEASE], [], told.append)
        assert told == []
        owner.wait(store.flush)
        assert told == [None]

    def test_a_system_comes_back_as_it_was_with_a_version(self, store: Store) -> None:
        kept = store.systems.put(SYSTEM, expected="")
        assert kept.version
        assert replace(kept, version="") == SYSTEM
        assert store.systems.get("web1") == kept
        assert list(store.systems.all()) == [kept]

    def test_an_edit_names_the_version_it_was_made_from(self, store: Store) -> None:
        first = store.systems.put(SYSTEM, expected="")
        second = store.systems.put(replace(first, comment="new"), expected=first.version)
        assert second.version != first.version
        with pytest.raises(StaleWriteError, match="system web1 was changed meanwhile"):
            store.systems.put(replace(first, comment="mine"), expected=first.version)
        assert store.systems.get("web1") == second

    def test_a_system_is_not_added_twice(self, store: Store) -> None:
        store.systems.put(SYSTEM, expected="")
        with pytest.raises(StaleWriteError, match="system web1 exists already"):
            store.systems.put(SYSTEM, expected="")

    def test_a_removed_system_cannot_be_edited_or_removed(self, store: Store) -> None:
        kept = store.systems.put(SYSTEM, expected="")
        with pytest.raises(StaleWriteError, match="changed meanwhile"):
            store.systems.remove("web1", expected="another")
        store.systems.remove("web1", expected=kept.version)
        assert store.systems.get("web1") is None
        with pytest.raises(StaleWriteError, match="system web1 was removed meanwhile"):
            store.systems.put(kept, expected=kept.version)
        with pytest.raises(StaleWriteError, match="system web1 was removed meanwhile"):
            store.systems.remove("web1", expected=kept.version)

    def test_several_writes_are_kept_together_or_not_at_all(self, store: Store) -> None:
        kept = store.systems.put(SYSTEM, expected="")
        other = replace(SYSTEM, name="web2")
        writes = [SystemWrite("web2", other), SystemWrite("web1", None, "another")]
        with pytest.raises(StaleWriteError, match="web1 was changed meanwhile"):
            store.systems.change(writes)
        assert list(store.systems.all()) == [kept]
        (second,) = store.systems.change([SystemWrite("web1", None, kept.version), SystemWrite("web2", other)])
        assert list(store.systems.all()) == [second]

    def test_held_systems_are_known_by_themselves(self, store: Store) -> None:
        for name, state in (("web1", "held"), ("web2", "installed"), ("web3", "held"), ("web3", "new")):
            store.installs.put(name, InstallState(state))
        assert store.installs.held() == {"web1": InstallState("held")}
        store.installs.remove("web1")
        assert store.installs.held() == {}

    def test_an_install_state_is_fresh_until_kept_and_after_it_was_forgotten(self, store: Store) -> None:
        state = InstallState("held", 2, 1.5, "stopped", "s1", netboot=False)
        assert store.installs.get("web1") == InstallState()
        store.installs.put("web1", state)
        assert store.installs.get("web1") == state
        assert store.installs.all() == {"web1": state}
        store.installs.remove("web1")
        assert store.installs.get("web1") == InstallState()
        assert store.installs.all() == {}

    @pytest.mark.parametrize("durable", [False, True])
    def test_sessions_are_read_as_they_were_handed_over(
        self, store: Store, owner: OwnerThread, *, durable: bool
    ) -> None:
        for made in (
            session("s1", last_at=NOW),
            session("s2", last_at=NOW + 2, mac="52:54:00:00:00:02", system="db1"),
            session("s3", last_at=NOW + 3),
            session("s1", last_at=NOW + 1, step="kernel"),
        ):
            store.sessions.save_session(made)
        if durable:
            owner.wait(store.flush)
        assert store.sessions.session("s1") == session("s1", last_at=NOW + 1, step="kernel")
        assert store.sessions.session("none") is None
        assert [each.id for each in store.sessions.sessions()] == ["s3", "s2", "s1"]
        assert [each.id for each in store.sessions.sessions(limit=2)] == ["s3", "s2"]
        assert [each.id for each in store.sessions.sessions(system="web1")] == ["s3", "s1"]
        assert [each.id for each in store.sessions.sessions(mac="52:54:00:00:00:02")] == ["s2"]
        assert [each.id for each in store.sessions.recent_sessions(NOW + 1)] == ["s2", "s3"]
        assert [each.id for each in store.sessions.recent_sessions(NOW + 9)] == []

    @pytest.mark.parametrize("durable", [False, True])
    def test_events_are_numbered_in_the_order_they_happened(
        self, store: Store, owner: OwnerThread, *, durable: bool
    ) -> None:
        events = [
            Event(
                "dhcp.offer", NOW, "s1", "web1", "52:54:00:00:00:01", {"address": "10.0.0.20", "list": [1, {"a": None}]}
            ),
            Event("dhcp.ack", NOW, "s2", "db1"),
            Event("kernel.fetched", NOW + 1, "s1", "web1"),
        ]
        numbers = [store.sessions.append(event) for event in events]
        if durable:
            owner.wait(store.flush)
        assert numbers == sorted(set(numbers))
        assert list(store.sessions.events("s1")) == [
            replace(events[0], id=numbers[0]),
            replace(events[2], id=numbers[2]),
        ]
        assert store.sessions.last_event() == numbers[-1]
        assert [event.id for event in store.sessions.events_after(numbers[0])] == numbers[1:]
        assert [event.id for event in store.sessions.events_after(0, system="web1")] == [numbers[0], numbers[2]]
        assert [event.id for event in store.sessions.events_after(0, limit=1)] == numbers[:1]

    @pytest.mark.parametrize("durable", [False, True])
    def test_events_that_are_gathered_are_read_as_any_other(
        self, store: Store, owner: OwnerThread, *, durable: bool
    ) -> None:
        boots = [("s1", "web1", "52:54:00:00:00:01"), ("s2", "", "52:54:00:00:00:02"), ("s3", "db1", "")]
        kept = [
            store.sessions.keep(("dhcp.offer", NOW + turn, *boot, {"turn": turn}))
            for turn in range(3)
            for boot in boots
        ]
        assert kept == sorted(set(kept))
        if durable:
            owner.wait(store.flush)
            assert not store.sessions.gathers
        later = store.sessions.keep(("dhcp.ack", NOW + 9, *boots[1], {}))
        events = store.sessions.events("s2")
        assert [(one.id, one.fields.get("turn")) for one in events] == [(kept[n], n // 3) for n in (1, 4, 7)] + [
            (later, None)
        ]
        assert events[0] == Event("dhcp.offer", NOW, *boots[1], {"turn": 0}, kept[1])
        assert [one.id for one in store.sessions.events_after(0, system="db1")] == [kept[2], kept[5], kept[8]]
        # Page by page, from any place, nothing is passed over and nothing comes twice.
        for size in (1, 2, 4):
            read: list[int] = []
            while page := store.sessions.events_after(read[-1] if read else 0, limit=size):
                read += [one.id for one in page]
            assert read == [*kept, later]

    def test_retention_is_by_age_and_by_count_and_takes_events_along(self, store: Store, owner: OwnerThread) -> None:
        for number in range(5):
            store.sessions.save_session(session(f"s{number}", last_at=NOW + number))
            store.sessions.append(Event("boot.started", NOW + number, f"s{number}"))
            store.sessions.keep(("dhcp.offer", NOW + number, f"s{number}", "", "", {}))
        store.sessions.append(Event("system.changed", NOW, system="old"))
        store.sessions.append(Event("system.changed", NOW + 9, system="new"))
        owner.wait(store.flush)
        store.sessions.prune(before=NOW + 1, keep=3)
        owner.wait(store.flush)
        assert [each.id for each in store.sessions.sessions()] == ["s4", "s3", "s2"]
        left = [event.session or event.system for event in store.sessions.events_after(0)]
        assert left == ["s2", "s2", "s3", "s3", "s4", "s4", "new"]
        store.sessions.prune(before=NOW + 4, keep=3)
        owner.wait(store.flush)
        assert [each.id for each in store.sessions.sessions()] == ["s4"]

    def test_a_token_is_found_by_its_text_and_by_its_session(self, store: Store) -> None:
        store.tokens.save(TOKEN)
        counted = replace(TOKEN, fetches={"preseed.cfg": 1})
        store.tokens.save(counted)
        assert store.tokens.find("live-token") == counted
        assert store.tokens.of_session("s1") == counted
        assert store.tokens.find("another") is None
        assert store.tokens.of_session("another") is None

    def test_an_ended_token_is_still_found_by_its_text(self, store: Store) -> None:
        store.tokens.save(TOKEN)
        store.tokens.save(replace(TOKEN, ended_at=NOW, end_reason="finished"))
        found = store.tokens.find("live-token")
        assert found is not None
        assert found.end_reason == "finished"

    def test_expired_tokens_go_after_their_time(self, store: Store) -> None:
        store.tokens.save(TOKEN)
        store.tokens.prune(before=NOW + 60)
        assert store.tokens.find("live-token") is not None
        store.tokens.prune(before=NOW + 61)
        assert store.tokens.find("live-token") is None
        assert store.tokens.of_session("s1") is None

    @pytest.mark.parametrize("durable", [False, True])
    def test_trigger_runs_are_kept_with_their_output(self, store: Store, owner: OwnerThread, *, durable: bool) -> None:
        runs = [
            TriggerRun("hook", "install.finished", number, NOW + number, 0.5, number != 2, "text")
            for number in (1, 2, 3)
        ]
        for run in runs:
            store.trigger_runs.record(run)
        if durable:
            owner.wait(store.flush)
        assert list(store.trigger_runs.runs()) == runs[::-1]
        assert list(store.trigger_runs.runs(event_id=2)) == [runs[1]]
        assert list(store.trigger_runs.runs(limit=1)) == [runs[2]]
        owner.wait(store.flush)
        store.trigger_runs.prune(before=NOW + 3)
        owner.wait(store.flush)
        assert list(store.trigger_runs.runs()) == [runs[2]]
