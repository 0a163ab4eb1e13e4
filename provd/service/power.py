"""Switches machines: finds the driver, reads the secret, lets few boards be asked at once, tells what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, DeferredLock, DeferredSemaphore
from twisted.internet.defer import TimeoutError as TwistedTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from provd.config.secrets import SecretError
from provd.model.account import Caller
from provd.model.event import Event
from provd.model.system import System
from provd.plugin.power import POWER_ACTIONS, PowerCall, PowerDriver
from provd.plugin.scrub import scrub
from provd.service.ports import Publish
from provd.service.power_tables import PowerTableError, driver_of, settings_of, table_of

MOST_AT_ONCE: Final = 4
"""Boards that are asked at the same time: each may cost a process."""
LONGEST_S: Final = 90.0
"""Seconds that an action may take."""
_MOST_TEXT: Final = 500


class PowerDeniedError(ValueError):
    """The caller does not own the machine."""


class NoSuchMachineError(ValueError):
    """There is no system of this name."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What came of an action.

    Attributes:
        driver: who did it.
        address: of the board, as the table names it; empty for a driver without one.
        text: ``on``, ``off`` or ``unknown`` for ``status``, else a few words.
    """

    driver: str
    address: str
    text: str


class Power:
    """Switches machines by their ``[power]`` tables.

    Args:
        find: a system by name.
        drivers: those that plugins bring.
        secrets: replaces references by what they name.
        publish: event bus.
        clock: for the longest time.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        find: Callable[[str], System | None],
        drivers: Callable[[], Mapping[str, PowerDriver]],
        secrets: Callable[[object], tuple[object, bool]],
        publish: Publish,
        clock: IReactorTime,
        wall: Callable[[], float],
    ) -> None:
        self._find, self._drivers, self._secrets = find, drivers, secrets
        self._publish, self._clock, self._wall = publish, clock, wall
        self._places = DeferredSemaphore(MOST_AT_ONCE)
        self._locks: dict[str, DeferredLock] = {}
        self._logger = Logger(namespace="provd.power")

    async def switch(self, name: str, action: str, *, pxe: bool = False, caller: Caller | None = None) -> Switched:
        """Do it, when it is the machine's turn; owners only, unless it is ``status``.

        Args:
            name: of the system.
            action: one of :data:`provd.plugin.power.POWER_ACTIONS`.
            pxe: boot from the network this once, for ``on`` and ``cycle``.
            caller: who asks; None for provd itself, which may switch every machine.

        Raises:
            PowerDeniedError: the caller is no owner.
            ValueError: no such machine, no usable table, or the board refused.
            OSError: the board could not be reached.
        """
        self.planned(self.allowed(name, action, caller), action, pxe=pxe)
        lock = self._locks.setdefault(name, DeferredLock())
        await lock.acquire()
        try:
            await self._places.acquire()
            try:
                # While it waited, the machine may have got another board or another owner.
                system = self.allowed(name, action, caller)
                driver = self.planned(system, action, pxe=pxe)
                actions = ("pxe", action) if pxe and action != "pxe" else (action,)
                return await self._done(system, driver, actions, caller.user if caller is not None else "provd")
            finally:
                self._places.release()
        finally:
            lock.release()
            if not lock.locked:
                self._locks.pop(name, None)

    async def told(self, system: str, action: str, *, pxe: bool = False) -> str:
        """The same for plugins: a few words."""
        return (await self.switch(system, action, pxe=pxe)).text

    def allowed(self, name: str, action: str, caller: Caller | None) -> System:
        """The system, for a caller who may do this to it.

        Raises:
            PowerDeniedError: the caller is no owner.
            NoSuchMachineError: there is none of this name.
        """
        system = self._find(name)
        if system is None:
            raise NoSuchMachineError(f"there is no system {name}")
        if action != "status" and caller is not None and not caller.owns(system.owners):
            owners = ", ".join(system.owners)
            raise PowerDeniedError(f"system {system.name} may be switched by its owners only ({owners})")
        return system

    def planned(self, system: System, action: str, *, pxe: bool = False) -> PowerDriver:
        """The driver that would do it; no secret is read.

        Raises:
            ValueError: the table cannot be used, or the driver knows no such action.
        """
        table = table_of(system)
        if not table:
            raise PowerTableError(f"system {system.name} has no [power] table")
        driver = driver_of(table, self._drivers())
        for wanted in ("pxe", action) if pxe else (action,):
            if wanted not in POWER_ACTIONS or wanted not in driver.actions:
                raise PowerTableError(f"driver {driver.name} knows {', '.join(driver.actions)}, not {wanted}")
        return driver

    async def _done(self, system: System, driver: PowerDriver, actions: tuple[str, ...], user: str) -> Switched:
        table = table_of(system)
        address = str(table.get("address", ""))
        try:
            settings = self._settings(table, driver)
            texts = [await self._asked(driver, PowerCall(system, settings, action)) for action in actions]
        except (SecretError, PowerTableError) as error:
            self._tell(system, driver, actions, user, error=str(error))
            raise ValueError(f"system {system.name}: {error}") from error
        except (OSError, ValueError) as error:
            text = scrub(str(error))[:_MOST_TEXT]
            self._tell(system, driver, actions, user, error=text)
            kind = TimeoutError if isinstance(error, TimeoutError) else ConnectionError
            raise (kind if isinstance(error, OSError) else ValueError)(f"system {system.name}: {text}") from error
        text = "; ".join(dict.fromkeys(texts))[:_MOST_TEXT]
        self._tell(system, driver, actions, user, result=text)
        return Switched(driver.name, address, text)

    def _settings(self, table: Mapping[str, object], driver: PowerDriver) -> Any:
        settings = settings_of({name: _resolved(self._secrets, name, value) for name, value in table.items()}, driver)
        if fault := driver.fault(settings):
            raise PowerTableError(f"power: {fault}")
        return settings

    async def _asked(self, driver: PowerDriver, call: PowerCall) -> str:
        work: Deferred[Any] = Deferred.fromCoroutine(_text(driver, call))
        work.addTimeout(LONGEST_S, self._clock)
        try:
            return str(await work)
        except (OSError, ValueError):
            raise
        except (CancelledError, TwistedTimeout) as error:
            raise TimeoutError(f"no answer in {LONGEST_S:g} s") from error
        except Exception as error:  # noqa: BLE001  of whatever kind it is, it is the board's or the plugin's
            # The text of an error that nobody foresaw may hold anything, a password too.
            kind = type(error).__name__
            self._logger.error(
                "power driver {driver} failed for {system}: {kind}",
                driver=driver.name,
                system=call.system.name,
                kind=kind,
            )
            raise ValueError(f"driver {driver.name} failed: {kind}") from None

    def _tell(self, system: System, driver: PowerDriver, actions: tuple[str, ...], user: str, **text: str) -> None:
        if actions == ("status",):
            return
        mac = str(system.interfaces[0].mac) if system.interfaces else ""
        fields = {"action": " ".join(actions), "driver": driver.name, "by": user, **text}
        kind = "power.switched" if "result" in text else "power.failed"
        self._publish(Event(kind=kind, at=self._wall(), system=system.name, mac=mac, fields=fields))


async def _text(driver: PowerDriver, call: PowerCall) -> str:
    return await driver.run(call)


def _resolved(secrets: Callable[[object], tuple[object, bool]], name: str, value: object) -> object:
    """A value without references; the sentence of a secret that cannot be had names the key."""
    try:
        found, _ = secrets({name: value})
    except SecretError as error:
        raise SecretError(f"power.{error}") from error
    return found.get(name) if isinstance(found, Mapping) else found
