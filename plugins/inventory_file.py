"""Systems from a JSON file that another tool writes.

    [plugins.inventory_file]
    name = "cmdb"
    file = "/var/lib/cmdb/provd.json"
    refresh_s = 60

The file is a list of systems:

    [{"name": "web1", "profile": "web", "uuid": "",
      "interfaces": [{"name": "eth0", "mac": "52:54:00:aa:bb:cc", "address": "10.0.0.10"}],
      "tags": ["lab"], "vars": {"role": "front"}}]

It is read every ``refresh_s`` seconds in the background. A file that is missing or wrong leaves the former systems in
place, and the error is shown. Unknown keys are refused, with the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Literal

import msgspec

from provd.plugin.api import Interface, Inventory, Mac, Plugin, Settings, System, hookimpl

_MOST_BYTES = 64 * 1024 * 1024


class SettingsOfInventoryFile(Settings, frozen=True):
    """``name`` of the inventory, its ``file``, and seconds between loads."""

    file: str
    name: str = "file"
    refresh_s: float = 60.0

    def __post_init__(self) -> None:
        if not Path(self.file).is_absolute():
            raise ValueError(f"file {self.file!r} must be absolute")
        if self.refresh_s < 1:
            raise ValueError("refresh_s must be at least 1")


class Card(Settings, frozen=True):
    """One network card in the file."""

    mac: str
    name: str = "eth0"
    address: str = ""
    hostname: str = ""


class Machine(Settings, frozen=True):
    """One system in the file."""

    name: str
    interfaces: tuple[Card, ...]
    profile: str = ""
    uuid: str = ""
    client_id: str = ""
    circuit_id: str = ""
    remote_id: str = ""
    hostname: str = ""
    netboot: bool = True
    policy: Literal["", "once", "until-finished", "always", "never"] = ""
    max_attempts: int = 0
    kernel_args: tuple[str, ...] = ()
    answers: dict[str, Any] = msgspec.field(default_factory=dict)
    vars: dict[str, Any] = msgspec.field(default_factory=dict)
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    comment: str = ""
    tags: tuple[str, ...] = ()


class InventoryFile:
    """Reads the file."""

    def __init__(self, settings: SettingsOfInventoryFile) -> None:
        self._settings = settings

    @hookimpl
    def provd_inventories(self) -> Iterable[Inventory]:
        return [Inventory(self._settings.name, self._settings.refresh_s, self.load)]

    async def load(self) -> Iterable[System]:
        """All systems of the file, or an error with file and place."""
        return self.read()

    def read(self) -> list[System]:
        """What :meth:`load` returns; a local file of this size is read in milliseconds."""
        path = Path(self._settings.file)
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{path} is larger than 64 MiB")
        try:
            machines = msgspec.json.decode(path.read_bytes(), type=tuple[Machine, ...])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(f"{path}: {error}") from error
        systems = []
        for machine in machines:
            try:
                systems.append(self._system(machine))
            except ValueError as error:
                raise ValueError(f"{path}: system {machine.name}: {error}") from error
        return systems

    def _system(self, machine: Machine) -> System:
        values = {field: getattr(machine, field) for field in machine.__struct_fields__ if field != "interfaces"}
        values["uuid"] = machine.uuid.lower()
        return System(
            **values, interfaces=tuple(map(_interface, machine.interfaces)), origin=f"inventory:{self._settings.name}"
        )


def _interface(card: Card) -> Interface:
    address = IPv4Address(card.address) if card.address else None
    return Interface(card.name, Mac.parse(card.mac), address, card.hostname)


PLUGIN = Plugin(name="inventory_file", settings=SettingsOfInventoryFile, build=InventoryFile)
