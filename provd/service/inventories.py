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
        self._logger = Logger(namespace="provd.inventories")

    def start(self) -> None:
        """Load every inventory now and then by its own timer."""
        for inventory in self._inventories().values():
            timer = LoopingCall(self._load, inventory)
            timer.clock = self._clock
            self._timers.append(timer)
            timer.start(inventory.refresh_s, now=True)

    def stop(self) -> None:
        """Stop the timers."""
        for timer in self._timers:
            if timer.running:
                timer.stop()
        self._timers = []

    def _load(self, inventory: Inventory) -> Deferred[None]:
        return Deferred.fromCoroutine(self._refresh(inventory))

    async def _refresh(self, inventory: Inventory) -> None:
        try:
            self._loaded(inventory.name, tuple(await inventory.load()))
        except Exception as error:  # noqa: BLE001  a source that is away keeps its last snapshot
            self._logger.warn("inventory {name} could not be loaded: {error}", name=inventory.name, error=str(error))
