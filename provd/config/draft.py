"""Changes to distros and profiles in memory, each checked together with those before it; written at the end, or not.

Only files of the site are written. A change to an object of a lower layer writes a whole copy of it into the site.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from provd.config.catalogue import Catalogue
from provd.config.document import own_table, rewritten
from provd.config.edits import changed
from provd.config.errors import ConfigError
from provd.config.journal import write_files
from provd.config.kinds import KINDS, named_by
from provd.config.layers import NAME
from provd.config.site_templates import FOLDER
from provd.config.sources import Entry
from provd.config.template_draft import DraftError, TemplateDraft


class Draft:
    """What the catalogue would be.

    Args:
        catalogue: the one in force; a draft that was begun on another one is stale.
        owns: whether whoever asks may change an object with these owners.

    Attributes:
        base: the catalogue it was begun on.
        catalogue: the catalogue with every change so far.
        changes: kind (``distros``, ...) and name to the new octets, None for a file that goes.
        renamed: old to new name of profiles, for the systems that use them.
        recursive: systems that use what was removed go with it.
    """

    def __init__(self, catalogue: Catalogue, owns: Callable[[tuple[str, ...]], bool] = lambda _owners: True) -> None:
        self.base = self.catalogue = catalogue
        self._owns = owns
        self.changes: dict[tuple[str, str], bytes | None] = {}
        self.renamed: dict[str, str] = {}
        self.recursive = False
        self._committed = False
        self.templates = TemplateDraft(catalogue.sources.layers[-1].path, self.changes)

    def own(self, kind: str, name: str) -> dict[str, Any]:
        """What an object's own file says, without what it inherits.

        Raises:
            DraftError: there is no such object, or its file is broken.
        """
        entry = self._entry(kind, name)
        return own_table(self._raw(kind, entry, name), entry.path)

    def add(self, kind: str, name: str, table: Mapping[str, Any]) -> None:
        """A new object.

        Raises:
            DraftError: the name is taken or none, or the object would be wrong.
        """
        self._new_name(kind, name)
        self._put({(KINDS[kind].folder, name): self._written(b"", table, kind, name)})

    def edit(
        self, kind: str, name: str, changes: Mapping[str, Any], *, expected: str = "", merge: bool = False
    ) -> None:
        """Change keys of an object; the others stay.

        Args:
            kind: ``distro`` or ``profile``.
            name: which one.
            changes: key to new value; None takes the key out, so that the value is inherited again.
            expected: revision the editor saw; empty skips the check.
            merge: a table changes only the keys that are named in it, instead of being replaced.

        Raises:
            DraftError: unknown, stale, or wrong afterwards.
        """
        self._check_revision(kind, name, expected)
        self._may(kind, name)
        entry = self._entry(kind, name)
        raw = self._raw(kind, entry, name)
        table = changed(own_table(raw, entry.path), changes, merge=merge)
        self._put({(KINDS[kind].folder, name): self._written(raw, table, kind, name)})

    def copy(self, kind: str, name: str, new: str, changes: Mapping[str, Any] | None = None) -> None:
        """A second object with the content of the first, comments included, and these changes.

        Raises:
            DraftError: unknown, the new name is taken, or wrong afterwards.
        """
        self._new_name(kind, new)
        entry = self._entry(kind, name)
        raw = self._raw(kind, entry, name)
        table = changed(own_table(raw, entry.path), changes or {}, merge=False)
        self._put({(KINDS[kind].folder, new): self._written(raw, table, kind, new)})

    def rename(self, kind: str, name: str, new: str, *, expected: str = "") -> None:
        """Give an object of the site another name, and tell the objects of the site that refer to it.

        Raises:
            DraftError: unknown, stale, not the site's own, the new name is taken, or something would be wrong.
        """
        self._check_revision(kind, name, expected)
        self._may(kind, name)
        self._own_site(kind, name, "renamed: copy it")
        self._new_name(kind, new)
        entry = self._entry(kind, name)
        files: dict[tuple[str, str], bytes | None] = {
            (KINDS[kind].folder, name): None,
            (KINDS[kind].folder, new): self._raw(kind, entry, name),
        }
        for user, theirs, key in self._references(kind, name):
            self._rename_in(files, (kind, name, new), (user, theirs, key))
        self._put(files)
        if kind == "profile":
            # A name that was given in this draft already is no name that systems know.
            first = next((old for old, now in self.renamed.items() if now == name), name)
            self.renamed[first] = new

    def remove(self, kind: str, name: str, *, recursive: bool = False, expected: str = "") -> tuple[str, ...]:
        """Take objects of the site away.

        Args:
            kind: ``distro`` or ``profile``.
            name: which one.
            recursive: with every profile that refers to it, and those that refer to these.
            expected: revision the editor saw; empty skips the check.

        Returns:
            Names of the profiles that go.

        Raises:
            DraftError: unknown, stale, not the site's own, or used.
        """
        self._check_revision(kind, name, expected)
        self._may(kind, name)
        self._own_site(kind, name, "removed")
        gone = self._below(kind, name)
        if gone and not recursive and not self.catalogue.sources.entries[KINDS[kind].folder][name][:-1]:
            raise DraftError(f"{kind} {name} is used by {_listed(gone)}; a recursive removal takes them away too")
        doomed = {(kind, name): None} | (dict.fromkeys(gone) if recursive else {})
        for user, theirs in doomed:
            if not self.catalogue.sources.in_site(KINDS[user].folder, theirs):
                raise DraftError(f"{kind} {name} cannot be removed: {user} {theirs} uses it, which is not the site's")
            self._may(user, theirs)
        self._put({(KINDS[user].folder, theirs): None for user, theirs in doomed})
        self.recursive = self.recursive or recursive
        return tuple(theirs for user, theirs in doomed if user == "profile")

    def _references(self, kind: str, name: str) -> Iterator[tuple[str, str, str]]:
        """Kind, name and key of what names an object in its own file, by name."""
        for user, key in KINDS[kind].users:
            good = self.catalogue.sources.good(KINDS[user].folder)
            yield from ((user, theirs, key) for theirs in sorted(good) if name in named_by(good[theirs].value, key))

    def _rename_in(
        self, files: dict[tuple[str, str], bytes | None], names: tuple[str, str, str], place: tuple[str, str, str]
    ) -> None:
        """Let one object name another by its new name."""
        (kind, name, new), (user, theirs, key) = names, place
        if not self.catalogue.sources.in_site(KINDS[user].folder, theirs):
            raise DraftError(f"{kind} {name} cannot be renamed: {user} {theirs} names it, which is not the site's")
        self._may(user, theirs)
        entry = self._entry(user, theirs)
        at = (KINDS[user].folder, theirs)
        raw = files.get(at) or self._raw(user, entry, theirs)
        table = own_table(raw, entry.path)
        old = table[key]
        table[key] = [new if one == name else one for one in old] if isinstance(old, list) else new
        files[at] = self._written(raw, table, user, theirs)

    def stale(self) -> Iterator[Path]:
        """Files that somebody wrote since the catalogue read them: what they say now would be lost."""
        for folder, name in self.changes:
            if folder == FOLDER:
                continue
            path = self.base.sources.site_file(folder, name)
            try:
                now: bytes | None = path.read_bytes()
            except FileNotFoundError:
                now = None
            except OSError:
                continue  # writing it will fail as well, and say so
            if now != self.before(folder, name):
                yield path

    def commit(self) -> None:
        """Write every file, all or none.

        Raises:
            ConfigError: a file could not be written.
        """
        self._write(self.changes)
        self._committed = True

    def revert(self) -> None:
        """Write the files back to what they were, where they were written.

        Raises:
            ConfigError: a file could not be written.
        """
        if self._committed:
            self._write({(folder, name): self.before(folder, name) for folder, name in self.changes})
            self._committed = False

    def before(self, folder: str, name: str) -> bytes | None:
        """Octets of a file of the site before the draft; None where there was none."""
        if folder == FOLDER:
            return self.templates.before[name]
        site = str(self.base.sources.site_file(folder, name))
        return next((one.octets for one in self.base.sources.entries[folder].get(name, ()) if one.path == site), None)

    def _write(self, files: Mapping[tuple[str, str], bytes | None]) -> None:
        sources = self.base.sources
        write_files(
            sources.layers[-1].path, {sources.site_file(kind, name): raw for (kind, name), raw in files.items()}
        )

    def _below(self, kind: str, name: str) -> tuple[tuple[str, str], ...]:
        """Kind and name of everything that names an object, and what names that."""
        found: dict[tuple[str, str], None] = {}
        waiting = [(kind, name)]
        while waiting:
            for user, theirs, _ in self._references(*waiting.pop()):
                if (user, theirs) not in found:
                    found[user, theirs] = None
                    waiting.append((user, theirs))
        return tuple(sorted(found))

    def _may(self, kind: str, name: str) -> None:
        """Refuse what whoever asks does not own."""
        owners = self.base.owners(kind, name)
        if not self._owns(owners):
            whose = f" ({', '.join(owners)})" if owners else ""
            raise DraftError(f"{kind} {name} may be changed by administrators and its owners only{whose}", denied=True)

    def _put(self, files: Mapping[tuple[str, str], bytes | None]) -> None:
        """Take files into the draft if nothing becomes wrong by them that was not before."""
        after = self.catalogue.revised(files)
        known = set(self.catalogue.problems)
        new = [problem for problem in after.problems if problem not in known]
        if new:
            raise DraftError("; ".join(str(problem) for problem in new), field=new[0].key)
        self.catalogue = after
        self.changes.update(files)

    def _entry(self, kind: str, name: str) -> Entry:
        entry = self.catalogue.sources.top(KINDS[kind].folder, name)
        if entry is None:
            raise DraftError(f"there is no {kind} {name!r}", field="name", missing=True)
        if entry.problem is not None:
            raise DraftError(f"{kind} {name} has an error that must be mended in its file first: {entry.problem}")
        return entry

    def _raw(self, kind: str, entry: Entry, name: str) -> bytes:
        raw = self.changes.get((KINDS[kind].folder, name))
        return raw if raw is not None else entry.octets

    def _written(self, raw: bytes, table: Mapping[str, Any], kind: str, name: str) -> bytes:
        try:
            return rewritten(raw, table, str(self.catalogue.sources.site_file(KINDS[kind].folder, name)))
        except ConfigError as error:
            raise DraftError(str(error)) from error

    def _check_revision(self, kind: str, name: str, expected: str) -> None:
        now = self.catalogue.revision(kind, name)
        if expected and expected != now:
            self._entry(kind, name)
            raise DraftError(f"{kind} {name} was changed meanwhile (revision {now}, not {expected})", field="revision")

    def _new_name(self, kind: str, name: str) -> None:
        if not NAME.fullmatch(name):
            rule = "letters, digits and . _ + - are expected, a letter or digit first, 64 at most"
            raise DraftError(f"{name!r} is not a name: {rule}", field="name")
        taken = self.catalogue.sources.top(KINDS[kind].folder, name)
        if taken is not None:
            raise DraftError(f"{kind} {name} exists already ({taken.path})", field="name")

    def _own_site(self, kind: str, name: str, verb: str) -> None:
        entry = self._entry(kind, name)
        if not self.catalogue.sources.in_site(KINDS[kind].folder, name):
            layer = self.catalogue.sources.layers[entry.layer].name
            raise DraftError(f"{kind} {name} comes from the layer {layer!r} ({entry.path}) and cannot be {verb}")


def _listed(users: Collection[tuple[str, str]]) -> str:
    """Objects in words, each kind once: ``profiles a, b and menu c``."""
    kinds: dict[str, list[str]] = {}
    for kind, name in sorted(users):
        kinds.setdefault(kind, []).append(name)
    return " and ".join(
        f"{kind}{'s' * (len(names) > 1)} {', '.join(names[:5])}{f' and {len(names) - 5} more' * (len(names) > 5)}"
        for kind, names in kinds.items()
    )
