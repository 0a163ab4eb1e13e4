"""What the operations of a running server ask it for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from provd.app.listeners import Listeners
from provd.app.reload import ReloadReport
from provd.app.services import Services
from provd.model.event import Event
from provd.model.session import BootSession
from provd.service.rogue import RogueWatch


class Running(Protocol):
    """The server, as far as operations ask it."""

    services: Services
    listeners: Listeners
    rogue: RogueWatch
    json: Any

    def in_thread(self, work: Callable[[], Any]) -> Awaitable[Any]:
        """Run what takes long off the reactor's thread."""
        ...

    def standing(self) -> Iterable[tuple[BootSession, Event]]:
        """Boots that stand still now, each with the event that tells why."""
        ...

    def reload(self, *, dry_run: bool = False) -> ReloadReport:
        """Read all files anew."""
        ...
