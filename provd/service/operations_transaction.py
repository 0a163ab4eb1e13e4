"""One operation that makes a list of changes, all or none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from provd.plugin.contract import Operation
from provd.service import audit
from provd.service.catalogue_changes import CatalogueChanges
from provd.service.catalogue_outcome import CatalogueChangeError
from provd.service.operations import (
    Arguments,
    DryRun,
    OperationError,
    OperationTable,
    decode_arguments,
    permitted,
)
from provd.service.system_edits import ChangeRefusedError

MOST: Final = 1000
"""Changes of one call: the service answers nobody else meanwhile."""

VERBS: Final = ("add", "edit", "copy", "rename", "remove", "import")


class OneChange(Arguments, frozen=True):
    """One change."""

    operation: str
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)


class Changes(Arguments, frozen=True):
    """What is changed, in order."""

    changes: Annotated[
        tuple[OneChange, ...],
        Meta(description=f"Operations that write objects, with their arguments; {MOST} at most."),
    ]
    dry_run: DryRun = False


class TransactionOperations:
    """``change``.

    Args:
        table: has the operations that may be part of it.
        changes: makes changes that wait for the end.
        kinds: kinds of objects whose operations may be part of it.
    """

    def __init__(self, table: OperationTable, changes: CatalogueChanges, kinds: Callable[[], tuple[str, ...]]) -> None:
        self._table, self._changes, self._kinds = table, changes, kinds

    def operations(self) -> tuple[Operation, ...]:
        """The operation."""
        example = """provd change --changes '[{"operation": "system.remove", "arguments": {"name": "web1"}}]'"""
        return (
            Operation(
                "change", "Make several changes to objects, all or none; each needs its own permission.", "operate",
                Changes, self.change, example, "`results`: of each change, in order.",
            ),
        )  # fmt: skip

    def change(self, arguments: Changes) -> object:
        """Make them."""
        if not 0 < len(arguments.changes) <= MOST:
            raise OperationError(f"1 to {MOST} changes are expected", field="changes", kind="usage")
        prepared = [self._prepared(index, one) for index, one in enumerate(arguments.changes)]
        results: list[object] = []
        try:
            with self._changes.several(dry_run=arguments.dry_run):
                for index, work in enumerate(prepared):
                    results.append(_named(index, work))
        except (CatalogueChangeError, ChangeRefusedError) as error:
            raise OperationError(str(error), field=error.field, kind=error.kind) from error
        return {"applied": not arguments.dry_run, "results": results}

    def _prepared(self, index: int, one: OneChange) -> Callable[[], object]:
        """A change whose arguments and permission are right."""
        place = f"changes[{index}]"
        noun, _, verb = one.operation.partition(".")
        if noun not in self._kinds() or verb not in VERBS:
            raise OperationError(
                f"{place}: {one.operation!r} is no operation that writes objects", field=f"{place}.operation",
                kind="usage",
            )  # fmt: skip

        def prepare() -> Callable[[], object]:
            operation = self._table.get(one.operation)
            caller = audit.caller()
            if caller is None or not permitted(caller.role, operation.permission):
                raise OperationError(f"{one.operation} needs the permission {operation.permission}", kind="denied")
            if one.arguments.get("dry_run"):
                raise OperationError("a dry run is one of all changes", field="dry_run", kind="usage")
            decoded = decode_arguments(operation, one.arguments)
            return lambda: _at_once(operation.run(decoded))

        made: Any = _named(index, prepare)
        return made  # type: ignore[no-any-return]


def _at_once(result: object) -> object:
    if isawaitable(result):
        raise OperationError("this operation takes its time and cannot be one of several", kind="usage")
    return dict(result) if isinstance(result, Mapping) else result


def _named(index: int, work: Callable[[], object]) -> object:
    """Say which of the changes it was."""
    try:
        return work()
    except OperationError as error:
        place = f"changes[{index}]"
        field = f"{place}.arguments.{error.field}" if error.field else place
        raise OperationError(f"{place}: {error}", field=field, kind=error.kind) from error
