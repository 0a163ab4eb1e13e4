"""Operations on distros and profiles: what can be installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Protocol, cast

import msgspec

from provd.config.kinds import KINDS
from provd.config.sources import Sources
from provd.model.distro import Distro
from provd.model.profile import Profile
from provd.model.system import System
from provd.plugin.contract import Operation
from provd.plugin.scrub import scrub_value
from provd.service.find import Cursor, IgnoreCase, Limit, Seen, conditions_of, find_fields, page, where_meta
from provd.service.operations import Arguments, OperationError


class CatalogueView(Protocol):
    """The catalogue of this moment."""

    @property
    def distros(self) -> Mapping[str, Distro]:
        """Distros by name."""
        ...

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """Profiles by name."""
        ...

    @property
    def files(self) -> Mapping[str, str]:
        """File by ``distro NAME``, ``profile NAME`` and ``system NAME``."""
        ...

    @property
    def problems(self) -> Sequence[object]:
        """What was left out; ``str()`` is a sentence."""
        ...

    @property
    def generation(self) -> str:
        """Hash of everything that was read."""
        ...

    @property
    def sources(self) -> Sources:
        """The files."""
        ...

    def revision(self, kind: str, name: str) -> str:
        """Hash of the file of a distro or profile."""
        ...

    def resolve(self, system: System) -> Profile:
        """The system's profile with its overrides."""
        ...


class Named(Arguments, frozen=True):
    """One object by name."""

    name: str


class ListObjects(Arguments, frozen=True):
    """One page of a list; the name of its last row is the cursor of the next page."""

    limit: Limit = 0
    cursor: Cursor = ""


class FindObjects(Arguments, frozen=True):
    """Conditions on the keys of the objects' own files, and ``name``; each kind has a ``where`` of its own."""

    where: dict[str, Any] = msgspec.field(default_factory=dict)
    ignore_case: IgnoreCase = False
    limit: Limit = 0
    cursor: Cursor = ""


def _find_arguments(kind: str) -> type:
    """Arguments of ``KIND.find``; their schema says what can be found by."""
    fields, tables = find_fields(KINDS[kind].type)
    where: Any = Annotated[dict[str, Any], where_meta(fields, tables)]
    named: list[Any] = [("where", where, msgspec.field(default_factory=dict))]
    return msgspec.defstruct(f"Find{kind.capitalize()}s", named, bases=(FindObjects,), frozen=True, module=__name__)


def catalogue_operations(catalogue: Callable[[], CatalogueView]) -> tuple[Operation, ...]:
    """``.list``, ``.show`` and ``.find`` of distros, profiles, repos, images and menus.

    Args:
        catalogue: the catalogue of this moment.
    """
    ask = _Catalogue(catalogue)
    show = "Show one profile with everything it inherits and where that came from."
    return (
        Operation(
            "distro.show", "Show one distro.", "read", Named, ask.distro_show, "provd distro show debian-12",
            "The distro, with its `revision`.",
        ),
        Operation(
            "profile.show", show, "read", Named, ask.profile_show, "provd profile show debian-12-server",
            "The profile with everything it inherits, `origins` of its values, and its `revision`.",
        ),
        *(operation for kind in KINDS for operation in _asked(kind, ask)),
    )  # fmt: skip


def _asked(kind: str, ask: _Catalogue) -> Iterator[Operation]:
    """``.list`` and ``.find`` of a kind, and ``.show`` where its file is all there is to show."""
    yield Operation(
        f"{kind}.list", f"List {kind}s.", "read", ListObjects, lambda arguments: ask.rows(kind, arguments),
        f"provd {kind} list", f"One row per {kind}, by name.",
    )  # fmt: skip
    yield Operation(
        f"{kind}.find", f"Find {kind}s by patterns on any key.", "read", _find_arguments(kind),
        lambda arguments: ask.found(kind, arguments),
        f"provd {kind} find 'debian-*'", f"One row per {kind} that fits, by name.",
    )  # fmt: skip
    if kind not in {"distro", "profile"}:
        yield Operation(
            f"{kind}.show", f"Show one {kind}.", "read", Named, lambda arguments: ask.object_show(kind, arguments),
            f"provd {kind} show my-{kind}", "What its file says, with its `revision`.",
        )  # fmt: skip


class _Catalogue:
    def __init__(self, catalogue: Callable[[], CatalogueView]) -> None:
        self._catalogue = catalogue

    def rows(self, kind: str, arguments: ListObjects) -> object:
        view = self._catalogue()
        names = sorted(name for name in _known(view, kind) if name > arguments.cursor)
        return [_row(view, kind, name) for name in page(names, arguments.limit)]

    def found(self, kind: str, arguments: FindObjects) -> object:
        view = self._catalogue()
        known = _known(view, kind)
        fields, tables = find_fields(KINDS[kind].type)
        conditions = conditions_of(arguments.where, fields, tables, ignore_case=arguments.ignore_case)
        good = view.sources.good(KINDS[kind].folder)
        names = (
            name
            for name in sorted(known)
            if name > arguments.cursor and all(one.holds(Seen(name, good[name].value)) for one in conditions)
        )
        return [_row(view, kind, name) for name in page(names, arguments.limit)]

    def object_show(self, kind: str, arguments: Named) -> object:
        view = self._catalogue()
        entry = view.sources.top(KINDS[kind].folder, arguments.name)
        if entry is None or entry.read is None:
            raise _unknown(kind, arguments.name, _known(view, kind))
        return {
            "name": arguments.name,
            **cast("dict[str, object]", scrub_value(msgspec.to_builtins(entry.read.value))),
            "file": entry.path,
            "revision": entry.read.revision,
        }

    def distro_show(self, arguments: Named) -> object:
        view = self._catalogue()
        distro = view.distros.get(arguments.name)
        if distro is None:
            raise _unknown("distro", arguments.name, view.distros)
        return {
            **_distro_row(view, distro),
            "initrd": distro.initrd,
            "kernel": distro.kernel,
            "image": distro.image,
            "kernel_args": distro.kernel_args,
            "efi_loaders": distro.efi_loaders,
            "vars": scrub_value(distro.vars),
            "owners": distro.owners,
            "revision": view.revision("distro", distro.name),
        }

    def profile_show(self, arguments: Named) -> object:
        view = self._catalogue()
        profile = view.profiles.get(arguments.name)
        if profile is None:
            if arguments.name in view.sources.good(KINDS["profile"].folder):
                # Without a distro nothing is resolved: what its own file says is all there is.
                return self.object_show("profile", arguments)
            raise _unknown("profile", arguments.name, view.profiles)
        return {
            **_profile_row(view, profile),
            "parents": profile.parents,
            "kernel_args": profile.kernel_args,
            "boot_loaders": profile.boot_loaders,
            "loader": profile.loader,
            "answers": scrub_value(profile.answers),
            "vars": scrub_value(profile.vars),
            "templates": profile.templates,
            "options": scrub_value(profile.options),
            "boot": profile.boot,
            "repos": [repo.name for repo in profile.repos],
            "menu": profile.menu,
            "owners": profile.owners,
            "revision": view.revision("profile", profile.name),
            "origins": {key: str(origin) for key, origin in sorted(profile.origins.items())},
        }


def _known(view: CatalogueView, kind: str) -> Mapping[str, object]:
    """Objects by name: those that can be installed, or whose file is good."""
    if kind == "distro":
        return view.distros
    return view.profiles if kind == "profile" else view.sources.good(KINDS[kind].folder)


def _row(view: CatalogueView, kind: str, name: str) -> dict[str, object]:
    if kind == "distro":
        return _distro_row(view, view.distros[name])
    if kind == "profile":
        return _profile_row(view, view.profiles[name])
    read = view.sources.good(KINDS[kind].folder)[name]
    plain = msgspec.to_builtins(read.value)
    shown = {key: value for key, value in plain.items() if isinstance(value, str | bool | int)}
    return {"name": name, **shown, "file": read.file}


def _unknown(kind: str, name: str, known: Mapping[str, object]) -> OperationError:
    there = ", ".join(sorted(known)) or "none"
    return OperationError(f"there is no {kind} {name!r}; there are: {there}", field="name", kind="not-found")


def _distro_row(view: CatalogueView, distro: Distro) -> dict[str, object]:
    return {
        "name": distro.name,
        "family": distro.family,
        "version": distro.version,
        "arch": distro.arch,
        "installer": distro.installer,
        "tree": distro.tree,
        "file": view.files.get(f"distro {distro.name}", ""),
    }


def _profile_row(view: CatalogueView, profile: Profile) -> dict[str, object]:
    return {
        "name": profile.name,
        "distro": profile.distro.name,
        "installer": profile.installer or profile.distro.installer,
        "source": profile.source or profile.distro.tree,
        "file": view.files.get(f"profile {profile.name}", ""),
    }
