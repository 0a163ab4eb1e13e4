"""Loads external inventories in the background; a failed load keeps the last snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from provd.model.system import System
from provd.plugin.contract import Inventory


class Inventories:
    """One timer for each inventory."""

    def __init__(
        self,
        inventories: Callable[[], Mapping[str, Inventory]],
        loaded: Callable[[str, Iterable[System]], None],
        clock: IReactorTime,
    ) -> None:
        self._inventories = inventories
        self._loaded = loaded
        self._clock = clock
        self._timers: list[LoopingCall] = []
        self._names: frozenset[str] = frozenset()
        self._round = 0
        self._logger = Logger(namespace="provd.inventories")

    def start(self) -> None:
        """Load every inventory now and then by its own timer."""
        self._round += 1
        self._names = frozenset(self._inventories())
        for inventory in self._inventories().values():
            timer = LoopingCall(self._load, inventory, self._round)
            timer.clock = self._clock
            self._timers.append(timer)
            timer.start(inventory.refresh_s, now=True)

    def restart(self) -> None:
        """After a reload of plugins: ask the new objects, and forget what is named no longer."""
        self.stop()
        for name in self._names - frozenset(self._inventories()):
            self._loaded(name, ())
        self.start()

    def stop(self) -> None:
        """Stop the timers."""
        for timer in self._timers:
            if timer.running:
                timer.stop()
        self._timers = []

    def _load(self, inventory: Inventory, begun: int) -> Deferred[None]:
        return Deferred.fromCoroutine(self._refresh(inventory, begun))

    async def _refresh(self, inventory: Inventory, begun: int) -> None:
        try:
            systems = tuple(await inventory.load())
            if begun == self._round:
                self._loaded(inventory.name, systems)
        except Exception as error:  # noqa: BLE001  a source that is away keeps its last snapshot
            self._logger.warn("inventory {name} could not be loaded: {error}", name=inventory.name, error=str(error))
