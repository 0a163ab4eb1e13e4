"""Changes to distros and profiles: asked of plugins, written into the site's files, swapped in, told; or refused."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from provd.config.catalogue import Catalogue
from provd.config.draft import Draft, DraftError
from provd.config.errors import ConfigError
from provd.model.distro import Distro
from provd.model.event import Event
from provd.model.profile import Profile
from provd.model.system import System
from provd.plugin.contract import Change
from provd.service import audit
from provd.service.ports import ChangeHost, Publish

_SINGULAR: Mapping[str, str] = {"distros": "distro", "profiles": "profile"}


class CatalogueChangeError(ValueError):
    """A change is not made; the sentence says why.

    Attributes:
        field: argument that is wrong, or empty.
        kind: ``refused``, ``not-found`` or ``failed``.
    """

    def __init__(self, sentence: str, *, field: str = "", kind: str = "refused") -> None:
        super().__init__(sentence)
        self.field, self.kind = field, kind


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change did, or would do.

    Attributes:
        applied: False for a dry run.
        files: path and difference of every file, as unified diff.
        objects: ``distro NAME`` or ``profile NAME`` to its new revision, empty for what is gone.
        systems: names of the systems that were changed or removed with them.
    """

    applied: bool
    files: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)
    systems: tuple[str, ...] = ()


class SystemsView(Protocol):
    """What changes to profiles ask of the systems."""

    def all(self) -> Sequence[System]:
        """Every system."""
        ...

    def edit(self, name: str, after: System, *, expected: str) -> System:
        """Replace a system of the store."""
        ...

    def remove(self, name: str) -> None:
        """Remove a system of the store."""
        ...


class CatalogueChanges:
    """Makes drafts real.

    Args:
        current: the catalogue in force.
        swap: puts another one into force.
        writable: why the site's files may not be written, or empty.
        systems: who uses a profile.
        host: asks plugins for vetoes.
        publish: event bus.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        current: Callable[[], Catalogue],
        swap: Callable[[Catalogue], None],
        writable: Callable[[], str],
        systems: SystemsView,
        host: ChangeHost,
        publish: Publish,
        wall: Callable[[], float],
    ) -> None:
        self._current, self._swap, self._writable = current, swap, writable
        self._systems, self._host = systems, host
        self._publish, self._wall = publish, wall

    def begin(self) -> Draft:
        """A draft on the catalogue in force."""
        return Draft(self._current())

    def change(self, work: Callable[[Draft], None], *, dry_run: bool = False) -> Changed:
        """Make one or several changes, all or none.

        Args:
            work: changes the draft.
            dry_run: tell what would be done, and do nothing.

        Raises:
            CatalogueChangeError: refused, with the reason; nothing is changed.
        """
        draft = self.begin()
        try:
            work(draft)
        except DraftError as error:
            raise CatalogueChangeError(
                str(error), field=error.field, kind="not-found" if error.missing else "refused"
            ) from error
        return self.apply(draft, dry_run=dry_run)

    def apply(self, draft: Draft, *, dry_run: bool = False) -> Changed:
        """Make a draft real.

        Raises:
            CatalogueChangeError: stale, not allowed, used by systems, vetoed, or not written.
        """
        if draft.base is not self._current():
            raise CatalogueChangeError("the catalogue was changed meanwhile; begin again")
        moved = self._moved(draft)
        self._ask_plugins(draft)
        report = self._report(draft, moved, applied=not dry_run)
        if dry_run or not draft.changes:
            audit.outcome("dry run")
            return report
        reason = self._writable()
        if reason:
            raise CatalogueChangeError(reason)
        try:
            draft.commit()
        except ConfigError as error:
            raise CatalogueChangeError(str(error), kind="failed") from error
        self._swap(draft.catalogue)
        for system in moved:
            renamed = draft.renamed.get(system.profile)
            if renamed is not None:
                self._systems.edit(system.name, replace(system, profile=renamed), expected=system.version)
            else:
                self._systems.remove(system.name)
        for subject, revision in report.objects.items():
            kind, _, name = subject.partition(" ")
            audit.changed(subject, _object(draft.base, kind, name), _object(draft.catalogue, kind, name))
            self._publish(Event(f"{kind}.changed", self._wall(), fields={"name": name, "revision": revision}))
        return report

    def _moved(self, draft: Draft) -> tuple[System, ...]:
        """Systems whose profile gets another name or goes; one whose definition is not ours stops it."""
        gone = (draft.base.profiles.keys() - draft.catalogue.profiles.keys()) | draft.renamed.keys()
        moved = tuple(system for system in self._systems.all() if system.profile in gone) if gone else ()
        for system in moved:
            if system.origin != "store":
                home = system.file or system.origin
                raise CatalogueChangeError(
                    f"system {system.name} uses profile {system.profile}; change it first ({home})"
                )
            if system.profile not in draft.renamed and not draft.recursive:
                raise CatalogueChangeError(
                    f"profile {system.profile} is used by system {system.name}; a recursive removal takes it away too"
                )
        return moved

    def _ask_plugins(self, draft: Draft) -> None:
        for folder, name in draft.changes:
            kind = _SINGULAR[folder]
            before, after = _object(draft.base, kind, name), _object(draft.catalogue, kind, name)
            verb = "add" if before is None else "edit" if after is not None else "remove"
            veto = self._host.change(Change(f"{kind}.{verb}", name, before, after))
            if veto is not None:
                raise CatalogueChangeError(veto.reason)

    def _report(self, draft: Draft, moved: Sequence[System], *, applied: bool) -> Changed:
        sources = draft.base.sources
        files = {}
        for (folder, name), raw in draft.changes.items():
            path = sources.site_file(folder, name)
            old = next((one.octets for one in sources.entries[folder].get(name, ()) if one.path == str(path)), b"")
            files[str(path)] = _difference(old, raw or b"", path)
        subjects = [(_SINGULAR[folder], name) for folder, name in draft.changes]
        objects = {f"{kind} {name}": draft.catalogue.revision(kind, name) for kind, name in subjects}
        return Changed(applied, files, objects, tuple(system.name for system in moved))


def _object(catalogue: Catalogue, kind: str, name: str) -> Distro | Profile | None:
    return catalogue.distros.get(name) if kind == "distro" else catalogue.profiles.get(name)


def _difference(old: bytes, new: bytes, path: Path) -> str:
    lines = difflib.unified_diff(
        old.decode().splitlines(keepends=True),
        new.decode().splitlines(keepends=True),
        str(path) if old else "/dev/null",
        str(path) if new else "/dev/null",
    )
    return "".join(lines)
