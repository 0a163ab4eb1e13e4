"""The event bus: what happened goes to the store, to plugins and to triggers, after the reply has left."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from provd.model.event import Event

TURN_S: Final = 0.005
"""Seconds of one reactor turn that listeners may take together; what is left waits for the next one."""


class EventLog(Protocol):
    """Where events are kept."""

    def append(self, event: Event) -> int:
        """Keep the event and return its number."""
        ...


Listener = Callable[[Event], None]


class EventBus:
    """Publishes events in the order they happened, on the next turns of the reactor.

    A thousand leases that end at once hold up no packet.
    A listener that raises is logged and the others still hear the event.
    """

    def __init__(self, clock: IReactorTime, log: EventLog) -> None:
        self._clock = clock
        self._store = log
        self._listeners: list[Listener] = []
        self._queue: deque[Event] = deque()
        self._waking = False
        self._logger = Logger(namespace="provd.events")

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every event from now on."""
        self._listeners.append(listener)

    def publish(self, event: Event) -> None:
        """Hand over an event; the caller's reply is never delayed by it."""
        self._queue.append(event)
        if not self._waking:
            self._waking = True
            self._clock.callLater(0, self._turn)

    def flush(self) -> None:
        """Deliver everything that waits; called at shutdown."""
        for _ in range(len(self._queue)):
            self._deliver(self._queue.popleft())

    def _turn(self) -> None:
        until = self._clock.seconds() + TURN_S
        # What listeners publish meanwhile comes in a turn of its own, so that no circle of events holds the reactor.
        for _ in range(len(self._queue)):
            self._deliver(self._queue.popleft())
            if self._clock.seconds() >= until:
                break
        self._waking = bool(self._queue)
        if self._waking:
            self._clock.callLater(0, self._turn)

    def _deliver(self, event: Event) -> None:
        kept = event
        if event.session or event.system:
            # A plain client's DHCP is in the lease table already; only boots and systems have a history to keep.
            try:
                kept = event.numbered(self._store.append(event))
            except Exception:  # noqa: BLE001  a full disk must not silence triggers
                self._logger.failure("event {kind} could not be stored", kind=event.kind)
        for listener in self._listeners:
            try:
                listener(kept)
            except Exception:  # noqa: BLE001  one listener must not silence the others
                self._logger.failure("listener failed on {kind}", kind=kept.kind)
