"""Objects that are being made or changed under a handle, until they are saved by one operation."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provd.api.cobbler.attributes import FIELDS, INTERFACE
from provd.api.cobbler.fields import FieldError, modern, read

_MOST: Final = 500
_NEW: Final = "___NEW___"


@dataclass(slots=True)
class Draft:
    """An object as it shall be.

    Attributes:
        kind: ``distro``, ``profile`` or ``system``.
        name: the object it changes, empty for a new one.
        wanted: attribute to value, None for "inherit".
        cards: what shall change at interfaces, in order: (``edit``, name, attributes), (``delete``, name, {}) or
            (``rename``, name, {"to": name}).
        refused: a save was refused since it was begun.
    """

    kind: str
    name: str
    wanted: dict[str, Any] = field(default_factory=dict)
    cards: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    refused: bool = False

    def set(self, attribute: str, value: Any) -> None:
        """Set an attribute, or do what the attribute stands for at interfaces.

        Raises:
            FieldError: unknown, or a wrong type.
        """
        name = modern(attribute)
        if self.kind == "system" and name == "modify_interface":
            self._modify(value)
        elif self.kind == "system" and name == "delete_interface":
            device = value if isinstance(value, str) else _mapping(name, value).get("interface", "")
            self.cards.append(("delete", _device(device), {}))
        elif self.kind == "system" and name == "rename_interface":
            entry = _mapping(name, value)
            old, new = _device(entry.get("interface", "")), _device(entry.get("rename_interface", ""))
            self.cards.append(("rename", old, {"to": new}))
        elif self.kind == "system" and name == "interfaces":
            for device, card in _mapping(name, value).items():
                self.card(device, _mapping(device, card))
        else:
            self.wanted[name] = read(FIELDS[self.kind], name, value)

    def _modify(self, value: Any) -> None:
        """``{"macaddress-eth0": ...}``: the attribute, a hyphen, the interface."""
        found: dict[str, dict[str, Any]] = {}
        for key, one in _mapping("modify_interface", value).items():
            attribute, hyphen, device = key.partition("-")
            if not hyphen:
                raise FieldError(f"modify_interface: {key!r} is not ATTRIBUTE-INTERFACE")
            found.setdefault(device, {})[attribute] = one
        for device, card in found.items():
            self.card(device, card)

    def card(self, device: str, values: Mapping[str, Any]) -> None:
        """Change an interface.

        Raises:
            FieldError: unknown attribute, or a wrong type.
        """
        # The playbook module of Ansible sends this name with a slip of the pen.
        names = {"ipv6_secondariesu": "ipv6_secondaries"}
        entries = {modern(names.get(name, name)): value for name, value in values.items()}
        checked = {name: read(INTERFACE, name, value) for name, value in entries.items()}
        self.cards.append(("edit", _device(device), checked))

    def interfaces(self, before: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """All interfaces as they shall be.

        Raises:
            FieldError: an interface that shall go or get a new name is not there.
        """
        found = {device: dict(card) for device, card in before.items()}
        for what, device, values in self.cards:
            if what == "edit":
                found.setdefault(device, {}).update(values)
                continue
            if device not in found:
                raise FieldError(f"there is no interface {device!r}")
            card = found.pop(device)
            if what == "rename":
                if values["to"] in found:
                    raise FieldError(f"there is an interface {values['to']!r} already")
                found[values["to"]] = card
        return found


class Drafts:
    """Drafts by token and handle; the oldest of very many go."""

    def __init__(self) -> None:
        self._drafts: OrderedDict[tuple[str, str], Draft] = OrderedDict()

    def new(self, token: str, kind: str) -> str:
        """Handle of a new object."""
        handle = f"{_NEW}{kind}::{secrets.token_urlsafe(18)}"
        self._keep(token, handle, Draft(kind, ""))
        return handle

    def of(self, token: str, handle: str, kind: str) -> Draft:
        """What was begun under a handle.

        Raises:
            FieldError: no such handle, or one of another kind of object.
        """
        draft = self._drafts.get((token, handle))
        if draft is None:
            found, colons, name = handle.partition("::")
            if not colons or not name or found not in FIELDS:
                raise FieldError(f"no object has the handle {handle[:80]!r}; it may have been saved or be too old")
            draft = self._keep(token, handle, Draft(found, name))
        if draft.kind != kind:
            raise FieldError(f"the handle is that of a {draft.kind}, not of a {kind}")
        return draft

    def saved(self, token: str, handle: str, name: str) -> None:
        """A draft has become real; its handle means the object from now on."""
        draft = self._drafts.pop((token, handle), None)
        if draft is not None and handle.startswith(_NEW):
            self._keep(token, handle, Draft(draft.kind, name))

    def begin(self, token: str, handle: str) -> str:
        """The handle, asked for anew: what was refused before is forgotten, anything else waits for its save."""
        draft = self._drafts.get((token, handle))
        if draft is not None and draft.refused:
            self.drop(token, handle)
        return handle

    def drop(self, token: str, handle: str) -> None:
        """Forget what was begun."""
        self._drafts.pop((token, handle), None)

    def _keep(self, token: str, handle: str, draft: Draft) -> Draft:
        self._drafts[token, handle] = draft
        while len(self._drafts) > _MOST:
            self._drafts.popitem(last=False)
        return draft


def handle_of(kind: str, name: str) -> str:
    """Handle of an object that exists."""
    return f"{kind}::{name}"


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FieldError(f"{name}: a dictionary is expected")
    return value


def _device(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise FieldError("the name of an interface is missing")
    return value.strip()
