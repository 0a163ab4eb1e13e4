"""What several edits of systems come to before anything is written, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from provd.model.system import System
from provd.plugin.contract import Change
from provd.service.ports import SystemStore
from provd.service.system_index import SystemIndex
from provd.store.interface import SystemWrite
from provd.store.versions import with_version


class ChangeRefusedError(Exception):
    """A change is not made; the sentence says why.

    Attributes:
        field: argument that is wrong, or empty.
        kind: ``refused``, ``not-found`` or ``denied``.
        system: of several edits the name of the one that is refused, or empty.
    """

    def __init__(self, sentence: str, *, field: str = "", kind: str = "refused") -> None:
        super().__init__(sentence)
        self.field, self.kind = field, kind
        self.system = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one system.

    Attributes:
        name: which system; empty for a new one.
        after: how it will be, perhaps under another name; None: it goes.
        expected: version that the editor saw; empty skips the check.
    """

    name: str
    after: System | None
    expected: str = ""

    def verb(self) -> str:
        """``add``, ``edit``, ``rename`` or ``remove``."""
        if self.after is None:
            return "remove"
        if not self.name:
            return "add"
        return "edit" if self.after.name == self.name else "rename"


@dataclass(slots=True)
class Staged:
    """One edit that the index shows already.

    Attributes:
        edit: what was asked for.
        before: the system as it was, None for a new one.
        after: the system as it is, None for one that is gone.
    """

    edit: Edit
    before: System | None
    after: System | None

    def writes(self) -> list[SystemWrite]:
        """What the store has to do, in order."""
        before, after = self.before, self.after
        same = before is not None and after is not None and before.name == after.name
        found = [] if before is None or same else [SystemWrite(before.name, None, before.version)]
        if after is not None:
            found.append(SystemWrite(after.name, after, before.version if before is not None and same else ""))
        return found


class Staging:
    """Edits that the index shows and the store does not have yet.

    Args:
        index: shows each edit to the checks of the next one.
        store: where they will be kept.
        allowed: raises where a change is wrong or a plugin refuses it.
    """

    def __init__(self, index: SystemIndex, store: SystemStore, allowed: Callable[[Change], None]) -> None:
        self._index, self._store, self._allowed = index, store, allowed
        self.staged: list[Staged] = []
        self.afterwards: list[Callable[[], None]] = []

    def stage(self, edit: Edit, before: System | None) -> None:
        """Check an edit and let the index show it.

        Raises:
            ChangeRefusedError: it is stale, the name is taken, or it is not allowed.
        """
        if before is not None and edit.expected and edit.expected != before.version:
            sentence = f"system {before.name} was changed meanwhile (revision {before.version}, not {edit.expected})"
            raise ChangeRefusedError(sentence, field="revision")
        after = None if edit.after is None else replace(edit.after, origin="store", file="")
        taken = self._index.get(after.name) if after is not None else None
        if after is not None and taken is not None and taken is not before:
            raise ChangeRefusedError(f"system {after.name} exists already ({home_of(taken)})", field="name")
        verb = "edit" if edit.verb() == "rename" else edit.verb()
        self._allowed(Change(f"system.{verb}", edit.name or edit.after.name, before, after))  # type: ignore[union-attr]
        if before is not None:
            self._index.drop(before)
        if after is not None:
            after = with_version(after)
            self._index.put(after)
        self.staged.append(Staged(edit, before, after))

    def undo(self) -> None:
        """The index shows what it showed before."""
        for one in reversed(self.staged):
            if one.after is not None:
                self._index.drop(one.after)
            if one.before is not None:
                self._index.put(one.before)

    def write(self) -> None:
        """Keep all of them in one transaction.

        Raises:
            StoreError: nothing was kept.
        """
        kept = iter(self._store.change([write for one in self.staged for write in one.writes()]))
        for one in self.staged:
            if one.after is not None:
                shown = self._index.get(one.after.name) is one.after
                one.after = next(kept)
                if shown:
                    self._index.put(one.after)

    def names(self) -> tuple[str, ...]:
        """Every name that is written or removed."""
        return tuple(dict.fromkeys(write.name for one in self.staged for write in one.writes()))

    def told(self) -> str:
        """Beginning of the sentence that says that nothing was kept."""
        what = "removed" if all(one.after is None for one in self.staged) else "stored"
        noun = "system" if len(self.names()) == 1 else "systems"
        return f"{noun} {', '.join(self.names())} could not be {what}"


def home_of(system: System) -> str:
    """Where a system is defined."""
    return system.file or system.origin
