"""Methods that make, change, copy, rename and remove; each saves by one operation, so nothing is half-written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provd.api.cobbler.answer_templates import with_template
from provd.api.cobbler.attributes import INHERIT, NOTHING
from provd.api.cobbler.call import Call, CobblerError, Write
from provd.api.cobbler.fields import RANDOM, FieldError, truth
from provd.api.cobbler.items import cards, changes, item
from provd.api.cobbler.reading import EMPTY, KINDS, known
from provd.api.cobbler.registry import Registry
from provd.api.cobbler.writing import Draft, handle_of
from provd.model.scrub import HIDDEN

PERMISSION: Final[Mapping[str, str]] = {
    **dict.fromkeys(KINDS, "admin"),
    "system": "operate",
}
"""What it needs to make an object of a kind; whoever owns one may change it."""

_REFERENCES: Final[Mapping[tuple[str, str], str]] = {
    ("system", "profile"): "profile",
    ("profile", "distro"): "distro",
    ("profile", "parent"): "profile",
}
"""Attributes that name another object, and its kind."""


def writable(what: str) -> str:
    """A kind whose items can be changed.

    Raises:
        CobblerError: it is not kept here, or there is none of this name.
    """
    if known(what) in EMPTY:
        raise CobblerError(f"provd keeps no items of the kind {what}")
    return what


async def get_item_handle(call: Call, what: str, name: str, token: str = "") -> object:
    """The handle of an object that exists."""
    if known(what) in EMPTY or not await call.has(what, name):
        raise CobblerError(f"internal error, unknown {what} name {name}")
    return call.bridge.drafts.begin(token, handle_of(what, name))


async def new_item(call: Call, what: str, token: str, is_subobject: object = False) -> object:  # noqa: FBT002
    """The handle of an object that is to be made."""
    del is_subobject
    return call.bridge.drafts.new(token, writable(what))


async def new_some(call: Call, kind: str, token: str) -> object:
    """The same for one kind."""
    return await new_item(call, kind, token)


async def modify_item(call: Call, what: str, object_id: str, attribute: str, arg: object, token: str) -> object:
    """Set an attribute of what a handle means; it becomes real when it is saved."""
    draft = call.bridge.drafts.of(token, object_id, writable(what))
    # Looked for before the draft is changed: what is refused here must not wait in it.
    other = _REFERENCES.get((draft.kind, attribute), "")
    if other and isinstance(arg, str) and arg not in {"", INHERIT, NOTHING} and not await call.has(other, arg):
        raise FieldError(f"{attribute}: there is no {other} {arg!r}")
    draft.set(attribute, arg)
    return True


async def save_item(call: Call, what: str, object_id: str, token: str, editmode: str = "bypass") -> object:
    """Make a draft real."""
    del editmode
    draft = call.bridge.drafts.of(token, object_id, writable(what))
    try:
        name = await save(call, draft)
    except Exception:
        draft.refused = True
        raise
    call.bridge.drafts.saved(token, object_id, name)
    call.bridge.drafts.drop(token, handle_of(draft.kind, draft.name))
    return True


async def save(call: Call, draft: Draft) -> str:
    """Name of the object that a draft has become.

    Raises:
        provd.service.operations.OperationError: refused; nothing is changed.
    """
    if not draft.name:
        return await _add(call, draft)
    shown = await call.ask(f"{draft.kind}.show", name=draft.name)
    own = shown if draft.kind == "system" else await call.ask(f"{draft.kind}.own", name=draft.name)
    before = item(draft.kind, own, shown)
    wanted = {name: value for name, value in draft.wanted.items() if name != "name"}
    if draft.cards:
        wanted["interfaces"] = _random(draft.interfaces(cards(shown)))
        before["interfaces"] = cards(shown)
    arguments = await with_template(call, draft.kind, draft.name, changes(draft.kind, wanted, before))
    if "interfaces" in arguments:
        arguments["interfaces"] = _with_variables(arguments["interfaces"], shown["interfaces"])
    new = str(draft.wanted.get("name") or draft.name)
    if writes := _writes(draft.kind, (draft.name, new), arguments, shown["revision"]):
        await call.together(writes)
    return new


def _writes(kind: str, names: tuple[str, str], arguments: dict[str, Any], revision: str) -> list[Write]:
    """An edit, a new name, or both as one: a machine's wish for an install follows its newest name."""
    old, new = names
    guard = {"revision": revision}
    if old == new:
        return [(f"{kind}.edit", {"name": old, "in_place": True, **guard, **arguments})] if arguments else []
    if not arguments:
        return [(f"{kind}.rename", {"name": old, "new": new})]
    if kind == "system":
        renamed = (f"{kind}.rename", {"name": old, "new": new, **guard})
        return [renamed, (f"{kind}.edit", {"name": new, "in_place": True, **arguments})]
    edited = (f"{kind}.edit", {"name": old, "in_place": True, **guard, **arguments})
    return [edited, (f"{kind}.rename", {"name": old, "new": new})]


async def _add(call: Call, draft: Draft) -> str:
    name = draft.wanted.get("name")
    if not name:
        raise FieldError("name: an object needs a name before it is saved")
    wanted = {key: value for key, value in draft.wanted.items() if key != "name"}
    if draft.kind == "system":
        wanted["interfaces"] = _random(draft.interfaces({}))
        if wanted.get("image") and not wanted.get("profile"):
            raise FieldError("image: a system of provd has a profile")
    arguments = _without_none(await with_template(call, draft.kind, "", changes(draft.kind, wanted, {})))
    await call.ask(f"{draft.kind}.add", name=name, **arguments)
    return str(name)


def _without_none(value: Any) -> Any:
    """What is to be inherited is simply not said."""
    if isinstance(value, dict):
        kept = {name: _without_none(one) for name, one in value.items() if one is not None}
        return {name: one for name, one in kept.items() if one != {} or value[name] == {}}
    return value


def _with_variables(made: list[dict[str, Any]], shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Network cards keep the free values that provd has for them.

    Raises:
        CobblerError: one of them is hidden, so that it would be lost.
    """
    kept = {card["name"]: card.get("vars") or {} for card in shown}
    if HIDDEN in str(kept):
        raise CobblerError("interfaces of this system have secret values; change them with provd system edit")
    return [{**card, "vars": kept[card["name"]]} if kept.get(card["name"]) else card for card in made]


def _random(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """A MAC that is asked for by the word ``random``."""
    from provd.api.cobbler.values import random_mac

    for card in found.values():
        if RANDOM.fullmatch(card.get("mac_address") or ""):
            card["mac_address"] = random_mac()
    return found


async def remove_item(call: Call, what: str, name: str, token: str, recursive: object = True) -> object:  # noqa: FBT002
    """Remove an object by its name."""
    del token
    await remove(call, writable(what), name, recursive=truth("recursive", recursive))
    return True


async def remove(call: Call, kind: str, name: str, *, recursive: bool) -> None:
    """Remove an object, and with ``recursive`` what uses it."""
    more = {} if kind == "system" else {"recursive": recursive}
    if not await call.has(kind, name):
        raise CobblerError(f"{kind} not found: {name}")
    await call.ask(f"{kind}.remove", name=name, **more)


async def copy_item(call: Call, what: str, object_id: str, newname: str, token: str) -> object:
    """Copy what a handle means."""
    source = call.bridge.drafts.of(token, object_id, writable(what))
    await copy(call, source.kind, source.name, newname)
    return True


async def copy(call: Call, kind: str, name: str, new: str) -> None:
    """Copy an object; of a system without what only one machine can have: MACs, addresses and host names."""
    if not name:
        raise CobblerError("only an object that was saved can be copied")
    if kind != "system":
        await call.ask(f"{kind}.copy", name=name, new=new)
        return
    shown = await call.ask("system.show", name=name)
    unique = {"mac_address", "ip_address", "dns_name", "ipv6_address", "ipv6_secondaries"}
    kept = {
        device: {key: value for key, value in card.items() if key not in unique}
        for device, card in cards(shown).items()
    }
    arguments = changes("system", {"interfaces": kept}, {"interfaces": cards({**shown, "interfaces": []})})
    del arguments["interfaces"]
    copied = ("system.copy", {"name": shown["name"], "new": new, "interfaces": []})
    await call.together([copied, ("system.edit", {"name": new, "in_place": True, **arguments})])


async def rename_item(call: Call, what: str, object_id: str, newname: str, token: str) -> object:
    """Give what a handle means another name."""
    draft = call.bridge.drafts.of(token, object_id, writable(what))
    await call.ask(f"{draft.kind}.rename", name=draft.name, new=newname)
    call.bridge.drafts.drop(token, object_id)
    return True


async def kind_handle(call: Call, kind: str, name: str, token: str = "") -> object:
    """The handle of an object of one kind."""
    return await get_item_handle(call, kind, name, token)


def register(methods: Registry) -> None:
    """Put the methods into the registry; the generic ones need the least permission, operations check the rest."""
    later = "what is modified is seen by nobody before it is saved; after a refused save a new handle begins anew"
    clean = "a copy of a system has its interfaces without MAC, addresses and names"
    methods.add("get_item_handle", "read", get_item_handle)
    methods.add("new_item", "operate", new_item)
    methods.add("modify_item", "operate", modify_item, differs=later)
    methods.add("save_item", "operate", save_item)
    methods.add("remove_item", "operate", remove_item)
    methods.add("copy_item", "operate", copy_item, differs=clean)
    methods.add("rename_item", "operate", rename_item)
    methods.add("new_subprofile", "admin", new_some, "profile")
    for kind in KINDS:
        needs = PERMISSION[kind]
        methods.add(f"get_{kind}_handle", "read", kind_handle, kind)
        methods.add(f"new_{kind}", needs, new_some, kind)
        methods.add(f"modify_{kind}", "operate", modify_item, kind, differs=later)
        methods.add(f"save_{kind}", "operate", save_item, kind)
        methods.add(f"remove_{kind}", "operate", remove_item, kind)
        methods.add(f"copy_{kind}", needs, copy_item, kind, differs=clean if kind == "system" else "")
        methods.add(f"rename_{kind}", "operate", rename_item, kind)
