"""Power of systems as Cobbler's clients switch it: one at once, several in the background."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred

from provd.api.cobbler.call import Call, CobblerError
from provd.api.cobbler.fields import FieldError
from provd.api.cobbler.registry import Registry
from provd.service.operations import OperationError

_OPERATIONS: Final = {"on": "power.on", "off": "power.off", "reboot": "power.cycle", "status": "power.status"}


def _operation(power: object) -> str:
    if not isinstance(power, str) or power not in _OPERATIONS:
        raise CobblerError(f"invalid power mode {str(power)[:40]!r}: expected {', '.join(_OPERATIONS)}")
    return _OPERATIONS[power]


async def power_system(call: Call, system_id: str, power: str, token: str) -> object:
    """Switch the system of a handle; True, of ``status`` whether it is on."""
    operation = _operation(power)
    name = call.bridge.drafts.of(token, system_id, "system").name
    if not name:
        raise CobblerError("the system is not saved yet")
    told = await call.ask(operation, name=name)
    return told["state"] == "on" if power == "status" else True


async def background_power_system(call: Call, options: dict, token: str) -> object:  # type: ignore[type-arg]
    """A task that switches several systems; one that fails fails it, and the others are switched."""
    del token
    operation, names = _operation(options.get("power")), options.get("systems", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FieldError("systems: a list of names is expected")
    tasks = call.bridge.tasks
    task = tasks.begin("Power management")

    async def work() -> None:
        failed = False
        for name in names:
            try:
                told = await call.ask(operation, name=name)
                tasks.say(task, f"{name}: {told.get('state') or told.get('result')}")
            except OperationError as error:
                failed = True
                tasks.say(task, f"{name}: {error}")
        tasks.end(task, failed=failed)

    # Boards take their time, and the client follows the task.
    Deferred.fromCoroutine(work())
    return task.id


def register(methods: Registry) -> None:
    """Put the methods into the registry."""
    differs = "by the drivers of the plugin `power`: Redfish and IPMI for `redfish`, `ipmilan` and `ipmilanplus`"
    methods.add("power_system", "operate", power_system, differs=differs)
    methods.add("background_power_system", "operate", background_power_system, differs=differs)
