"""Operations on the power of machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated

from msgspec import Meta

from provd.model.system import System
from provd.plugin.contract import Operation
from provd.plugin.power import PowerDriver
from provd.service import audit
from provd.service.operations import Arguments, NoArguments, OperationError
from provd.service.power import NoSuchMachineError, Power, PowerDeniedError
from provd.service.power_tables import PowerTableError, power_faults, table_of

DryRun = Annotated[bool, Meta(description="Tell which board would be asked, and ask none.")]
Pxe = Annotated[bool, Meta(description="Boot from the network this once.")]


class PowerOf(Arguments, frozen=True):
    """Which machine."""

    name: Annotated[str, Meta(description="System.")]
    dry_run: DryRun = False


class PowerUp(PowerOf, frozen=True):
    """Which machine, and how it boots."""

    pxe: Pxe = False


class PowerDown(PowerOf, frozen=True):
    """Which machine, and how."""

    soft: Annotated[bool, Meta(description="Ask the running system to shut down, instead of cutting the power.")] = (
        False
    )


class PowerStatus(Arguments, frozen=True):
    """Which machine."""

    name: Annotated[str, Meta(description="System.")]


class PowerOperations:
    """``power.list``, ``power.status``, ``power.on``, ``power.off``, ``power.cycle`` and ``power.pxe``.

    Args:
        power: switches machines.
        systems: all of them.
        drivers: those that plugins bring.
    """

    def __init__(
        self, power: Power, systems: Callable[[], Iterable[System]], drivers: Callable[[], Mapping[str, PowerDriver]]
    ) -> None:
        self._power, self._systems, self._drivers = power, systems, drivers

    def operations(self) -> tuple[Operation, ...]:
        """All of them."""
        result = "`system`, `driver`, `address`, `action`, and `result`: a few words."
        return (
            Operation(
                "power.list", "List machines whose power can be switched, and what is wrong with their tables.", "read",
                NoArguments, self._list, "provd power list",
                result="One row per machine: `system`, `driver`, `address`, `problem`.",
            ),
            Operation(
                "power.status", "Ask a machine's board whether it is on.", "read", PowerStatus, self._status,
                "provd power status web1", result="`system`, `driver`, `address`, `state`: `on`, `off` or `unknown`.",
            ),
            Operation(
                "power.on", "Switch a machine on.", "operate", PowerUp, self._on, "provd power on web1", result=result,
            ),
            Operation(
                "power.off", "Switch a machine off.", "operate", PowerDown, self._off, "provd power off web1",
                result=result,
            ),
            Operation(
                "power.cycle", "Restart a machine that is on, switch on one that is off.", "operate", PowerUp,
                self._cycle, "provd power cycle web1 --pxe", result=result,
            ),
            Operation(
                "power.pxe", "Make a machine's next boot, and only that, one from the network.", "operate", PowerOf,
                self._pxe, "provd power pxe web1", result=result,
            ),
        )  # fmt: skip

    def _list(self, _arguments: NoArguments) -> object:
        drivers = self._drivers()
        return [
            {
                "system": system.name,
                "driver": table.get("driver", ""),
                "address": table.get("address", ""),
                "problem": "; ".join(power_faults(table, drivers)),
            }
            for system in self._systems()
            if (table := table_of(system))
        ]

    async def _status(self, arguments: PowerStatus) -> object:
        found = await self._asked(arguments.name, "status", pxe=False, dry_run=False)
        return {("state" if key == "result" else key): value for key, value in found.items() if key != "action"}

    async def _on(self, arguments: PowerUp) -> object:
        return await self._asked(arguments.name, "on", pxe=arguments.pxe, dry_run=arguments.dry_run)

    async def _off(self, arguments: PowerDown) -> object:
        action = "shutdown" if arguments.soft else "off"
        return await self._asked(arguments.name, action, pxe=False, dry_run=arguments.dry_run)

    async def _cycle(self, arguments: PowerUp) -> object:
        return await self._asked(arguments.name, "cycle", pxe=arguments.pxe, dry_run=arguments.dry_run)

    async def _pxe(self, arguments: PowerOf) -> object:
        return await self._asked(arguments.name, "pxe", pxe=False, dry_run=arguments.dry_run)

    async def _asked(self, name: str, action: str, *, pxe: bool, dry_run: bool) -> dict[str, object]:
        row: dict[str, object] = {"system": name, "action": f"pxe {action}" if pxe else action}
        try:
            if dry_run:
                system = self._power.allowed(name, action, audit.caller())
                driver = self._power.planned(system, action, pxe=pxe)
                audit.outcome("dry run")
                address = table_of(system).get("address", "")
                return {**row, "driver": driver.name, "address": address, "result": "nothing: a dry run"}
            done = await self._power.switch(name, action, pxe=pxe, caller=audit.caller())
        except PowerDeniedError as error:
            raise OperationError(str(error), field="name", kind="denied") from error
        except NoSuchMachineError as error:
            raise OperationError(str(error), field="name", kind="not-found") from error
        except PowerTableError as error:
            raise OperationError(str(error), field="name", kind="refused") from error
        except (OSError, ValueError) as error:
            raise OperationError(str(error), field="name", kind="failed") from error
        return {**row, "driver": done.driver, "address": done.address, "result": done.text}
