"""Changes to distros and profiles: asked of plugins, written into the site's files, swapped in, told; or refused."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from provd.config.catalogue import Catalogue
from provd.config.document import own_table
from provd.config.draft import Draft
from provd.config.errors import ConfigError
from provd.config.kinds import KINDS, SINGULAR
from provd.config.site_templates import FOLDER, revision_of
from provd.config.template_draft import DraftError
from provd.model.distro import Distro
from provd.model.event import Event
from provd.model.profile import Profile
from provd.model.system import System
from provd.plugin.contract import Change
from provd.plugin.scrub import scrub_lines, secret_words
from provd.service import audit
from provd.service.catalogue_outcome import CatalogueChangeError, Changed
from provd.service.ports import ChangeHost, Publish
from provd.service.system_edits import Edit


class SystemsView(Protocol):
    """What changes to profiles ask of the systems."""

    def users(self, profile: str) -> Collection[str]:
        """Names of the systems of a profile."""
        ...

    def get(self, name: str) -> System | None:
        """The system of this name."""
        ...

    def change(self, edits: Sequence[Edit]) -> object:
        """Edit or remove systems of the store."""
        ...

    def several(self, *, dry_run: bool, between: Callable[[], None]) -> AbstractContextManager[object]:
        """Keep at the end what is changed inside."""
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
        self._open: Draft | None = None

    def own(self, kind: str, name: str) -> Mapping[str, Any]:
        """What an object's own file says, without what it inherits.

        Raises:
            CatalogueChangeError: there is no such object, or its file is broken.
        """
        try:
            return Draft(self._current()).own(kind, name)
        except DraftError as error:
            kind_ = "not-found" if error.missing else "refused"
            raise CatalogueChangeError(str(error), field=error.field, kind=kind_) from error

    def change(self, work: Callable[[Draft], None], *, dry_run: bool = False) -> Changed:
        """Make one or several changes, all or none; inside of :meth:`several` they wait for its end.

        Args:
            work: changes the draft.
            dry_run: tell what would be done, and do nothing.

        Raises:
            CatalogueChangeError: refused, with the reason; nothing is changed.
            provd.service.system_edits.ChangeRefusedError: a system that has to follow cannot.
        """
        if self._open is not None:
            return self._step(self._open, work, applied=True)
        with self.several(dry_run=dry_run) as draft:
            return self._step(draft, work, applied=not dry_run)

    @contextmanager
    def several(self, *, dry_run: bool = False) -> Iterator[Draft]:
        """Everything that is changed inside, systems too, is kept at the end, or nothing of it.

        The files are written first, as one (:mod:`provd.config.journal`), then the systems, in one transaction of the
        store. Where the store refuses, the files are written back. A crash between the two leaves the files new and the
        systems old: each system is whole, and one that names a profile that is gone is reported and held.

        Raises:
            CatalogueChangeError: not allowed, vetoed, or not written; nothing is changed.
        """
        base = self._current()
        draft = self._open = Draft(base, _owns)
        try:
            with self._systems.several(dry_run=dry_run, between=lambda: self._write(draft, dry_run=dry_run)):
                yield draft
        except BaseException:
            self._back(base, draft)
            raise
        finally:
            self._open = None
        if dry_run:
            self._back(base, draft)
        else:
            self._tell(draft)

    def _step(self, draft: Draft, work: Callable[[Draft], None], *, applied: bool) -> Changed:
        """One change of the draft, with the systems that follow it."""
        before, known = draft.catalogue, dict(draft.changes)
        draft.renamed, draft.recursive = {}, False
        try:
            work(draft)
        except DraftError as error:
            kind = "not-found" if error.missing else "denied" if error.denied else "refused"
            raise CatalogueChangeError(str(error), field=error.field, kind=kind) from error
        moved = self._moved(draft, before)
        # Systems are checked against the catalogue as it will be.
        self._swap(draft.catalogue)
        self._systems.change([Edit(system.name, self._follow(draft, system)) for system in moved])
        new = [key for key, raw in draft.changes.items() if key not in known or known[key] is not raw]
        return self._report(draft, new, moved, applied=applied)

    def _follow(self, draft: Draft, system: System) -> System | None:
        renamed = draft.renamed.get(system.profile)
        return None if renamed is None else replace(system, profile=renamed)

    def _write(self, draft: Draft, *, dry_run: bool) -> None:
        self._refuse_stale(draft)
        self._ask_plugins(draft)
        if dry_run or not draft.changes:
            return
        reason = self._writable()
        if reason:
            raise CatalogueChangeError(reason)
        try:
            draft.commit()
        except ConfigError as error:
            raise CatalogueChangeError(str(error), kind="failed") from error

    def _refuse_stale(self, draft: Draft) -> None:
        path = next(draft.stale(), None)
        if path is not None:
            rule = "was changed on disk since provd read it; provd reload reads it, then repeat the change"
            raise CatalogueChangeError(f"{path} {rule}")

    def _back(self, base: Catalogue, draft: Draft) -> None:
        if self._current() is not base:
            self._swap(base)
        try:
            draft.revert()
        except ConfigError as error:
            raise CatalogueChangeError(f"the files could not be written back: {error}", kind="failed") from error

    def _tell(self, draft: Draft) -> None:
        for folder, name in draft.changes:
            if draft.before(folder, name) == draft.changes[folder, name]:
                continue
            kind = _kind(folder)
            revision = _revision(draft, folder, name)
            audit.changed(f"{kind} {name}", *_both(draft, folder, name))
            self._publish(Event(f"{kind}.changed", self._wall(), fields={"name": name, "revision": revision}))

    def _moved(self, draft: Draft, before: Catalogue) -> tuple[System, ...]:
        """Systems whose profile gets another name or goes; one whose definition is not ours stops it."""
        gone = (before.profiles.keys() - draft.catalogue.profiles.keys()) | draft.renamed.keys()
        names = sorted({name for profile in gone for name in self._systems.users(profile)})
        moved = tuple(system for name in names if (system := self._systems.get(name)) is not None)
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
            kind = _kind(folder)
            before, after = _both(draft, folder, name)
            verb = "add" if before is None else "edit" if after is not None else "remove"
            veto = self._host.change(Change(f"{kind}.{verb}", name, before, after))
            if veto is not None:
                raise CatalogueChangeError(veto.reason)

    def _report(
        self, draft: Draft, changes: Sequence[tuple[str, str]], moved: Sequence[System], *, applied: bool
    ) -> Changed:
        sources = draft.base.sources
        files = {}
        for folder, name in changes:
            path = sources.site_file(folder, name)
            old, new = draft.before(folder, name), draft.changes[folder, name]
            files[str(path)] = _without_secrets(_difference(old, new, path), folder, (old, new))
        subjects = [(_kind(folder), name) for folder, name in changes]
        objects = {
            f"{kind} {name}": _revision(draft, folder, name)
            for (folder, name), (kind, _) in zip(changes, subjects, strict=True)
        }
        follow = tuple(system.name for system in moved if system.profile in draft.renamed)
        gone = tuple(system.name for system in moved if system.profile not in draft.renamed)
        return Changed(applied, files, objects, follow, gone)


def _object(catalogue: Catalogue, kind: str, name: str) -> Distro | Profile | Mapping[str, object] | None:
    """As plugins and the audit log see an object: resolved, or what its file says."""
    if kind == "distro":
        return catalogue.distros.get(name)
    if kind == "profile" and name in catalogue.profiles:
        return catalogue.profiles[name]
    entry = catalogue.sources.top(KINDS[kind].folder, name)
    return entry.read.table if entry is not None and entry.read is not None else None


def _kind(folder: str) -> str:
    return "template" if folder == FOLDER else SINGULAR[folder]


def _revision(draft: Draft, folder: str, name: str) -> str:
    if folder == FOLDER:
        return revision_of(draft.changes[folder, name])
    return draft.catalogue.revision(_kind(folder), name)


def _both(draft: Draft, folder: str, name: str) -> tuple[Any, Any]:
    """An object before the draft and after it; of a template its text, as it was when the draft was begun."""
    kind = _kind(folder)
    if folder != FOLDER:
        return _object(draft.base, kind, name), _object(draft.catalogue, kind, name)
    return tuple(  # type: ignore[return-value]
        None if raw is None else {"content": raw.decode("utf-8", "replace")}
        for raw in (draft.before(folder, name), draft.changes[folder, name])
    )


def _owns(owners: tuple[str, ...]) -> bool:
    """Files without owners are the administrators'; what provd does by itself nobody asked for."""
    caller = audit.caller()
    return caller is None or caller.role == "admin" or (bool(owners) and caller.owns(owners))


def _without_secrets(difference: str, folder: str, contents: Sequence[bytes | None]) -> str:
    """The difference as it may be shown; a template has no keys that tell what is secret."""
    words: set[str] = set()
    for raw in contents if folder != FOLDER else ():
        with suppress(ConfigError):  # a file that was broken has no keys either
            words.update(secret_words(own_table(raw or b"", "")))
    return scrub_lines(difference, words)


def _difference(old: bytes | None, new: bytes | None, path: Path) -> str:
    """A unified difference; empty where both are the same octets, two lines for an empty file that comes or goes."""
    names = ("/dev/null" if old is None else str(path), "/dev/null" if new is None else str(path))
    before, after = ((raw or b"").decode("utf-8", "replace").splitlines() for raw in (old, new))
    difference = "".join(f"{line}\n" for line in difflib.unified_diff(before, after, *names, lineterm=""))
    return difference or ("" if old == new else f"--- {names[0]}\n+++ {names[1]}\n")
