"""``xapi_object_edit``: what Cobbler's command calls for every change, in one step."""

from __future__ import annotations

from typing import Any, Final

from provd.api.cobbler.attributes import FIELDS, INTERFACE
from provd.api.cobbler.call import Call, CobblerError
from provd.api.cobbler.fields import FieldError, modern, read, truth
from provd.api.cobbler.items import cards
from provd.api.cobbler.reading import one
from provd.api.cobbler.registry import Registry
from provd.api.cobbler.saving import copy, remove, save, writable
from provd.api.cobbler.writing import Draft

_STEERING: Final = frozenset(
    {"name", "newname", "in_place", "interface", "delete_interface", "rename_interface", "recursive", "clobber"}
)
_IN_PLACE: Final = frozenset({"autoinstall_meta", "kernel_options", "kernel_options_post", "template_files",
                              "boot_files", "fetchable_files", "mgmt_parameters"})  # fmt: skip


async def xapi_object_edit(
    call: Call,
    object_type: str,
    object_name: str,
    edit_type: str,
    attributes: dict,  # type: ignore[type-arg]
    token: str,
) -> object:
    """Add, edit, copy, rename or remove an object."""
    del token
    kind, name = writable(object_type), object_name.strip()
    if not name:
        raise FieldError("xapi_object_edit() called without an object name")
    wanted = {modern(key): value for key, value in attributes.items()}
    if edit_type == "remove":
        await remove(call, kind, name, recursive=truth("recursive", wanted.get("recursive")))
        return True
    new = wanted.get("newname")
    if edit_type in {"rename", "copy"} and (not isinstance(new, str) or not new):
        raise FieldError("newname: a new name is expected")
    taken = new if edit_type == "rename" else name if edit_type == "add" else ""
    if taken and await call.has(kind, taken):
        raise CobblerError(f"It seems unwise to overwrite the object {taken}, try 'edit'")
    if edit_type != "add" and not await call.has(kind, name):
        raise CobblerError(f"internal error, unknown {kind} name {name}")
    if edit_type == "rename":
        await call.ask(f"{kind}.rename", name=name, new=new)
        return True
    if edit_type not in {"add", "edit", "copy"}:
        raise FieldError(f"{edit_type!r} is none of add, edit, copy, rename, remove")
    return await _written(call, kind, name, edit_type, wanted)


async def _written(call: Call, kind: str, name: str, edit_type: str, wanted: dict[str, Any]) -> object:
    draft = Draft(kind, "" if edit_type == "add" else name)
    _check(kind, edit_type, wanted)
    here = {} if edit_type == "add" else await one(call, kind, name)
    in_place = truth("in_place", wanted.get("in_place"))
    for key, value in wanted.items():
        if key in _STEERING or (kind == "system" and key in INTERFACE):
            continue
        draft.set(key, _together(kind, key, value, here) if in_place and key in _IN_PLACE else value)
    if kind == "system":
        shown = {} if edit_type == "add" else cards(await call.ask("system.show", name=name))
        _interface(draft, wanted, shown)
    if edit_type == "add":
        draft.wanted["name"] = name
    if edit_type != "copy":
        await save(call, draft)
        return True
    if call.waiting is not None and (draft.wanted or draft.cards):
        raise CobblerError("a copy with changes cannot wait in a transaction: copy it as it is, commit, then change it")
    await copy(call, kind, name, wanted["newname"])
    draft.name = wanted["newname"]
    if draft.wanted or draft.cards:
        try:
            await save(call, draft)
        except Exception:
            # A copy without what was asked of it is none.
            await remove(call, kind, draft.name, recursive=False)
            raise
    return True


def _check(kind: str, edit_type: str, wanted: dict[str, Any]) -> None:
    """Cobbler's own rules of what goes together."""
    if kind == "profile" and wanted.get("parent") and wanted.get("distro") and edit_type in {"add", "copy"}:
        raise FieldError("You can't change both 'parent' and 'distro'")
    if kind == "system" and edit_type == "add" and not wanted.get("profile") and not wanted.get("image"):
        raise FieldError("You must specify a 'profile' or 'image' for new systems")


def _together(kind: str, key: str, value: Any, here: dict[str, Any]) -> Any:
    """A dictionary with single keys changed; ``~key`` takes one out."""
    given = read(FIELDS[kind], key, value) or {}
    before = here.get(key)
    found = dict(before) if isinstance(before, dict) else {}
    for name, one_ in given.items():
        if name.startswith("~") and len(name) > 1:
            found.pop(name[1:], None)
        else:
            found[name] = one_
    return found


def _interface(draft: Draft, wanted: dict[str, Any], shown: dict[str, Any]) -> None:
    """The one interface that is spoken of; without its name the only one, or ``default``."""
    device = wanted.get("interface")
    if wanted.get("delete_interface"):
        draft.set("delete_interface", device if device is not None else "")
        return
    if wanted.get("rename_interface"):
        draft.set("rename_interface", {"interface": device, "rename_interface": wanted["rename_interface"]})
        return
    values = {key: value for key, value in wanted.items() if key in INTERFACE}
    if not values and device is None:
        return
    if device is None:
        if len(shown) > 1 and "default" not in shown:
            raise FieldError("Interface is required.")
        device = next(iter(shown)) if len(shown) == 1 else "default"
    draft.card(device, values)


def register(methods: Registry) -> None:
    """Put the method into the registry; the operations behind it check the rest of the permission."""
    methods.add("xapi_object_edit", "operate", xapi_object_edit, differs="a refused edit changes nothing at all")
