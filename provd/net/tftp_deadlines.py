"""The deadlines of all transfers behind one timer of the reactor.

A timer of the reactor that is moved forward is looked for among all of them, which thousands of transfers cannot
afford.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

_LATE_S: Final = 0.02
"""A ring that comes later than this finds acknowledgements that nobody has read yet."""


class Alarm:
    """One transfer's deadline.

    Attributes:
        at: seconds of the clock at which ``due`` is called, infinity for never.
    """

    __slots__ = ("at", "due")

    def __init__(self, due: Callable[[], None]) -> None:
        self.at = float("inf")
        self.due = due


class Deadlines:
    """Calls alarms when their time has come.

    Args:
        clock: the reactor's time.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Alarm]] = []
        self._number = count()
        self._timer: IDelayedCall | None = None
        self._timer_at = float("inf")
        self._heard_first = False
        self._logger = Logger(namespace="provd.tftp")

    def set(self, alarm: Alarm, at: float) -> None:
        """The alarm is due then; what was set before counts no more."""
        alarm.at = at
        heapq.heappush(self._heap, (at, next(self._number), alarm))
        self._wind()

    def cancel(self, alarm: Alarm) -> None:
        """It is never due."""
        alarm.at = float("inf")
        self._wind()

    def _wind(self) -> None:
        """The reactor's timer stands at the first alarm that counts."""
        heap = self._heap
        while heap and heap[0][2].at != heap[0][0]:
            heapq.heappop(heap)
        first = heap[0][0] if heap else float("inf")
        if self._timer is not None and self._timer_at <= first and heap:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = first
        if heap:
            self._timer = self._clock.callLater(max(0.0, first - self._clock.seconds()), self._ring)

    def _ring(self) -> None:
        now = self._clock.seconds()
        # A server that was busy is late, not its clients: what they said meanwhile is heard first, in one turn of the
        # reactor. Otherwise a rack that boots is sent everything twice, which makes the server busier still.
        if self._heap and now - self._heap[0][0] > _LATE_S and not self._heard_first:
            self._heard_first = True
            self._timer = self._clock.callLater(0, self._ring)
            return
        self._heard_first = False
        self._timer, self._timer_at = None, float("inf")
        due: list[Alarm] = []
        while self._heap and self._heap[0][0] <= now:
            at, _, alarm = heapq.heappop(self._heap)
            if alarm.at == at:
                alarm.at = float("inf")
                due.append(alarm)
        for alarm in due:
            try:
                alarm.due()
            except Exception:  # noqa: BLE001  the other transfers' deadlines must come as well
                self._logger.failure("a transfer failed at its deadline")
        self._wind()
