"""The queue of installations, for people."""

from __future__ import annotations

from collections.abc import Callable

from provd.model.session import BootSession
from provd.plugin.contract import Operation
from provd.service.admission import Admission
from provd.service.operations import NoArguments


class QueueOperations:
    """``queue.list``.

    Args:
        admission: the queue.
        wall: seconds since the epoch.
    """

    def __init__(self, admission: Admission, wall: Callable[[], float]) -> None:
        self._admission, self._wall = admission, wall

    def operations(self) -> tuple[Operation, ...]:
        """The one there is."""
        return (
            Operation(
                "queue.list", "List machines that wait for a place to install, in order, and those that install.",
                "read", NoArguments, self._list, "provd queue list",
                result="One row per machine: `state` (`waiting` or `running`), `place` in the queue, `system`, "
                "`subnet`, `source`, `since`, `seconds`, `asked_at`, and `reason`: what it waits for.",
            ),
        )  # fmt: skip

    def _list(self, _arguments: NoArguments) -> object:
        waiting = [self._row(one, place) for place, one in enumerate(self._admission.waiting(), 1)]
        return [*waiting, *(self._row(one, 0) for one in self._admission.running())]

    def _row(self, session: BootSession, place: int) -> dict[str, object]:
        reason = (self._admission.why(session) or "its turn: it installs when it asks next") if place else ""
        return {
            "state": "waiting" if place else "running",
            "place": place or None,
            "system": session.system,
            "mac": session.mac,
            "session": session.id,
            "subnet": session.subnet,
            "source": session.source,
            "step": session.step,
            "since": session.queued_at,
            "seconds": round(self._wall() - session.queued_at, 1),
            "asked_at": self._admission.asked_at(session.id) or None,
            "reason": reason,
        }
