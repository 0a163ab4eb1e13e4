"""The event bus: what happened goes to the store, to plugins and to triggers, after the reply has left.

A boot tells some twenty things and nobody listens to most of them, so that they stay what they were told as
(:data:`provd.model.event.Told`) until a listener, or a reader of the timeline, wants an :class:`Event`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from provd.model.event import Event, Told

TURN_S: Final = 0.005
"""Seconds of one reactor turn that listeners may take together; what is left waits for the next one."""
GATHER_S: Final = 1.0
"""Seconds after which the log is told to write what it gathers; events are no promise to anybody."""


class EventLog(Protocol):
    """Where events are kept."""

    def keep(self, told: Told) -> int:
        """Keep an event and return its number; it may be gathered with others of its boot."""
        ...

    @property
    def gathers(self) -> bool:
        """Something waits for :meth:`flush`."""
        ...

    def flush(self) -> None:
        """Write what was gathered."""
        ...


Listener = Callable[[Event], None]
Wanted = Callable[[], bool]
_Heard = tuple[tuple[Listener, Wanted | None], ...]


class EventBus:
    """Publishes events in the order they happened, on the next turns of the reactor.

    A thousand leases that end at once hold up no packet.
    A listener that raises is logged and the others still hear the event.

    Attributes:
        published: events by kind since the start.
    """

    def __init__(self, clock: IReactorTime, log: EventLog) -> None:
        self._clock = clock
        self._store = log
        self._listeners: list[tuple[Listener, frozenset[str] | None, Wanted | None]] = []
        self._by_kind: dict[str, _Heard] = {}
        self._queue: deque[Event] = deque()
        self._waking = self._flushing = False
        self._logger = Logger(namespace="provd.events")
        self.published: Counter[str] = Counter()

    def listen(self, listener: Listener, kinds: Collection[str] | None = None, *, wanted: Wanted | None = None) -> None:
        """Call ``listener`` with every event from now on.

        Args:
            listener: called.
            kinds: that it hears; None for all.
            wanted: whether it listens now; None for always.
        """
        self._listeners.append((listener, None if kinds is None else frozenset(kinds), wanted))
        self._by_kind.clear()

    def publish(self, event: Event) -> None:
        """Hand over an event; the caller's reply is never delayed by it."""
        self.tell((event.kind, event.at, event.session, event.system, event.mac, event.fields))

    def tell(self, told: Told) -> None:
        """The same without an event: it is made where somebody listens."""
        kind, number = told[0], 0
        self.published[kind] += 1
        if told[2] or told[3]:
            # A plain client's DHCP is in the lease table already; only boots and systems have a history to keep.
            try:
                number = self._store.keep(told)
            except Exception:  # noqa: BLE001  a full disk must not silence triggers
                self._logger.failure("event {kind} could not be stored", kind=kind)
            if not self._flushing and self._store.gathers:
                self._flushing = True
                self._clock.callLater(GATHER_S, self._write)
        heard = self._by_kind.get(kind)
        for _, wanted in self._heard(kind) if heard is None else heard:
            if wanted is None or wanted():
                self._queue.append(Event(*told, number))
                if not self._waking:
                    self._waking = True
                    self._clock.callLater(0, self._turn)
                return

    def flush(self) -> None:
        """Deliver and write everything that waits; called at shutdown."""
        for _ in range(len(self._queue)):
            self._deliver(self._queue.popleft())
        self._store.flush()

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

    def _write(self) -> None:
        self._flushing = False
        self._store.flush()

    def _heard(self, kind: str) -> _Heard:
        found = tuple((one, wanted) for one, kinds, wanted in self._listeners if kinds is None or kind in kinds)
        if len(self._by_kind) < _MOST_KINDS:
            self._by_kind[kind] = found
        return found

    def _deliver(self, event: Event) -> None:
        for listener, wanted in self._heard(event.kind):
            try:
                if wanted is None or wanted():
                    listener(event)
            except Exception:  # noqa: BLE001  one listener must not silence the others
                self._logger.failure("listener failed on {kind}", kind=event.kind)


_MOST_KINDS: Final = 1000
"""Kinds whose listeners are remembered; plugins may make up any number."""
