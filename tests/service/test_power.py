"""Switching machines: who may, what a driver is given, what is told and kept, and that no secret is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from provd.config.secrets import SecretReader
from provd.model.account import Caller
from provd.model.event import Event
from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.plugin.power import PowerCall, PowerDriver
from provd.service.audit import Audit, attempt
from provd.service.operations import OperationError, OperationTable
from provd.service.operations_power import PowerOperations
from provd.service.power import MOST_AT_ONCE, Power
from provd.service.power_tables import power_faults, table_of
from provd.store.memory_accounts import MemoryAudit

ANN = Caller("ann", "operate", ("ops",))
SECRET = "geheim-7"
WEB1 = System(
    "web1",
    interfaces=(Interface("eth0", Mac.parse("52:54:00:aa:bb:cc")),),
    power={"driver": "fake", "address": "bmc1", "user": "op", "password": {"env": "BMC"}},
)


class FakeTable(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    address: str
    user: str = ""
    password: str = ""


@dataclass
class World:
    """Power around a driver that answers as a test says."""

    systems: dict[str, System] = field(default_factory=lambda: {"web1": WEB1})
    actions: tuple[str, ...] = ("status", "on", "off", "cycle", "pxe")
    fault: str = ""

    def __post_init__(self) -> None:
        self.calls: list[PowerCall] = []
        self.answer: Callable[[PowerCall], Coroutine[Any, Any, str]] = self._told
        self.events: list[Event] = []
        self.clock, self.audit = Clock(), MemoryAudit()
        driver = PowerDriver("fake", FakeTable, self._run, lambda _table: self.fault, self.actions)
        self.drivers = {"fake": driver}
        self.power = Power(
            find=self.systems.get,
            drivers=lambda: self.drivers,
            secrets=SecretReader({"BMC": SECRET}).resolve,
            publish=self.events.append,
            clock=self.clock,
            wall=lambda: 7.0,
        )
        self.table = OperationTable(audit=Audit(self.audit, lambda: 7.0))
        self.table.add(PowerOperations(self.power, self.systems.values, lambda: self.drivers).operations())

    async def _told(self, call: PowerCall) -> str:
        return "off" if call.action == "status" else f"told {call.action}"

    async def _run(self, call: PowerCall) -> str:
        self.calls.append(call)
        return await self.answer(call)

    def begin(self, operation: str, caller: Caller = ANN, **arguments: Any) -> Deferred[Any]:
        return Deferred.fromCoroutine(
            self.table.call(f"power.{operation}", {"name": "web1", **arguments}, caller=caller)
        )

    def ask(self, operation: str, caller: Caller = ANN, **arguments: Any) -> Any:
        found: list[Any] = []
        self.begin(operation, caller, **arguments).addBoth(found.append)
        (answer,) = found
        return answer.raiseException() if hasattr(answer, "raiseException") else answer

    def refused(self, operation: str, caller: Caller = ANN, **arguments: Any) -> OperationError:
        with pytest.raises(OperationError) as caught:
            self.ask(operation, caller, **arguments)
        assert SECRET not in str(caught.value)
        return caught.value


def test_a_driver_gets_the_table_with_its_secret_and_nobody_else_does() -> None:
    world = World()
    assert world.ask("on") == {
        "system": "web1", "action": "on", "driver": "fake", "address": "bmc1", "result": "told on",
    }  # fmt: skip
    assert world.calls == [PowerCall(WEB1, FakeTable("bmc1", "op", SECRET), "on")]
    (event,) = world.events
    assert (event.kind, event.system, event.mac) == ("power.switched", "web1", "52:54:00:aa:bb:cc")
    assert event.fields == {"action": "on", "driver": "fake", "by": "ann", "result": "told on"}
    (entry,) = world.audit.entries()
    assert (entry.user, entry.operation, entry.outcome) == ("ann", "power.on", "done")
    assert SECRET not in repr((world.events, world.audit.entries()))


def test_a_network_boot_comes_before_the_switch() -> None:
    world = World()
    assert world.ask("cycle", pxe=True)["result"] == "told pxe; told cycle"
    assert [call.action for call in world.calls] == ["pxe", "cycle"]
    assert [event.fields["action"] for event in world.events] == ["pxe cycle"]


def test_a_network_boot_that_fails_switches_nothing() -> None:
    world = World()

    async def no_pxe(call: PowerCall) -> str:
        if call.action == "pxe":
            raise ValueError("bmc1 knows no PXE")
        return "told"

    world.answer = no_pxe
    assert str(world.refused("cycle", pxe=True)) == "system web1: bmc1 knows no PXE"
    assert [call.action for call in world.calls] == ["pxe"]
    assert [(event.kind, event.fields["error"]) for event in world.events] == [("power.failed", "bmc1 knows no PXE")]


def test_status_is_no_event_and_no_change() -> None:
    world = World()
    reader = Caller("bob", "read")
    found = world.ask("status", reader)
    assert found == {"system": "web1", "driver": "fake", "address": "bmc1", "state": "off"}
    assert (world.events, list(world.audit.entries())) == ([], [])


def test_only_operators_and_owners_switch() -> None:
    world = World()
    assert world.refused("off", Caller("bob", "read")).kind == "denied"
    world.systems["web1"] = replace(WEB1, owners=("dba",))
    for operation in ("on", "off", "cycle", "pxe"):
        error = world.refused(operation)
        assert (error.kind, str(error)) == ("denied", "system web1 may be switched by its owners only (dba)")
    assert world.refused("off", dry_run=True).kind == "denied"
    assert world.calls == []
    assert world.ask("off", Caller("cid", "operate", ("dba",)))["result"] == "told off"
    assert world.ask("off", Caller("root", "admin"))["result"] == "told off"
    assert [entry.outcome for entry in world.audit.entries()].count("done") == 2


def test_a_dry_run_asks_no_board() -> None:
    world = World()
    assert world.ask("off", dry_run=True)["result"] == "nothing: a dry run"
    assert (world.calls, world.events) == ([], [])
    assert [entry.outcome for entry in world.audit.entries()] == ["dry run"]


def test_what_cannot_be_done_is_told() -> None:
    world = World(actions=("on",))
    assert world.refused("on", name="web2").kind == "not-found"
    assert str(world.refused("off")) == "driver fake knows on, not off"
    assert str(world.refused("on", pxe=True)) == "driver fake knows on, not pxe"
    world.systems["web1"] = replace(WEB1, power={})
    assert str(world.refused("on")) == "system web1 has no [power] table"
    world.systems["web1"] = replace(WEB1, power={**WEB1.power, "password": {"env": "GONE"}})
    assert str(world.refused("on")) == "system web1: power.password: environment variable GONE is not set"
    world.fault = "it needs the library x"
    world.systems["web1"] = WEB1
    assert str(world.refused("on")) == "system web1: power: it needs the library x"
    assert world.calls == []


def test_an_unforeseen_failure_is_told_by_its_kind_alone() -> None:
    world = World()

    async def breaks(_call: PowerCall) -> str:
        raise RuntimeError(f"login op:{SECRET} failed")

    world.answer = breaks
    assert str(world.refused("on")) == "system web1: driver fake failed: RuntimeError"
    assert SECRET not in repr(world.events)


def test_a_board_that_takes_too_long_is_left() -> None:
    world = World()

    async def waits(_call: PowerCall) -> str:
        return str(await Deferred())

    world.answer = waits
    found: list[Any] = []
    world.begin("on").addErrback(found.append)
    world.clock.advance(90)
    assert str(found[0].value) == "system web1: no answer in 90 s"


def test_one_machine_is_asked_once_at_a_time_and_all_a_few_at_a_time() -> None:
    world = World({f"web{number}": replace(WEB1, name=f"web{number}") for number in range(1, 9)})
    waiting: list[Deferred[str]] = []

    async def waits(_call: PowerCall) -> str:
        waiting.append(Deferred())
        return await waiting[-1]

    world.answer = waits
    twice = [world.begin("on", name="web1"), world.begin("off", name="web1")]
    assert [call.action for call in world.calls] == ["on"]
    others = [world.begin("on", name=f"web{number}") for number in range(2, 9)]
    assert len(world.calls) == MOST_AT_ONCE
    for _ in range(9):
        waiting.pop(0).callback("told")
    assert [done.called for done in (*twice, *others)] == [True] * 9
    assert [call.action for call in world.calls if call.system.name == "web1"] == ["on", "off"]


def test_plugins_switch_as_provd_itself() -> None:
    world = World({"web1": replace(WEB1, owners=("dba",))})
    found: list[Any] = []
    Deferred.fromCoroutine(world.power.told("web1", "cycle", pxe=True)).addBoth(found.append)
    assert found == ["told pxe; told cycle"]
    assert [event.fields["by"] for event in world.events] == ["provd"]


def test_what_changed_while_it_waited_counts() -> None:
    world = World()
    waiting: list[Deferred[str]] = []

    async def waits(_call: PowerCall) -> str:
        waiting.append(Deferred())
        return await waiting[-1]

    world.answer = waits
    found: list[Any] = []
    for operation in ("on", "off", "cycle"):
        world.begin(operation).addBoth(found.append)
    world.systems["web1"] = replace(WEB1, power={"driver": "fake", "address": "bmc9"})
    waiting.pop().callback("told")
    assert [call.settings.address for call in world.calls] == ["bmc1", "bmc9"]
    world.systems["web1"] = replace(WEB1, owners=("dba",))
    waiting.pop().callback("told")
    assert [call.action for call in world.calls] == ["on", "off"]
    (refusal,) = [one.value for one in found if isinstance(one, Failure)]
    assert isinstance(refusal, OperationError)
    assert refusal.kind == "denied"


def test_a_plugin_that_acts_on_a_callers_change_acts_as_provd() -> None:
    world = World({"web1": replace(WEB1, owners=("dba",))})
    found: list[Any] = []
    with attempt(ANN, "system.edit", {}, None):
        Deferred.fromCoroutine(world.power.told("web1", "off")).addBoth(found.append)
    assert found == ["told off"]
    assert world.events[0].fields["by"] == "provd"


def test_the_list_shows_what_is_wrong_and_no_secret() -> None:
    wrong = {"driver": "fke", "address": "bmc2", "password": SECRET}
    world = World({"web1": WEB1, "web2": replace(WEB1, name="web2", power=wrong), "web3": System("web3")})
    rows: Any = world.table.get("power.list").run(None)
    assert [(row["system"], row["address"]) for row in rows] == [("web1", "bmc1"), ("web2", "bmc2")]
    assert rows[0]["problem"] == ""
    assert "no enabled plugin brings the power driver 'fke'; did you mean 'fake'?" in rows[1]["problem"]
    assert SECRET not in str(rows)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"address": "x"}, "power: the key 'driver' is missing; there are fake"),
        ({"driver": "fake"}, "power: driver fake needs the key 'address'"),
        ({"driver": "fake", "address": "x", "pasword": SECRET}, "driver fake knows no key 'pasword'; did you mean 'password'?"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_one_sentence(table: dict[str, object], sentence: str) -> None:
    (fault,) = power_faults(table, World().drivers)
    assert sentence in fault
    assert SECRET not in fault


def test_a_number_does_for_a_text_and_nothing_else_does() -> None:
    world = World({"web1": replace(WEB1, power={"driver": "fake", "address": 7, "user": 1234})})
    world.ask("on")
    assert world.calls[0].settings == FakeTable("7", "1234")
    for wrong in (True, 1.5, ["x"]):
        (fault,) = power_faults({"driver": "fake", "address": wrong}, world.drivers)
        assert fault.startswith("power.address: Expected `str`, got")


def test_without_the_plugin_a_table_says_so() -> None:
    assert list(power_faults(WEB1.power, {})) == [
        "power: no enabled plugin brings the power driver 'fake'; the plugin power is not enabled"
    ]


def test_cobblers_attributes_are_a_table_where_there_is_none() -> None:
    bag = {
        "power_type": "ipmilan", "power_address": "10.0.9.1", "power_user": "op", "power_pass": SECRET, "gateway": "10.0.0.1",
    }  # fmt: skip
    system = System("web1", vars={"cobbler": bag})
    assert table_of(system) == {"driver": "ipmi", "address": "10.0.9.1", "user": "op", "password": SECRET}
    assert table_of(replace(system, power=WEB1.power)) == WEB1.power
    assert table_of(System("web1", vars={"cobbler": {"power_type": "ipmilan"}})) == {}
    redfish = {**bag, "power_type": "redfish", "power_id": "437X"}
    assert table_of(System("web1", vars={"cobbler": redfish}))["system"] == "437X"
    with_id = table_of(System("web1", vars={"cobbler": {**redfish, "power_type": "ipmilanplus"}}))
    assert (with_id["driver"], "system" in with_id) == ("ipmi", False), "a plug number says nothing to IPMI"


def test_the_secret_file_is_read_for_each_action(tmp_path: Path) -> None:
    file = tmp_path / "bmc"
    file.write_text("first\n")
    file.chmod(0o600)
    world = World({"web1": replace(WEB1, power={**WEB1.power, "password": {"file": str(file)}})})
    world.ask("on")
    file.write_text("second\n")
    world.ask("off")
    assert [call.settings.password for call in world.calls] == ["first", "second"]
