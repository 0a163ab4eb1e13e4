"""Keeps a file with all machines for Ansible: written anew whenever something changes.

    [[plugins.trigger_inventory.files]]
    name = "ansible"
    path = "/var/lib/provd/inventory.json"
    on = ["install.finished", "system.changed"]      # what is written anew for; these are the default
    installed = true                                 # only machines that are installed (default)
    profiles = ["web-*"]                             # only machines of these profiles; empty: of every one

``ansible-inventory -i /var/lib/provd/inventory.json --list`` reads it. Hosts are called as the systems are, have
``ansible_host`` where provd knows an address, and are in the groups ``profile_X``, ``tag_X`` and ``group_X``;
characters that Ansible does not take in a group's name are underscores. ``provd_profile``, ``provd_macs``,
``provd_state`` and ``provd_installed_at`` are variables of each host. Nothing of the answers is in it. The file is
replaced in one step, so a reader sees the old one or the new one. Name the plugin in ``enabled``.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, Final

from provd.plugin.api import Event, KeepsRuntime, Machine, Plugin, Settings, Trigger, hookimpl

_AT_ONCE: Final = 500
"""Machines that are looked at before others have their turn."""
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_]")
_INSTALLED: Final = frozenset({"installed", "due"})


class InventoryFile(Settings, frozen=True):
    """One file.

    Attributes:
        name: of the trigger.
        path: the file; its directory is there and provd's user may write in it.
        on: event kinds, ``*`` as in file names.
        installed: only machines that are installed.
        profiles: only machines of these profiles, ``*`` as in file names; empty for all.
    """

    name: str
    path: str
    on: tuple[str, ...] = ("install.finished", "system.changed")
    installed: bool = True
    profiles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or self.path.endswith("/"):
            raise ValueError(f"{self.name!r}: path {self.path!r} must be the absolute path of a file")

    def doubts(self) -> Iterable[str]:
        """Why the file could not be written now."""
        folder = Path(self.path).parent
        if not folder.is_dir():
            yield f"path: there is no folder {folder}"

    def wants(self, machine: Machine) -> bool:
        """Whether a machine is written."""
        if self.installed and machine.state not in _INSTALLED:
            return False
        return not self.profiles or any(fnmatchcase(machine.profile, pattern) for pattern in self.profiles)


class SettingsOfTriggerInventory(Settings, frozen=True):
    """``files``: what is written when."""

    files: tuple[InventoryFile, ...] = ()


class TriggerInventory(KeepsRuntime):
    """Reads the machines in pieces, and writes in a thread."""

    def __init__(self, settings: SettingsOfTriggerInventory) -> None:
        self._files = settings.files

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        # One at a time, so that an older list never replaces a newer one.
        return [
            Trigger(
                one.name,
                one.on,
                120.0,
                partial(self.write, one),
                attempts=5,
                most_at_once=1,
                durable=True,
                doubts=one.doubts,
            )
            for one in self._files
        ]

    async def write(self, wanted: InventoryFile, _event: Event) -> str:
        """Write the file; returns how many machines it has."""
        machines: list[Machine] = []
        for number, machine in enumerate(self.runtime.machines(), 1):
            if wanted.wants(machine):
                machines.append(machine)
            if number % _AT_ONCE == 0:
                await self.runtime.sleep(0.0)
        text = json.dumps(inventory(machines), indent=1, ensure_ascii=False) + "\n"
        await self.runtime.in_thread(partial(_replace, Path(wanted.path), text))
        return f"{len(machines)} machines in {wanted.path}"


def inventory(machines: Iterable[Machine]) -> dict[str, Any]:
    """An inventory of Ansible's YAML plugin, which reads JSON too."""
    hosts: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {}
    for machine in machines:
        hosts[machine.name] = {
            **({"ansible_host": machine.address} if machine.address else {}),
            "provd_hostname": machine.hostname,
            "provd_profile": machine.profile,
            "provd_macs": list(machine.macs),
            "provd_state": machine.state,
            "provd_installed_at": machine.installed_at,
        }
        for kind, names in (("profile", [machine.profile]), ("tag", machine.tags), ("group", machine.groups)):
            for name in filter(None, names):
                groups.setdefault(f"{kind}_{_FOREIGN.sub('_', name)}", {"hosts": {}})["hosts"][machine.name] = None
    return {"all": {"hosts": hosts, "children": dict(sorted(groups.items()))}}


def _replace(path: Path, text: str) -> bool:
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(fresh).unlink()
        raise
    return True


PLUGIN = Plugin(name="trigger_inventory", settings=SettingsOfTriggerInventory, build=TriggerInventory, triggers="files")
