"""One call: who makes it and what it may ask of provd's operations."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provd.api.cobbler.tasks import Tasks
from provd.api.cobbler.writing import Drafts
from provd.model.account import Caller
from provd.service.access import Access, at_once
from provd.service.operations import OperationError, OperationTable

DIRECT: Final = "<DIRECT>"
"""User name that Cobbler gives to whoever has shown the shared secret."""


_WRITES: Final = frozenset({"add", "edit", "copy", "rename", "remove"})
_WAITING: Final = 1000
_STEP: Final = re.compile(r"^changes\[\d+\](?:\.arguments\.?|: )?")
"""How a change that is one of several names its place."""

Write = tuple[str, dict[str, Any]]
"""An operation that writes an object, and its arguments."""


async def no_pause() -> None:
    """Nobody else waits."""


class CobblerError(Exception):
    """A call is refused; the sentence says why (Cobbler's ``CX``)."""


@dataclass(frozen=True, slots=True)
class Secret:
    """The shared secret of local commands: a type, so that nothing else is taken for one (CVE-2024-47533)."""

    octets: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.octets) < 32:
            raise ValueError("a shared secret has at least 32 octets")


@dataclass(slots=True)
class Bridge:
    """What all calls share.

    Attributes:
        table: the operations.
        access: users and tokens.
        secret: the shared secret of this run.
        anonymous: whether a peer (dotted quad) may read without a token.
        tasks: background tasks and their events.
        drafts: objects that are being made or changed.
        facts: settings that clients read.
        transactions: writes that wait, by token.
        in_thread: runs what takes long off the reactor's thread.
        pause: lets others have their turn.
    """

    table: OperationTable
    access: Access
    secret: Secret
    anonymous: Callable[[str], bool]
    tasks: Tasks
    drafts: Drafts
    facts: Callable[[], Mapping[str, object]]
    transactions: dict[str, list[Write]] = field(default_factory=dict)
    in_thread: Callable[[Callable[[], Any]], Awaitable[Any]] = at_once
    pause: Callable[[], Awaitable[object]] = no_pause


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        bridge: what all calls share.
        caller: who makes it.
        token: the token it came with, empty without one.
        peer: address that it came from.
        loopback: it came from this machine.
    """

    bridge: Bridge
    caller: Caller
    token: str
    peer: str
    loopback: bool

    async def ask(self, operation: str, **arguments: Any) -> Any:
        """Result of an operation, done for the caller.

        Raises:
            OperationError: refused.
        """
        if self.waiting is None or operation.rpartition(".")[2] not in _WRITES:
            return await self.bridge.table.call(operation, arguments, caller=self.caller)
        self._wait([(operation, arguments)])
        return {}

    @property
    def waiting(self) -> list[Write] | None:
        """Writes of the caller's transaction; None where none has begun."""
        return self.bridge.transactions.get(self.token) if self.token else None

    def _wait(self, writes: Sequence[Write]) -> None:
        waiting = self.waiting
        if waiting is None or len(waiting) + len(writes) > _WAITING:
            raise CobblerError(f"a transaction has at most {_WAITING} writes")
        for operation, arguments in writes:
            kind, name = operation.partition(".")[0], arguments.get("name")
            known = any((one.partition(".")[0], more.get("name")) == (kind, name) for one, more in waiting)
            if arguments.get("revision") and known:
                # It would be made of what is there now, and undo what waits.
                raise CobblerError(f"{kind} {name} waits in this transaction already; commit that first")
        waiting.extend(writes)

    async def together(self, writes: Sequence[Write]) -> None:
        """Do several writes, all or none.

        Raises:
            OperationError: one is refused.
        """
        if self.waiting is not None:
            self._wait(writes)
            return
        if len(writes) == 1:
            await self.ask(writes[0][0], **writes[0][1])
            return
        changes = [{"operation": operation, "arguments": arguments} for operation, arguments in writes]
        try:
            await self.ask("change", changes=changes)
        except OperationError as error:
            field = _STEP.sub("", error.field)
            raise OperationError(_STEP.sub("", str(error)), field=field, kind=error.kind) from error

    async def has(self, kind: str, name: str) -> bool:
        """Whether there is such an object; a system is found by a MAC as well, which is no name."""
        try:
            shown = await self.ask(f"{kind}.show", name=name)
        except OperationError as error:
            if error.kind == "not-found":
                return False
            raise
        return bool(shown["name"] == name)
