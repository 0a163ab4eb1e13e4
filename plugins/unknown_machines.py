"""What machines boot that nobody assigned: never an installer.

    [plugins.unknown_machines]
    policy = "local"               # local, none, hold, menu, enrol or ignore
    menu = ""                      # menu of policy "menu"; empty for the only one at the top

    [plugins.unknown_machines.classes]
    lab = "none"                   # by client class, wins over policy

    [[plugins.unknown_machines.rules]]
    vendor = "PXEClient:Arch:00007"   # beginning of option 60
    arch = "x64-uefi"              # provd's name of option 93
    uuid = "4c4c4544-*"            # SMBIOS UUID, * and ? as in file names
    oui = "52:54:00"               # beginning of the hardware address
    relay = "10.2.0.1"             # address of the relay
    port = "ge-0/0/*"              # the relay's port (circuit-id)
    subnet = "10.2.0.0/24"         # name of the subnet
    label = "rack-7"               # client class
    name = "node-{number:3}"       # also {mac}, {uuid}, {port}, {subnet}, {arch}
    profile = "debian-12-server"
    tags = ["rack-7"]

A machine is unknown where no system has its MAC or UUID, or where its system has no profile; one whose system says
``policy = "menu"`` is shown the menu all the same.

The first rule whose conditions all fit makes a system of a machine, at its first DISCOVER: it gets the profile, and
installs. So a rule without any condition is refused. Without ``profile`` it gets its name and tags only.

* ``local``: it gets a boot loader that boots its own disk, quickly. The default.
* ``none``: it gets an address and no boot file; its firmware goes on to the next boot device.
* ``hold``: it gets a boot loader that shows why it waits.
* ``menu``: it is shown a menu. What installs nothing can be chosen as it is; what installs must be protected by a
  password, and makes the machine a system named by ``enrol_name`` with that profile.
* ``enrol``: it becomes a system without a profile, named by ``enrol_name`` (``new-{mac}``), and waits for somebody to
  assign one: its boot loader shows that, then it boots its own disk.
* ``ignore``: this plugin has no opinion; the next one decides, and in the end the core, which installs nothing either.

Whether an unknown machine gets an address at all is the subnet's ``unknown`` setting.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from ipaddress import IPv4Address
from typing import Literal

from msgspec import field

from provd.plugin.api import (
    ARCHS,
    Action,
    Adoption,
    BootPlan,
    ClientFacts,
    Menu,
    Plugin,
    Profile,
    Settings,
    Subnet,
    System,
    hookimpl,
    pattern_fault,
)

_OUI = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){0,5}")
Policy = Literal["local", "none", "hold", "menu", "enrol", "ignore"]
_ACTIONS = {
    "local": Action.LOCAL,
    "none": Action.NONE,
    "hold": Action.HOLD,
    "menu": Action.MENU,
    "enrol": Action.HOLD,
}
_CONDITIONS = ("vendor", "arch", "uuid", "oui", "relay", "port", "subnet", "label")


class Rule(Settings, frozen=True):
    """Which machines become systems, and which; empty conditions are not looked at."""

    name: str
    profile: str = ""
    tags: tuple[str, ...] = ()
    vendor: str = ""
    arch: str = ""
    uuid: str = ""
    oui: str = ""
    relay: str = ""
    port: str = ""
    subnet: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        if fault := pattern_fault(self.name):
            raise ValueError(f"name: {fault}")
        if not any(getattr(self, condition) for condition in _CONDITIONS):
            raise ValueError(f"rule {self.name!r} has no condition: it would install every machine there is")
        if self.arch and self.arch not in {arch.name for arch in ARCHS.values()}:
            raise ValueError(f"arch {self.arch!r} is not known; see provd simulate --help")
        if self.oui and not _OUI.fullmatch(self.oui):
            raise ValueError(f"oui {self.oui!r} must be pairs of lower case hex digits with colons")
        if self.relay:
            IPv4Address(self.relay)

    def fits(self, client: ClientFacts, subnet: Subnet) -> bool:
        """Whether every condition is true of the machine."""
        relay = client.relay
        return (
            client.vendor_class.startswith(self.vendor)
            and (not self.arch or (client.arch is not None and client.arch.name == self.arch))
            and (not self.uuid or fnmatchcase(client.uuid, self.uuid.lower()))
            and f"{client.mac}:".startswith(f"{self.oui}:" if self.oui else "")
            and (not self.relay or (relay.giaddr != 0 and str(IPv4Address(relay.giaddr)) == self.relay))
            and (not self.port or fnmatchcase(relay.circuit_id.decode("ascii", "replace"), self.port))
            and self.subnet in {"", subnet.name}
            and (not self.label or self.label in client.labels)
        )


class SettingsOfUnknownMachines(Settings, frozen=True):
    """``policy`` for all, ``classes`` by client class, ``rules`` by what is known of a machine."""

    policy: Policy = "local"
    rules: tuple[Rule, ...] = ()
    enrol_name: str = "new-{mac}"
    menu: str = ""
    classes: dict[str, Policy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if fault := pattern_fault(self.enrol_name):
            raise ValueError(f"enrol_name: {fault}")


class UnknownMachines:
    """Plans for machines without a profile."""

    def __init__(self, settings: SettingsOfUnknownMachines) -> None:
        self._settings = settings

    @hookimpl
    def provd_adopt(self, client: ClientFacts, subnet: Subnet) -> Adoption | None:
        for number, rule in enumerate(self._settings.rules, 1):
            if rule.fits(client, subnet):
                return Adoption(rule.name, rule.profile, rule.tags, f"adopted by rule {number} of unknown_machines")
        if self._policy(client) == "enrol":
            return Adoption(self._settings.enrol_name, reason="enrolled by unknown_machines")
        return None

    def _policy(self, client: ClientFacts) -> Policy:
        classes = (policy for label, policy in self._settings.classes.items() if label in client.labels)
        return next(classes, self._settings.policy)

    @hookimpl
    def provd_boot_plan(self, system: System | None, profile: Profile | None, client: ClientFacts) -> BootPlan | None:
        if system is not None and (system.profile or profile is not None or system.policy == "menu"):
            return None
        policy = self._policy(client)
        if policy == "ignore":
            return None
        who = f"the system {system.name} has no profile" if system else "no system has this machine's MAC or UUID"
        menu = Menu(self._settings.menu, adopt_as=self._settings.enrol_name) if policy == "menu" else None
        return BootPlan(_ACTIONS[policy], f"{who}; unknown_machines says {policy}", client, system=system, menu=menu)


PLUGIN = Plugin(name="unknown_machines", settings=SettingsOfUnknownMachines, build=UnknownMachines)
