"""Writes what is derived from the operations table: ``docs/operations.md`` and what the command line ships."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import msgspec
from twisted.internet.task import Clock

from provd.app.operations import operations_of
from provd.app.services import Services
from provd.plugin.contract import Operation
from provd.service.current import Current
from provd.service.load import build_host, read
from provd.service.operations import OperationTable
from provd.store.memory import MemoryStore

PAGE: Final = Path("docs/operations.md")
SHIPPED: Final = Path("provd/cli/operations.json")

INTRODUCTION: Final = """\
# Operations

This page is generated from the operations table (`python -m provd.app.operations_page`); a test compares the two.

Everything that can be asked of a running provd is one operation with a name, arguments, a result and a permission. The
command line and every protocol offer the same ones. Plugins add theirs (`provd_operations`); those that need settings
of their own are not on this page.

**Permissions.** `anonymous-read` < `read` < `operate` < `admin`: a role may do what the weaker ones may. An object may
name its `owners` (users, or groups of users): the role `operate` then changes it only as one of them, `admin` always.

**Errors** have a sentence, the `field` that is wrong, and a kind: `usage` (wrong arguments), `not-found`, `refused` (a
rule, a plugin, a stale revision), `denied` (not permitted), `failed` (the disk, or a fault of provd). Nothing is half
done after an error.

**Revisions.** What `show` tells has a `revision`. A write that names it is refused where the object has another one
now; also where an editor changed the file meanwhile. **`dry_run`** checks everything, asks the plugins, tells what
would be, and does nothing.

**Patterns** in `where`: `*`, `?`, `[a-z]`, `[!a-z]`; a list of patterns means one of them; every field must fit.
`vars.rack.row` looks into a table. **Pages**: `limit` objects behind the name in `cursor`, in the order of names; a
page that is shorter than `limit` is the last. Objects that come or go between two pages do not shift the others.

**Several changes** (`change`) are all made or none. Files are written as one behind a journal, so a crash leaves all
or none of them new; systems are one transaction of the store. The files come first: where the store refuses, they are
written back. A crash between the two leaves the files new and the systems as they were, each of them whole; one whose
profile is gone by then is reported by `check` and held.
"""


_NOTHING_RUNS = "the page tells of operations and runs none"


class _Running:
    """A server that only tells its operations."""

    listeners: Any = None
    json: Any = None
    rogue: Any = type("Rogue", (), {"check": None})()

    def __init__(self, services: Services) -> None:
        self.services = services

    def in_thread(self, _work: Any) -> Any:
        """Nothing is run."""
        raise RuntimeError(_NOTHING_RUNS)

    def standing(self) -> Any:
        """Nothing runs."""
        return ()

    def reload(self, *, dry_run: bool = False) -> Any:  # noqa: ARG002
        """Nothing is run."""
        raise RuntimeError(_NOTHING_RUNS)


def table() -> OperationTable:
    """The operations of a provd with the shipped plugins that are enabled by default."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "provd.toml"
        path.write_text(f'data_dir = "{folder}/data"\nsite_dir = "{folder}/site"\nuser = ""\n')
        loaded = read(path)
        services = Services(
            clock=Clock(),
            current=Current(loaded.config, loaded.catalogue),
            host=build_host(loaded, path),
            store=MemoryStore(lambda work: work()),
            send=lambda _interface, _data, _to, _local: None,
        )
        return operations_of(_Running(services), {}, 0.0)


def page(operations: Sequence[Operation]) -> str:
    """The page."""
    parts = [INTRODUCTION]
    for noun, some in groupby(operations, lambda one: one.name.partition(".")[0]):
        parts.append(f"\n## {noun}\n")
        parts += [_operation(one) for one in some]
    return "".join(parts)


def _operation(operation: Operation) -> str:
    lines = [f"\n### `{operation.name}`\n", f"{operation.summary} Permission: `{operation.permission}`.\n"]
    rows = list(_rows(operation.arguments))
    if rows:
        lines += ["| argument | type | default | meaning |", "|---|---|---|---|", *rows, ""]
    lines += [f"Result: {operation.result}\n", f"```text\n{operation.example}\n```\n"]
    return "\n".join(lines)


def _rows(arguments: type) -> Iterator[str]:
    schema = msgspec.json.schema(arguments)
    known: Mapping[str, Any] = schema.get("$defs", {})
    top = known[str(schema["$ref"]).rpartition("/")[2]] if "$ref" in schema else schema
    required = top.get("required", ())
    for name, one in top.get("properties", {}).items():
        default = "required" if name in required else _default(one)
        yield f"| `{name}` | {_type(one, known)} | {default} | {one.get('description', '').replace('|', '&#124;')} |"


def _default(schema: Mapping[str, Any]) -> str:
    return f"`{msgspec.json.encode(schema['default']).decode()}`" if "default" in schema else ""


def _type(schema: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        inner = known[str(schema["$ref"]).rpartition("/")[2]]
        keys = ", ".join(f"`{key}`" for key in inner.get("properties", {}))
        return f"object of {keys}"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one, known) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return f"list of {_type(items, known)}" if items else "list"
    return str(schema.get("type", "any"))


def descriptions(operations: Sequence[Operation]) -> str:
    """The operations as the command line knows them where no service runs; one line for each."""
    lines = [
        msgspec.json.encode(
            {
                "name": one.name,
                "summary": one.summary,
                "permission": one.permission,
                "example": one.example,
                "result": one.result,
                "arguments": msgspec.json.schema(one.arguments),
            }
        ).decode()
        for one in operations
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> None:
    """Write both."""
    operations = table().all()
    PAGE.write_text(page(operations))
    SHIPPED.write_text(descriptions(operations))


if __name__ == "__main__":
    main()
