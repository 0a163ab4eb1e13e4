"""Repos, images and menus as Cobbler's items and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provd.api.cobbler.fields import FieldError

BAG: Final = "cobbler"
"""Key of ``vars`` under which attributes are kept that only Cobbler's clients know."""

KINDS: Final = ("repo", "image", "menu")

_NONE: Final = "none"
_REPO_KINDS: Final = frozenset({"apt", "yum"})
"""Breeds of Cobbler's that are kinds of provd's; the others (rsync, rhn, wget) say how Cobbler copies a repo."""

KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "repo": {
        "mirror": "url",
        "breed": "kind",
        "arch": "arch",
        "apt_dists": "suites",
        "apt_components": "components",
        "rpm_list": "packages",
        "priority": "priority",
    },
    "image": {
        "file": "file",
        "image_type": "kind",
        "arch": "arch",
        "breed": "family",
        "os_version": "version",
        "menu": "menu",
    },
    "menu": {"display_name": "title", "parent": "parent"},
}
"""Attribute to key of provd's own."""


def read_item(kind: str, found: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Put what an object's file says into an item.

    Args:
        kind: one of :data:`KINDS`.
        found: the item so far, with what is kept by Cobbler's names.
        own: keys of the file.
    """
    kept = found.get("breed")
    for attribute, key in {**KEYS[kind], "comment": "comment"}.items():
        if key in own:
            found[attribute] = _theirs(kind, attribute, own[key])
    if own.get("owners"):
        found["owners"] = list(own["owners"])
    if kind == "repo" and not own.get("kind"):
        found["breed"] = kept
    return found


def _theirs(kind: str, attribute: str, value: Any) -> Any:
    if kind == "repo" and attribute in {"arch", "breed"}:
        return {"zypper": "yum"}.get(value, value) or _NONE
    if attribute == "image_type":
        return {"disk": "direct"}.get(value, value)
    return list(value) if isinstance(value, list | tuple) else value


def changes(kind: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``KIND.add`` or of ``KIND.edit`` in place that say what a client wants.

    Raises:
        FieldError: provd knows no such value.
    """
    said: dict[str, Any] = {}
    bag: dict[str, Any] = {}
    for name, value in wanted.items():
        if name == "breed" and kind == "repo":
            # How Cobbler copies it is kept, and comes back; for an installer it is no kind.
            said["kind"] = value if value in _REPO_KINDS else ""
            bag["breed"] = value if value not in {*_REPO_KINDS, _NONE} else None
        elif name in KEYS[kind]:
            said[KEYS[kind][name]] = _ours(kind, name, value)
        elif name in {"comment", "owners"}:
            said[name] = value
        else:
            bag[name] = value
    if bag:
        said["vars"] = {BAG: bag}
    return said


def _ours(kind: str, attribute: str, value: Any) -> Any:
    if kind == "repo" and attribute == "arch":
        return "" if value in {_NONE, "noarch"} else value
    if attribute != "image_type" or value is None:
        return value
    known = {"direct": "disk", **{name: name for name in ("iso", "memdisk", "virt-clone")}}
    if value not in known:
        raise FieldError(f"image_type: {value!r} is not one of {', '.join(known)}")
    return known[value]
