"""Writes ``docs/config.md`` from the schemas: ``python -m provd.config.docs [FILE]``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from provd.config.further_objects import ImageFile, MenuFile, RepoFile
from provd.config.keys import APPLIES
from provd.config.objects import DistroFile, ProfileFile, SystemFile
from provd.config.settings import json_schema

PAGE: Final = Path("docs/config.md")

INTRODUCTION: Final = """\
# Configuration

This page is generated from the schema (`python -m provd.config.docs`); a test compares the two.

provd reads one file, `provd.toml`, and three kinds of objects in folders of their own: `distros/*.toml`,
`profiles/*.toml` and `systems/*.toml`. Unknown keys are refused everywhere, with file, key path and the nearest known
key. Relative paths in `provd.toml` and in references to secrets are relative to the directory of the file.

The column *applies* says what brings a changed value into effect: `reload` (SIGHUP, or a changed file) or `restart`.
A reload that meets changes that need a restart names them and applies the others.
"""

CATALOGUE: Final = """\
## Distros, profiles and systems

An object's name is its file name without `.toml`. Objects come in layers: shipped with provd, brought by installed
packages (entry point group `provd.catalogue`), `plugin_dirs`, and `site_dir`; a later layer replaces an object of the
same name as a whole. Systems are read from `site_dir` only. A broken file is reported and left out with everything that
inherits from it; the same name in a lower layer does not step in for it. Every change applies on reload.

How levels override each other, from general to particular: `[defaults]` of `provd.toml`, distro, the
profile's ancestors, the profile, the system:

- Tables merge key by key. A key written `"!key"` removes the inherited one: `[answers]` with `"!proxy" = true`.
- Texts, numbers and lists replace.
- `kernel_args` append, in the order of levels. `"!quiet"` removes every inherited `quiet` or `quiet=...`.
- A reference to a secret is one value.

### Secrets

Anywhere below `answers` a value may be a reference that is read when an answer file is rendered: `{file = "/path"}`,
`{env = "NAME"}` or `{credential = "NAME"}` (a systemd credential). A file that everybody can read is refused.
With `once = true` beside it, an answer file that holds the value is given out once, whole and by HTTP.

What stands in a file itself is shown as `***` where its key names a password, a hash of one or a token, and so is
the password of a URL (`http://user:password@proxy:3128`), anywhere; the machine gets it.
"""

_TABLES: Final = (
    ("distros/NAME.toml", DistroFile),
    ("profiles/NAME.toml", ProfileFile),
    ("systems/NAME.toml", SystemFile),
    ("repos/NAME.toml", RepoFile),
    ("images/NAME.toml", ImageFile),
    ("menus/NAME.toml", MenuFile),
)


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, "## provd.toml\n", *_sections(json_schema(), "", applies=True), CATALOGUE]
    for title, type_ in _TABLES:
        schema = msgspec.json.schema(type_, schema_hook=lambda _type: {"type": "string", "format": "ipv4"})
        parts += [f"### {title}\n", *_sections(schema, f"{title}: ", applies=False)]
    return "\n".join(parts).rstrip() + "\n"


def _sections(schema: Mapping[str, Any], title: str, *, applies: bool) -> Iterator[str]:
    """A table of the top level's keys, then one for each of its tables."""
    definitions = schema["$defs"]
    top = definitions[_target(schema)]
    yield _sentence(top)
    yield _table(top, applies=applies)
    for name, value in top["properties"].items():
        several = value.get("type") == "array" and "$ref" in value["items"]
        below = definitions.get(_target(value["items"] if several else value))
        if below is not None:
            yield f"### {title}{f'[[{name}]]' if several else f'[{name}]'}\n"
            yield _sentence(below)
            yield _table(below, applies=applies)


def _target(value: Mapping[str, Any]) -> str:
    """Name of the definition that a value refers to, or empty."""
    references = [value, *value.get("allOf", ()), *value.get("anyOf", ())]
    return next((str(each["$ref"]).rpartition("/")[2] for each in references if "$ref" in each), "")


def _sentence(definition: Mapping[str, Any]) -> str:
    """The help of a table without the name that its heading has."""
    text = str(definition["description"]).replace("``", "`")
    _, colon, rest = text.partition(": ") if text.startswith("`") else ("", "", "")
    text = rest if colon else text
    return f"{text[:1].upper()}{text[1:]}\n"


def _table(definition: Mapping[str, Any], *, applies: bool) -> str:
    head = "| key | type | default | applies | meaning |\n|---|---|---|---|---|\n"
    if not applies:
        head = "| key | type | default | meaning |\n|---|---|---|---|\n"
    rows = [_row(name, value, definition, applies=applies) for name, value in definition["properties"].items()]
    return head + "".join(rows)


def _row(name: str, value: Mapping[str, Any], definition: Mapping[str, Any], *, applies: bool) -> str:
    default = "required" if name in definition.get("required", ()) else _default(value.get("default"))
    told = "see below" if _target(value) else str(value[APPLIES])
    cells = [f"`{name}`", _type(value), default, *([told] if applies else []), value["description"]]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _default(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(f"`{each}`" for each in value) if value else "`[]`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _type(value: Mapping[str, Any]) -> str:
    """A type in words, with its limits."""
    if "anyOf" in value:
        kinds = [_type(each) for each in value["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in value:
        return " or ".join(f'`"{each}"`' for each in sorted(value["enum"]))
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}s".replace("addresss", "addresses")
    names = {"ipv4": "IPv4 address", "ipv4-network": "IPv4 network"}
    kind = names.get(value.get("format", ""), "") or {
        "string": "string",
        "integer": "integer",
        "boolean": "true or false",
    }.get(value.get("type", ""), "table")
    low, high = value.get("minimum"), value.get("maximum")
    if low is None and high is None:
        return kind
    return f"{kind}, {'' if low is None else f'from {low} '}{'' if high is None else f'to {high}'}".rstrip()


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE).write_text(page())
