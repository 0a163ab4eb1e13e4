"""Judge of an Agama profile: a schema, and the rules of the reference's text that a schema cannot say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from provd.plugin.api import Finding, judged_json

from .schema import SCHEMA


def judged(document: str, text: str) -> Iterator[Finding]:
    """What is wrong with one document."""
    return judged_json(document, text, schema=SCHEMA, said=_said, rules=_rules)


def _said(fault: Any) -> str:
    """The library's sentence, without long values: they may be what nobody should read."""
    match fault.validator:
        case "type":
            wanted = fault.validator_value
            return f"must be {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
        case "pattern":
            return f"does not match {fault.validator_value}"
        case "anyOf":
            return "has none of the forms that are allowed here"
        case "oneOf":
            return "needs content or url, and not both"
        case "minLength" | "maxLength" | "minimum" | "maximum":
            return f"{fault.validator} is {fault.validator_value}"
        case _:
            return str(fault.message)[:200]


def _rules(whole: Mapping[str, Any]) -> Iterator[str]:
    if whole.get("questions", {}).get("policy") != "auto":
        yield "questions.policy must be auto, or the installer waits for somebody"
    for who in ("root", "user"):
        access = whole.get(who, {})
        if access.get("password") and not access.get("hashedPassword"):
            yield f"{who}.password stands in clear: hashedPassword must be true"
    if "stopOnBootMenu" in whole.get("bootloader", {}) and "timeout" in whole["bootloader"]:
        yield "bootloader has stopOnBootMenu and timeout: one of them"
    yield from _network(whole.get("network", {}).get("connections", []))
    for kind, scripts in whole.get("scripts", {}).items():
        yield from _twice(f"scripts.{kind}", [script["name"] for script in scripts])
        for script in scripts:
            if not script.get("content", "#!").startswith("#!"):
                yield f"scripts.{kind} {script['name']}: the first line names no interpreter (#!)"
    yield from _aliases(whole["storage"])


def _network(connections: list[Mapping[str, Any]]) -> Iterator[str]:
    yield from _twice("network.connections", [one["id"] for one in connections])
    known = {name for one in connections for name in (one["id"], one.get("interface"))}
    for one in connections:
        members = [
            *one.get("bond", {}).get("ports", ()),
            *one.get("bridge", {}).get("ports", ()),
            *([one["vlan"]["parent"]] if "vlan" in one else ()),
        ]
        yield from (f"network.connections {one['id']}: {name} is not known" for name in members if name not in known)
        if one.get("method4") == "manual" and not one.get("addresses"):
            yield f"network.connections {one['id']}: method4 is manual and there is no address"


def _aliases(storage: Mapping[str, Any]) -> Iterator[str]:
    """What volume groups and RAIDs are made of is named somewhere."""
    devices = [*storage.get("drives", ()), *storage.get("mdRaids", ())]
    parts = [part for device in devices for part in device.get("partitions", ())]
    known = {one["alias"] for one in (*devices, *parts) if "alias" in one}
    wanted = [name for raid in storage.get("mdRaids", ()) for name in raid.get("devices", ())]
    for group in storage.get("volumeGroups", ()):
        for volume in group.get("physicalVolumes", ()):
            made = volume if isinstance(volume, str) else volume["generate"]
            names = made.get("targetDevices", ()) if isinstance(made, Mapping) else made
            wanted += [names] if isinstance(names, str) else list(names)
    yield from (f"storage: no device has the alias {name}" for name in wanted if name not in known)


def _twice(place: str, names: list[str]) -> Iterator[str]:
    yield from (f"{place}: {name} is there {count} times" for name, count in Counter(names).items() if count > 1)
