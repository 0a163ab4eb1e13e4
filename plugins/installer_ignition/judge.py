"""Judge of an Ignition file: its schema, and the rules of the specification's text that a schema cannot say."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from provd.plugin.api import Finding, judged_json

from .schema import SCHEMA, SINCE

_UNIQUE: Mapping[str, str] = {
    "passwd.users": "name",
    "passwd.groups": "name",
    "systemd.units": "name",
    "storage.disks": "device",
    "storage.filesystems": "device",
    "storage.raid": "name",
    "storage.luks": "name",
}
_NODES = ("files", "directories", "links")


def judged(document: str, text: str) -> Iterator[Finding]:
    """What is wrong with one document."""
    return judged_json(
        document, text, schema=SCHEMA, said=_said, rules=_rules, program=lambda: _validated(document, text)
    )


def _validated(document: str, text: str) -> Iterator[Finding]:
    """What Ignition's own program says where it is installed; an older one says nothing of newer versions."""
    validator = shutil.which("ignition-validate")
    if validator is None:
        return
    run = subprocess.run([validator, "-"], input=text, capture_output=True, text=True, check=False, timeout=30)
    said = " ".join((run.stdout + run.stderr).split())
    if said and "unsupported config version" not in said:
        yield Finding("error" if run.returncode else "warning", document, f"ignition-validate: {said[:500]}")


def _said(fault: Any) -> str:
    """The library's sentence, without long values: they may be what nobody should read."""
    match fault.validator:
        case "type":
            wanted = fault.validator_value
            return f"must be {wanted if isinstance(wanted, str) else wanted[0]}, not {type(fault.instance).__name__}"
        case "pattern":
            return f"does not match {fault.validator_value}"
        case _:
            return str(fault.message)[:200]


def _rules(whole: Mapping[str, Any]) -> Iterator[str]:
    minor = int(whole["ignition"]["version"].split(".")[1])
    for place, since in SINCE.items():
        if _at(whole, place) and minor < since:
            yield f"{place} came with version 3.{since}.0, the file says {whole['ignition']['version']}"
    for place, key in _UNIQUE.items():
        yield from _twice(place, [one[key] for one in _at(whole, place) or ()])
    storage = whole.get("storage", {})
    yield from _twice("storage", [node["path"] for kind in _NODES for node in storage.get(kind, ())])
    for node in storage.get("files", ()):
        if node.get("overwrite") and "source" not in node.get("contents", {}):
            yield f"storage.files {node['path']}: overwrite needs contents.source"
        for resource in (node.get("contents", {}), *node.get("append", ())):
            yield from _readable(node["path"], resource.get("source", ""))
    for unit in _at(whole, "systemd.units") or ():
        if unit.get("enabled") and unit.get("contents") and "[Install]" not in unit["contents"]:
            yield f"systemd.units {unit['name']}: enabled, but without [Install] nothing starts it"


def _at(whole: Mapping[str, Any], place: str) -> Any:
    found: Any = whole
    for key in place.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _twice(place: str, names: list[str]) -> Iterator[str]:
    yield from (f"{place}: {name} is there {count} times" for name, count in Counter(names).items() if count > 1)


def _readable(path: str, source: str) -> Iterator[str]:
    """A ``data`` URL (RFC 2397) that can be taken apart."""
    if not source.startswith("data:"):
        return
    head, comma, body = source.partition(",")
    if not comma:
        yield f"storage.files {path}: a data URL has a comma before the data"
    elif not source.isascii() or any(character.isspace() for character in source):
        yield f"storage.files {path}: a data URL is written in plain ASCII without spaces"
    elif not head.endswith(";base64"):
        try:
            unquote_to_bytes(body).decode()
        except UnicodeDecodeError:
            yield f"storage.files {path}: the data is not UTF-8"
