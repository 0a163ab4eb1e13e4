"""Operations that change distros and profiles; their arguments are the keys of the files, written once, there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType

from provd.config.draft import Draft
from provd.config.kinds import KINDS
from provd.plugin.contract import Operation
from provd.plugin.scrub import scrub_value
from provd.service.catalogue_changes import CatalogueChanges
from provd.service.catalogue_outcome import CatalogueChangeError, Changed
from provd.service.operations import Arguments, DryRun, OperationError, Revision
from provd.service.operations_catalogue import Named
from provd.service.system_edits import ChangeRefusedError

_EXAMPLES: Final[Mapping[str, tuple[str, str]]] = {
    "distro": ("debian-12", "--tree http://MIRROR/debian"),
    "profile": ("server", "--parent debian-12-server"),
    "repo": ("tools", "--url http://MIRROR/tools --kind apt"),
    "image": ("rescue", "--file http://MIRROR/rescue.iso --kind iso"),
    "menu": ("servers", "--title Servers"),
}
RESULT: Final = (
    "`objects` with their new revisions, `files` with their differences, `systems` that followed, `systems_removed`."
)


def _argument(type_: Any, *, removable: bool) -> Any:
    """Type of an argument for a key: inner tables as they are written, and, in an edit, null for "inherit again"."""
    inner, meta = (get_args(type_)[0], get_args(type_)[1:]) if get_origin(type_) is Annotated else (type_, ())
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        inner = dict[str, Any]
    if removable and inner == dict[str, str]:
        inner = dict[str, str | None]  # in place, null takes one entry out
    described = Annotated[(inner, *meta)] if meta else inner
    if removable:
        # Limits are the value's, the description is the argument's.
        described = described | None
        text = next((one.description for one in meta if isinstance(one, msgspec.Meta) and one.description), "")
        described = Annotated[described, msgspec.Meta(description=text)] if text else described
    return described | UnsetType


def arguments_of(name: str, kind: str, before: Mapping[str, Any], after: Mapping[str, Any], *, removable: bool) -> type:
    """Structure of the arguments of an operation: every key of the object's file, none of them required.

    Args:
        name: of the structure.
        kind: one of :data:`provd.config.kinds.KINDS`.
        before: required arguments in front.
        after: further ones with False or an empty text as default.
        removable: a key may be null.
    """
    keys = msgspec.structs.fields(KINDS[kind].type)
    fields: list[Any] = list(before.items())
    fields += [(one.encode_name, _argument(one.type, removable=removable), UNSET) for one in keys]
    fields += [(key, type_, "" if type_ is Revision else False) for key, type_ in after.items()]
    return msgspec.defstruct(name, fields, bases=(Arguments,), frozen=True, kw_only=True, module=__name__)


class Copy(Arguments, frozen=True):
    """A copy under a new name."""

    name: str
    new: Annotated[str, msgspec.Meta(description="Name of the copy.")]
    dry_run: DryRun = False


class Rename(Arguments, frozen=True):
    """A new name."""

    name: str
    new: Annotated[str, msgspec.Meta(description="The new name.")]
    revision: Revision = ""
    dry_run: DryRun = False


class Remove(Arguments, frozen=True):
    """An object that goes."""

    name: str
    recursive: Annotated[bool, msgspec.Meta(description="With everything that uses it.")] = False
    revision: Revision = ""
    dry_run: DryRun = False


def object_operations(changes: CatalogueChanges) -> tuple[Operation, ...]:
    """``distro.add``, ``.edit``, ``.own``, ``.copy``, ``.rename``, ``.remove``, and the same for every kind."""
    return tuple(operation for kind in KINDS for operation in _Changes(kind, changes).operations())


class _Changes:
    """The operations on one kind of object."""

    def __init__(self, kind: str, changes: CatalogueChanges) -> None:
        self._kind, self._changes = kind, changes

    def operations(self) -> tuple[Operation, ...]:
        kind, (name, option) = self._kind, _EXAMPLES[self._kind]
        in_place = Annotated[bool, msgspec.Meta(description="Tables change only the keys that are named in them.")]
        title = kind.capitalize()
        add = arguments_of(f"Add{title}", kind, {"name": str}, {"dry_run": DryRun}, removable=False)
        rest = {"in_place": in_place, "revision": Revision, "dry_run": DryRun}
        edit = arguments_of(f"Edit{title}", kind, {"name": str}, rest, removable=True)
        line = f"provd {kind}"
        return (
            Operation(
                f"{kind}.add", f"Add {_a(kind)}.", "admin", add, self.add, f"{line} add my-{name} {option}", RESULT
            ),
            Operation(
                f"{kind}.edit", f"Change {_a(kind)}; what is not named stays, null is inherited again.", "operate",
                edit, self.edit, f"{line} edit my-{name} {option}", RESULT,
            ),
            Operation(
                f"{kind}.own", f"Show what {_a(kind)}'s own file says, without what it inherits.", "read", Named,
                self.own, f"{line} own {name}", "The keys of the file; values that look secret are hidden.",
            ),
            Operation(
                f"{kind}.copy", f"Copy {_a(kind)}, comments included.", "admin", Copy, self.copy,
                f"{line} copy {name} my-{name}", RESULT,
            ),
            Operation(
                f"{kind}.rename", f"Rename {_a(kind)} and tell all that refer to it.", "operate", Rename, self.rename,
                f"{line} rename my-{name} our-{name}", RESULT,
            ),
            Operation(
                f"{kind}.remove", f"Remove {_a(kind)} that nothing uses.", "operate", Remove, self.remove,
                f"{line} remove my-{name}", RESULT,
            ),
        )  # fmt: skip

    def add(self, arguments: Any) -> object:
        table = self._table(arguments)
        return self._run(lambda draft: draft.add(self._kind, arguments.name, table), arguments)

    def edit(self, arguments: Any) -> object:
        table = self._table(arguments)
        if not arguments.in_place and table.get("templates"):
            table["templates"] = {name: one for name, one in table["templates"].items() if one is not None}
        if not table:
            raise OperationError("nothing to change was named", kind="usage")

        def work(draft: Draft) -> None:
            draft.edit(self._kind, arguments.name, table, expected=arguments.revision, merge=arguments.in_place)

        return self._run(work, arguments)

    def own(self, arguments: Named) -> object:
        try:
            return scrub_value(self._changes.own(self._kind, arguments.name))
        except CatalogueChangeError as error:
            raise OperationError(str(error), field=error.field, kind=error.kind) from error

    def copy(self, arguments: Copy) -> object:
        return self._run(lambda draft: draft.copy(self._kind, arguments.name, arguments.new), arguments)

    def rename(self, arguments: Rename) -> object:
        def work(draft: Draft) -> None:
            draft.rename(self._kind, arguments.name, arguments.new, expected=arguments.revision)

        return self._run(work, arguments)

    def remove(self, arguments: Remove) -> object:
        def work(draft: Draft) -> None:
            draft.remove(self._kind, arguments.name, recursive=arguments.recursive, expected=arguments.revision)

        return self._run(work, arguments)

    def _table(self, arguments: Any) -> dict[str, Any]:
        """The keys that were named, as they are written into a file."""
        # What makes the object what it is comes first in a file, what every kind may say behind it.
        own = KINDS[self._kind].type.__annotations__
        keys = sorted(
            (one.encode_name for one in msgspec.structs.fields(KINDS[self._kind].type)), key=lambda key: key not in own
        )
        named = {key: getattr(arguments, key) for key in keys if getattr(arguments, key) is not UNSET}
        plain: dict[str, Any] = msgspec.to_builtins(named, enc_hook=str)
        return plain

    def _run(self, work: Callable[[Draft], None], arguments: Any) -> object:
        try:
            return view(self._changes.change(work, dry_run=arguments.dry_run))
        except (CatalogueChangeError, ChangeRefusedError) as error:
            raise OperationError(str(error), field=error.field, kind=error.kind) from error


def _a(kind: str) -> str:
    """The kind with its article."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def view(changed: Changed) -> Mapping[str, object]:
    """What a change did, as operations tell it."""
    return {
        "applied": changed.applied,
        "objects": changed.objects,
        "systems": changed.systems,
        "systems_removed": changed.systems_removed,
        "files": dict(changed.files),
    }
