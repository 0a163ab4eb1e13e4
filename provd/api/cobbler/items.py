"""provd's objects as Cobbler's items and back.

What provd has no key for is kept under ``vars.cobbler``, by Cobbler's names, where templates find it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from provd.api.cobbler import answer_templates, further_items
from provd.api.cobbler.attributes import FIELDS, INTERFACE, Field
from provd.api.cobbler.fields import arguments, words
from provd.api.cobbler.further_items import BAG
from provd.model.scrub import HIDDEN, MASKED_URL
from provd.plugin.scrub import scrub_value

_LOADERS: Final = {"pxe": "pxelinux", "grub": "grub_efi", "ipxe": "ipxe"}
_FAMILIES: Final = {"redhat": "redhat", "debian": "debian", "ubuntu": "ubuntu", "suse": "suse"}
_INSTALLERS: Final = {"redhat": "kickstart", "debian": "preseed"}
_DEPTH: Final = {"profile": 1, "system": 2}


def defaults(fields: Mapping[str, Field]) -> dict[str, Any]:
    """An item nobody has set anything of."""
    return {name: deepcopy(default) for name, (_, default) in fields.items()}


def item(kind: str, own: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """An item with what it says itself; the rest is ``<<inherit>>`` or the default.

    Args:
        kind: ``distro``, ``profile`` or ``system``.
        own: keys of the object's own file; of a system the same as ``shown``.
        shown: the object as ``KIND.show`` tells it.
    """
    name = str(shown["name"])
    variables = dict(own.get("vars") or {})
    bag = variables.pop(BAG, None) or {}
    found = defaults(FIELDS[kind])
    found.update({key: value for key, value in bag.items() if key in FIELDS[kind]})
    found.update(name=name, uid=hashlib.sha256(f"{kind} {name}".encode()).hexdigest()[:32])
    found.update(ctime=0.0, mtime=0.0, depth=_DEPTH.get(kind, 0), is_subobject=False)
    if own.get("kernel_args"):
        found["kernel_options"] = scrub_value(words(list(own["kernel_args"])))
    if variables:
        found["autoinstall_meta"] = variables
    if own.get("boot_loaders"):
        cobblers = {ours: theirs for theirs, ours in _LOADERS.items()}
        found["boot_loaders"] = [cobblers.get(one, one) for one in own["boot_loaders"]]
    if kind in further_items.KINDS:
        return further_items.read_item(kind, found, own)
    if kind != "system":
        found.update({name: own[key] for name, key in _DESCRIBED.items() if key in own})
    if "autoinstall" in found and (template := answer_templates.shown(own)):
        found["autoinstall"] = template
    return {"distro": _distro, "profile": _profile, "system": _system}[kind](found, own, shown, bag)


def _distro(
    found: dict[str, Any], own: Mapping[str, Any], shown: Mapping[str, Any], bag: Mapping[str, Any]
) -> dict[str, Any]:
    initrd = own.get("initrd") or [""]
    found.update(arch=shown["arch"], kernel=own.get("kernel", ""), initrd=initrd[0])
    found.setdefault("breed", "")
    found["breed"] = bag.get("breed") or shown["family"]
    found["os_version"] = bag.get("os_version") or shown["version"]
    if shown["tree"]:
        found["autoinstall_meta"] = {**found["autoinstall_meta"], "tree": shown["tree"]}
    return found


def _profile(
    found: dict[str, Any], own: Mapping[str, Any], shown: Mapping[str, Any], _bag: Mapping[str, Any]
) -> dict[str, Any]:
    parents = list(shown.get("parents") or ())
    found.update(distro=shown["distro"], parent=own.get("parent", ""), depth=1 + len(parents))
    found["is_subobject"] = bool(found["parent"])
    if "repos" in own:
        found["repos"] = list(own["repos"])
    if own.get("menu"):
        found["menu"] = own["menu"]
    return found


def _system(
    found: dict[str, Any], own: Mapping[str, Any], _shown: Mapping[str, Any], _bag: Mapping[str, Any]
) -> dict[str, Any]:
    name = own["name"]
    found.update(profile=own["profile"], comment=own["comment"], netboot_enabled=own["netboot"])
    found["hostname"] = "" if own["hostname"] == name else own["hostname"]
    if own.get("owners"):
        found["owners"] = list(own["owners"])
    found["interfaces"] = {
        device: {**defaults(INTERFACE), **{key: value for key, value in card.items() if key in INTERFACE}}
        for device, card in cards(own).items()
    }
    return found


def cards(system: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What is said of every interface of a system (as ``system.show`` tells it), by its name."""
    kept = ((system.get("vars") or {}).get(BAG) or {}).get("interfaces") or {}
    found = {device: dict(card) for device, card in kept.items()}
    for card in system["interfaces"]:
        ours = {"mac_address": card["mac"], "ip_address": card["address"], "dns_name": card["hostname"]}
        found.setdefault(card["name"], {}).update({key: value for key, value in ours.items() if value})
    return found


def changes(kind: str, wanted: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``KIND.add`` or of ``KIND.edit`` in place that say what a client wants.

    Args:
        kind: ``distro``, ``profile`` or ``system``.
        wanted: attribute to value, None for "inherit"; ``interfaces`` of a system: all that shall be there.
        before: the item as it is, as :func:`item` tells it; empty for a new one.
    """
    if kind in further_items.KINDS:
        return further_items.changes(kind, wanted)
    return _booted_changes(kind, wanted, before)


def _booted_changes(kind: str, wanted: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The same for distros, profiles and systems."""
    own = _OWN[kind]
    bag: dict[str, Any] = {}
    arguments_: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    for name, value in wanted.items():
        if name == "kernel_options":
            arguments_["kernel_args"] = arguments(value or {})
        elif name == "autoinstall_meta":
            variables = _replaced(before.get(name) or {}, value or {})
            if kind == "distro" and "tree" in variables:
                arguments_["tree"] = variables.pop("tree") or ""
        elif name == "boot_loaders" and kind == "profile":
            arguments_[name] = [_LOADERS.get(one, one) for one in value or ()]
        elif name == "interfaces":
            arguments_["interfaces"], bag[name] = _interfaces(value, before.get(name) or {})
        elif name in own:
            arguments_[own[name]] = own_value(kind, name, value)
        else:
            bag[name] = value
    if kind == "distro" and "breed" in wanted:
        arguments_["family"] = _FAMILIES.get(wanted["breed"] or "", wanted["breed"] or "")
        if not before and (installer := _INSTALLERS.get(arguments_["family"])):
            arguments_["installer"] = installer
    if bag:
        variables[BAG] = bag
    if variables:
        arguments_["vars"] = variables
    return arguments_


_DESCRIBED: Final = {"comment": "comment", "owners": "owners"}

_OWN: Final[Mapping[str, Mapping[str, str]]] = {
    "distro": {"arch": "arch", "kernel": "kernel", "initrd": "initrd", **_DESCRIBED},
    "profile": {"parent": "parent", "distro": "distro", "repos": "repos", "menu": "menu", **_DESCRIBED},
    "system": {"profile": "profile", "hostname": "hostname", "netboot_enabled": "netboot", **_DESCRIBED},
}
"""Attributes that are keys of provd's own."""


def own_value(kind: str, name: str, value: Any) -> Any:
    """A value for a key of provd's own."""
    if name == "initrd":
        return [value] if value else []
    if name == "netboot_enabled":
        return True if value is None else value
    if name == "owners" and kind == "system":
        return value or []
    return value if value is not None or kind != "system" else ""


def _replaced(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Changes in place that make one table of another; a value that was only shown hidden stays."""
    found: dict[str, Any] = {name: None for name in before if name not in after}
    return found | {name: value for name, value in after.items() if value != HIDDEN and not _masked(value)}


def _masked(value: object) -> bool:
    """Whether a value is a URL whose password was shown masked."""
    return isinstance(value, str) and MASKED_URL.search(value) is not None


def _interfaces(
    wanted: Mapping[str, Mapping[str, Any]], before: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Network cards, and what is kept beside them; an interface without a MAC yet is kept as a whole."""
    made: list[dict[str, Any]] = []
    kept: dict[str, Any] = {device: None for device in before if device not in wanted}
    for device, card in wanted.items():
        rest = {name: card.get(name) for name in INTERFACE if card.get(name) != INTERFACE[name][1]}
        if rest.get("mac_address"):
            ours = {"mac": "mac_address", "address": "ip_address", "hostname": "dns_name"}
            made.append({"name": device, **{ours_: rest.pop(theirs, None) or "" for ours_, theirs in ours.items()}})
        old = {name: None for name in INTERFACE if device in before}
        kept[device] = old | {name: value for name, value in rest.items() if value is not None}
    return made, kept
