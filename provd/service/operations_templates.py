"""Operations on templates and snippets of the site: what is written is a template, and what is used stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from provd.config.draft import Draft
from provd.config.site_templates import includes, read_template, revision_of, template_names
from provd.model.system import System
from provd.plugin.contract import Operation
from provd.plugin.templates import syntax_fault
from provd.service.catalogue_changes import CatalogueChanges
from provd.service.catalogue_outcome import CatalogueChangeError
from provd.service.find import Cursor, IgnoreCase, Limit, conditions_of, page, where_meta
from provd.service.operations import Arguments, DryRun, OperationError, Revision
from provd.service.operations_catalogue import CatalogueView, ListObjects, Named
from provd.service.operations_objects import RESULT, Copy, view

Content = Annotated[str, Meta(description="Text of the template (Jinja).")]


class AddTemplate(Arguments, frozen=True):
    """A new template."""

    name: Annotated[str, Meta(description="`NAME`, or `INSTALLER/NAME` for one installer.")]
    content: Content
    dry_run: DryRun = False


class EditTemplate(Arguments, frozen=True):
    """Another content."""

    name: str
    content: Content
    revision: Revision = ""
    dry_run: DryRun = False


class RenameTemplate(Arguments, frozen=True):
    """A new name."""

    name: str
    new: Annotated[str, Meta(description="The new name.")]
    revision: Revision = ""
    dry_run: DryRun = False


class RemoveTemplate(Arguments, frozen=True):
    """A template that goes."""

    name: str
    revision: Revision = ""
    dry_run: DryRun = False


class FindTemplates(Arguments, frozen=True):
    """Conditions on ``name`` and ``content``."""

    where: Annotated[dict[str, Any], where_meta(_FIELDS)] = msgspec.field(default_factory=dict)
    ignore_case: IgnoreCase = False
    limit: Limit = 0
    cursor: Cursor = ""


_FIELDS: Final[Mapping[str, Callable[[Any], tuple[str, ...]]]] = {
    "name": lambda one: (one[0],),
    "content": lambda one: (one[1],),
}


class SystemsView(Protocol):
    """The systems."""

    def all(self) -> list[System]:
        """Every system."""
        ...


class TemplateOperations:
    """``template.*``.

    Args:
        catalogue: of this moment; its last layer is the site's.
        changes: makes changes.
        systems: may name templates.
    """

    def __init__(self, catalogue: Callable[[], CatalogueView], changes: CatalogueChanges, systems: SystemsView) -> None:
        self._catalogue, self._changes, self._systems = catalogue, changes, systems

    def operations(self) -> tuple[Operation, ...]:
        """List, show, find, add, edit, copy, rename and remove."""
        line, row = "provd template", "One row per template, by name."
        where = "--content '*repos*'"
        new = f"{line} add own.j2 --content 'd-i time/zone string UTC'"
        return (
            Operation(
                "template.list", "List templates of the site.", "read", ListObjects, self.list, f"{line} list", row
            ),
            Operation(
                "template.show", "Show one template.", "read", Named, self.show, f"{line} show own.j2",
                "`content`, `file` and `revision`.",
            ),
            Operation(
                "template.find", "Find templates by patterns on name and content.", "read", FindTemplates, self.find,
                f"{line} find {where}", row,
            ),
            Operation("template.add", "Add a template or snippet.", "admin", AddTemplate, self.add, new, RESULT),
            Operation(
                "template.edit", "Change a template.", "admin", EditTemplate, self.edit,
                f"{line} edit own.j2 --content 'd-i time/zone string CET'", RESULT,
            ),
            Operation(
                "template.copy", "Copy a template.", "admin", Copy, self.copy,
                f"{line} copy own.j2 preseed/own.j2", RESULT,
            ),
            Operation(
                "template.rename", "Rename a template that nothing uses.", "admin", RenameTemplate, self.rename,
                f"{line} rename own.j2 our.j2", RESULT,
            ),
            Operation(
                "template.remove", "Remove a template that nothing uses.", "admin", RemoveTemplate, self.remove,
                f"{line} remove own.j2", RESULT,
            ),
        )  # fmt: skip

    def list(self, arguments: ListObjects) -> object:
        """One row per template."""
        names = [name for name in template_names(self._site()) if name > arguments.cursor]
        return [self._row(name) for name in page(names, arguments.limit)]

    def show(self, arguments: Named) -> object:
        """One template."""
        raw = read_template(self._site(), arguments.name)
        if raw is None:
            raise OperationError(f"there is no template {arguments.name!r}", field="name", kind="not-found")
        return {**self._row(arguments.name), "content": raw.decode("utf-8", "replace")}

    def find(self, arguments: FindTemplates) -> object:
        """One row per template that fits."""
        conditions = conditions_of(arguments.where, _FIELDS, (), ignore_case=arguments.ignore_case)
        names = [name for name in template_names(self._site()) if name > arguments.cursor]
        found = (name for name in names if all(one.holds((name, self._text(name))) for one in conditions))
        return [self._row(name) for name in page(found, arguments.limit)]

    def add(self, arguments: AddTemplate) -> object:
        """A new template."""
        self._check(arguments.content)
        content = arguments.content.encode()
        return self._run(lambda draft: draft.templates.add(arguments.name, content), dry_run=arguments.dry_run)

    def edit(self, arguments: EditTemplate) -> object:
        """Another content."""
        self._check(arguments.content)
        content = arguments.content.encode()
        return self._run(
            lambda draft: draft.templates.edit(arguments.name, content, expected=arguments.revision),
            dry_run=arguments.dry_run,
        )

    def copy(self, arguments: Copy) -> object:
        """The same content under another name."""
        return self._run(
            lambda draft: draft.templates.add(arguments.new, draft.templates.content(arguments.name)),
            dry_run=arguments.dry_run,
        )

    def rename(self, arguments: RenameTemplate) -> object:
        """Another name."""
        self._check_unused(arguments.name, "renamed")

        def work(draft: Draft) -> None:
            draft.templates.add(arguments.new, draft.templates.content(arguments.name))
            draft.templates.edit(arguments.name, None, expected=arguments.revision)

        return self._run(work, dry_run=arguments.dry_run)

    def remove(self, arguments: RemoveTemplate) -> object:
        """It goes."""
        self._check_unused(arguments.name, "removed")
        return self._run(
            lambda draft: draft.templates.edit(arguments.name, None, expected=arguments.revision),
            dry_run=arguments.dry_run,
        )

    def _run(self, work: Callable[[Draft], None], *, dry_run: bool) -> object:
        try:
            return view(self._changes.change(work, dry_run=dry_run))
        except CatalogueChangeError as error:
            raise OperationError(str(error), field=error.field, kind=error.kind) from error

    def _check(self, content: str) -> None:
        fault = syntax_fault(content)
        if fault:
            raise OperationError(fault, field="content", kind="usage")

    def _check_unused(self, name: str, what: str) -> None:
        users = list(self._users(name))
        if users:
            some = ", ".join(users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
            raise OperationError(f"template {name} is used by {some}, so it cannot be {what}", field="name")

    def _users(self, name: str) -> Iterator[str]:
        """Who names a template; another one of the same key may be there for another installer."""
        key = name.rpartition("/")[2]
        sources = self._catalogue().sources
        for kind in ("distro", "profile"):
            good = sources.good(f"{kind}s")
            yield from (f"{kind} {one}" for one in sorted(good) if key in good[one].value.templates.values())
        yield from (f"system {system.name}" for system in self._systems.all() if key in system.templates.values())
        for other in template_names(self._site()):
            if other != name and key in includes(self._text(other)):
                yield f"template {other}"

    def _site(self) -> Path:
        return self._catalogue().sources.layers[-1].path

    def _text(self, name: str) -> str:
        return (read_template(self._site(), name) or b"").decode("utf-8", "replace")

    def _row(self, name: str) -> dict[str, object]:
        raw = read_template(self._site(), name)
        return {
            "name": name,
            "octets": len(raw or b""),
            "file": str(self._site() / "templates" / name),
            "revision": revision_of(raw),
        }
