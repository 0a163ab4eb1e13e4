"""What a store keeps and how it is asked; nothing here knows which database it is.

Reads answer at once and see every write that was handed over before, durable or not. Writes are handed over and become
durable together with others soon after; ``done`` is called with None then, or with the reason why they did not.
It is always called on the thread that owns the store, never from within the call that hands over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from provd.model.event import Event, Told
from provd.model.lease import Lease
from provd.model.session import BootSession
from provd.model.system import InstallState, System
from provd.model.token import InstallToken
from provd.model.trigger import TriggerRun
from provd.store.interface_accounts import AccountStore, AuditStore

Done = Callable[[Exception | None], None]
"""Called once when a write is durable (None) or failed."""

Deliver = Callable[[Callable[[], None]], None]
"""Runs a function on the owning thread: ``reactor.callFromThread``."""


class StoreError(Exception):
    """The store cannot be used or a write failed; one sentence."""


class StoreTooNewError(StoreError):
    """The file was written by a newer provd."""


class StaleWriteError(StoreError):
    """The object was changed by somebody else since it was read, or already exists, or is gone."""


class LeaseStore(Protocol):
    """Leases by address."""

    def load(self) -> Iterable[Lease]:
        """Every lease, in the order of addresses."""
        ...

    def commit(self, leases: Sequence[Lease], removed: Sequence[int], done: Done) -> None:
        """Insert or replace ``leases`` and remove those of the addresses ``removed``, all or nothing."""
        ...

    def begin_turn(self) -> None:
        """What is committed from here to :meth:`end_turn` is handed over together."""
        ...

    def end_turn(self) -> None:
        """Hand over what was committed since :meth:`begin_turn`."""
        ...


@dataclass(frozen=True, slots=True)
class SystemWrite:
    """One of several writes that become durable together.

    Attributes:
        name: which system.
        system: the new value, None where it goes.
        expected: version that was read; empty for a system that must not exist yet.
    """

    name: str
    system: System | None
    expected: str = ""


class SystemStore(Protocol):
    """Systems of origin ``store``, by name; every edit names the version it was made from.

    Edits are rare and somebody waits for them: they block until they are durable, one commit long.
    """

    def all(self) -> Sequence[System]:
        """Every system, in the order of names."""
        ...

    def get(self, name: str) -> System | None:
        """The system of this name."""
        ...

    def put(self, system: System, *, expected: str) -> System:
        """Write a system and return it with its new version.

        Args:
            system: its ``version`` is ignored.
            expected: version that was read; empty for a system that must not exist yet.

        Raises:
            StaleWriteError: the stored version is another one.
            StoreError: it could not be made durable; nothing changed.
        """
        ...

    def remove(self, name: str, *, expected: str) -> None:
        """Remove a system of this version.

        Raises:
            StaleWriteError: the stored version is another one, or it is gone.
            StoreError: it could not be made durable; nothing changed.
        """
        ...

    def change(self, writes: Sequence[SystemWrite]) -> Sequence[System]:
        """Several writes in their order, all or none; returns what was written, with new versions.

        Raises:
            StaleWriteError: a stored version is another one.
            StoreError: they could not be made durable; nothing changed.
        """
        ...


class InstallStore(Protocol):
    """What earlier installs came to, by system name."""

    def get(self, system: str) -> InstallState:
        """The state; a fresh one where nothing was kept."""
        ...

    def all(self) -> Mapping[str, InstallState]:
        """Every state that was kept."""
        ...

    def held(self) -> Mapping[str, InstallState]:
        """The states of held systems, found without looking at the others."""
        ...

    def put(self, system: str, state: InstallState) -> None:
        """Insert or replace."""
        ...

    def sync(self, system: str) -> None:
        """Wait until the state is durable; :class:`StoreError` where it could not be written now."""
        ...

    def remove(self, system: str) -> None:
        """Forget a system's state."""
        ...


class SessionStore(Protocol):
    """Boot sessions and their events."""

    def save_session(self, session: BootSession) -> None:
        """Insert or replace the session with this id."""
        ...

    def session(self, session: str) -> BootSession | None:
        """The session with this id."""
        ...

    def recent_sessions(self, since: float) -> Iterable[BootSession]:
        """Newest session of every machine whose last event is not older than ``since``; the newest last."""
        ...

    def sessions(self, *, system: str = "", mac: str = "", limit: int = 20) -> Sequence[BootSession]:
        """Sessions of a system, of a MAC or of all, the newest first."""
        ...

    def append(self, event: Event) -> int:
        """Keep an event and return its number; numbers only grow."""
        ...

    def keep(self, told: Told) -> int:
        """The same for an event that is not made yet; it may be gathered, so that a boot is few writes."""
        ...

    @property
    def gathers(self) -> bool:
        """Something waits for :meth:`flush`; readers see it already."""
        ...

    def flush(self) -> None:
        """Write what was gathered."""
        ...

    def events(self, session: str) -> Sequence[Event]:
        """Events of a session in the order they happened."""
        ...

    def last_event(self) -> int:
        """Number of the newest event, 0 before the first."""
        ...

    def events_after(self, number: int, *, system: str = "", limit: int = 1000) -> Sequence[Event]:
        """Events with a larger number, the oldest first."""
        ...

    def prune(self, *, before: float, keep: int) -> None:
        """Remove sessions older than ``before`` and all but the ``keep`` newest, with their events; and old events."""
        ...


class TokenStore(Protocol):
    """Install tokens.

    The text of a live token is kept, not only its hash: after a restart the same boot must get the same configuration
    again, token included, and a hash cannot give it back. The store's file is readable by its owner alone, and when a
    token ends its text is replaced by its hash, so that a copy of the file grants nothing that has ended.
    An ended token is still found by its text, so that its use is refused with the reason.
    """

    def find(self, token: str) -> InstallToken | None:
        """The record of this token, ended or not."""
        ...

    def of_session(self, session: str) -> InstallToken | None:
        """The token of a session; the text of an ended one may be gone."""
        ...

    def save(self, token: InstallToken) -> None:
        """Insert or replace."""
        ...

    def prune(self, *, before: float) -> None:
        """Remove tokens that expired before this time."""
        ...


class TriggerRunStore(Protocol):
    """Runs of triggers with their output."""

    def record(self, run: TriggerRun) -> int:
        """Keep one run under its number, or under a new one where that is 0; gives the number."""
        ...

    def runs(self, *, event_id: int = 0, limit: int = 50) -> Sequence[TriggerRun]:
        """Runs that one event started, or all; the newest first."""
        ...

    def prune(self, *, before: float) -> None:
        """Remove runs that started before this time."""
        ...


class Store(Protocol):
    """Everything that is kept."""

    @property
    def leases(self) -> LeaseStore:
        """Leases by address."""
        ...

    @property
    def systems(self) -> SystemStore:
        """Systems by name."""
        ...

    @property
    def installs(self) -> InstallStore:
        """What installs came to."""
        ...

    @property
    def sessions(self) -> SessionStore:
        """Boot sessions and events."""
        ...

    @property
    def tokens(self) -> TokenStore:
        """Install tokens."""
        ...

    @property
    def trigger_runs(self) -> TriggerRunStore:
        """Runs of triggers."""
        ...

    @property
    def accounts(self) -> AccountStore:
        """Users and API tokens."""
        ...

    @property
    def audit(self) -> AuditStore:
        """What was changed, by whom."""
        ...

    @property
    def damage(self) -> Sequence[str]:
        """Sentences about what was found damaged at the start and what became of it; empty for a sound store."""
        ...

    def flush(self, done: Done) -> None:
        """Call ``done`` once everything handed over before is durable or failed."""
        ...

    def close(self) -> None:
        """Make everything durable, then close; blocks, and ``done`` of what was pending is still delivered."""
        ...
