"""Cobbler's attribute ``autoinstall``: the site's template that replaces the main answer file of an installer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from provd.api.cobbler.call import Call
from provd.api.cobbler.further_items import BAG

KINDS: Final = ("profile", "system")
"""What may have an answer file of its own."""

DOCUMENTS: Final[Mapping[str, str]] = {"kickstart": "ks.cfg", "preseed": "preseed.cfg", "autoinstall": "user-data"}
"""Installer to its main document."""


def shown(own: Mapping[str, Any]) -> str | None:
    """The template that an object names itself, by the keys of its file; None where it names none."""
    templates = own.get("templates") or {}
    return next((str(templates[one]) for one in DOCUMENTS.values() if one in templates), None)


async def with_template(call: Call, kind: str, name: str, said: dict[str, Any]) -> dict[str, Any]:
    """Arguments of an operation in which ``autoinstall`` has become a template, where the site has one of this name.

    What the site has no template of is kept as Cobbler's attribute: it comes back, and does nothing.

    Args:
        call: who changes it.
        kind: of object.
        name: of the object, empty for a new one.
        said: arguments that :func:`provd.api.cobbler.items.changes` made.
    """
    bag = (said.get("vars") or {}).get(BAG) or {}
    if kind not in KINDS or "autoinstall" not in bag:
        return said
    document = DOCUMENTS.get(await _installer(call, kind, name, said))
    if document is None:
        return said
    wanted = bag["autoinstall"]
    # Cobbler's older versions have the whole path of a file here.
    template = PurePosixPath(wanted).name if isinstance(wanted, str) else ""
    known = bool(template) and await call.has("template", template)
    kept = {**bag, "autoinstall": None if known else wanted}
    return {
        **said,
        "templates": {document: template if known else None},
        "vars": {**said["vars"], BAG: kept},
    }


async def _installer(call: Call, kind: str, name: str, said: Mapping[str, Any]) -> str:
    """Installer of an object as it shall be, empty where nothing says so."""
    if kind == "system":
        profile = said.get("profile") or ((await call.ask("system.show", name=name))["profile"] if name else "")
        return str((await call.ask("profile.show", name=profile))["installer"]) if profile else ""
    if said.get("parent"):
        return str((await call.ask("profile.show", name=said["parent"]))["installer"])
    if said.get("distro"):
        return str((await call.ask("distro.show", name=said["distro"]))["installer"])
    return str((await call.ask("profile.show", name=name))["installer"]) if name else ""
