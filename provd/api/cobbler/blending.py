"""Everything that holds for a profile or system, inheritance included, and the files made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provd.api.cobbler.attributes import INHERIT
from provd.api.cobbler.call import Call, CobblerError
from provd.api.cobbler.fields import arguments
from provd.api.cobbler.further_items import BAG
from provd.api.cobbler.reading import EMPTY, KINDS, known, one
from provd.api.cobbler.registry import Registry
from provd.service.operations import ANONYMOUS_READ, OperationError


async def blended(call: Call, kind: str, name: str) -> dict[str, Any]:
    """Settings, then every level of the item, each over the one before; names of templates at the top level.

    Raises:
        OperationError: there is no such item.
    """
    levels = await _levels(call, kind, name)
    found: dict[str, Any] = dict(call.bridge.facts())
    for level in levels:
        for key, value in level.items():
            if isinstance(value, dict) and key != "interfaces" and isinstance(found.get(key), dict):
                found[key] = _merged(found[key], value)
            elif value not in (INHERIT, "", [], {}) or key not in found:
                found[key] = value
    for level, of in zip(levels, [kind_ for kind_, _ in await _chain(call, kind, name)], strict=True):
        found[f"{of}_name"] = level["name"]
    options = {key: found.get(key) for key in ("kernel_options", "kernel_options_post")}
    for key, value in options.items():
        found[key] = " ".join(arguments(value)) if isinstance(value, dict) else ""
    for device, card in found.get("interfaces", {}).items():
        found.update({f"{key}_{device}": value for key, value in card.items()})
    meta = found.get("autoinstall_meta") or {}
    return {**{key: value for key, value in meta.items() if key not in found and key != BAG}, **found}


def _merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Dictionaries over each other; ``!key`` removes."""
    found = {**before, **after}
    for key in after:
        if key.startswith("!"):
            found.pop(key[1:], None)
            found.pop(key)
    return found


async def _chain(call: Call, kind: str, name: str) -> list[tuple[str, str]]:
    """The item and what it inherits from, the farthest first."""
    if kind not in {"profile", "system"}:
        return [(kind, name)]
    if kind == "profile":
        shown = await call.ask("profile.show", name=name)
        known_names = {row["name"] for row in await call.ask("profile.list")}
        parents = [("profile", parent) for parent in shown["parents"] if parent in known_names]
        return [("distro", shown["distro"]), *reversed(parents), ("profile", name)]
    shown = await call.ask("system.show", name=name)
    above = await _chain(call, "profile", shown["profile"]) if shown["profile"] else []
    return [*above, ("system", shown["name"])]


async def _levels(call: Call, kind: str, name: str) -> list[dict[str, Any]]:
    return [await one(call, of, one_) for of, one_ in await _chain(call, kind, name)]


async def get_blended_data(call: Call, profile: str = "", system: str = "") -> object:
    """Everything that holds for a profile, or for a system."""
    kind, name = ("profile", profile) if profile not in {"", "~"} else ("system", system)
    if name in {"", "~"}:
        raise CobblerError("internal error, no system or profile specified")
    try:
        return await blended(call, kind, name)
    except OperationError as error:
        raise CobblerError(f"{kind} not found: {name}" if error.kind == "not-found" else str(error)) from error


async def as_rendered(call: Call, kind: str, name: str, token: str = "") -> object:
    """The same for one kind; empty where there is no such item."""
    del token
    if kind not in KINDS or not await call.has(known(kind), name):
        return {}
    return await blended(call, kind, name)


async def get_item_resolved_value(call: Call, item_uuid: str, attribute: str) -> object:
    """What holds for one attribute of an item, named by its uid or its handle."""
    for kind in KINDS:
        for row in await call.ask(f"{kind}.list"):
            found = await one(call, kind, row["name"])
            if item_uuid in {found["uid"], f"{kind}::{found['name']}"}:
                if attribute not in found:
                    raise CobblerError(f"{kind} has no attribute {attribute!r}")
                return (await blended(call, kind, found["name"]))[attribute]
    raise CobblerError(f"no item has the uid {item_uuid[:80]!r}")


async def generate_autoinstall(
    call: Call,
    profile: str = "",
    system: str = "",
    REMOTE_ADDR: object = "",  # noqa: N803  names are Cobbler's
    REMOTE_MAC: object = "",  # noqa: N803
) -> object:
    """The file that the installer would be given."""
    del REMOTE_ADDR, REMOTE_MAC
    if system not in {"", "~"}:
        shown = await call.ask("answer.preview", system=system)
    elif profile not in {"", "~"}:
        shown = await call.ask("answer.preview", profile=profile)
    else:
        raise CobblerError("internal error, no system or profile specified")
    return shown["text"]


async def generate_profile_autoinstall(call: Call, profile: str) -> object:
    """The same for a profile."""
    return await generate_autoinstall(call, profile, "")


async def generate_system_autoinstall(call: Call, system: str) -> object:
    """The same for a system."""
    return await generate_autoinstall(call, "", system)


async def generate_ipxe(call: Call, profile: str = "", image: object = "", system: str = "") -> object:
    """What iPXE would be told of a system: the kernel, its arguments, the initial RAM disks."""
    del image, profile
    if not system:
        return ""
    told = await call.ask("explain", system=system)
    if told["action"] != "install":
        return "#!ipxe\nexit\n"
    words = " ".join(str(row["value"]) for row in told["kernel_args"])
    shown = await call.ask("distro.show", name=told["distro"]["value"])
    disks = "".join(f"initrd {one_}\n" for one_ in shown["initrd"])
    return f"#!ipxe\nkernel {shown['kernel']} {words}\n{disks}boot\n"


def register(methods: Registry) -> None:
    """Put the methods into the registry."""
    hidden = "secrets and the install token are masked"
    methods.add("get_blended_data", ANONYMOUS_READ, get_blended_data, differs=hidden)
    methods.add("get_item_resolved_value", ANONYMOUS_READ, get_item_resolved_value, differs=hidden)
    for kind in (*KINDS, *EMPTY):
        differs = hidden if kind in KINDS else "provd keeps no items of this kind; empty"
        methods.add(f"get_{kind}_as_rendered", ANONYMOUS_READ, as_rendered, kind, differs=differs)
    methods.add("generate_autoinstall", ANONYMOUS_READ, generate_autoinstall, differs=hidden)
    methods.add("generate_profile_autoinstall", ANONYMOUS_READ, generate_profile_autoinstall, differs=hidden)
    methods.add("generate_system_autoinstall", ANONYMOUS_READ, generate_system_autoinstall, differs=hidden)
    shape = "a description with the real arguments; machines are given their own by the boot loader"
    methods.add("generate_ipxe", ANONYMOUS_READ, generate_ipxe, differs=shape)
