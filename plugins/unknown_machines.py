"""What machines boot that nobody assigned: never an installer.

    [plugins.unknown_machines]
    policy = "local"               # local, none, hold or ignore

    [plugins.unknown_machines.classes]
    lab = "none"                   # by client class, wins over policy

A machine is unknown where no system has its MAC or UUID, or where its system has no profile.

* ``local``: it gets a boot loader that boots its own disk, quickly. The default.
* ``none``: it gets an address and no boot file; its firmware goes on to the next boot device.
* ``hold``: it gets a boot loader that shows why it waits.
* ``ignore``: this plugin has no opinion; the next one decides, and in the end the core, which installs nothing either.

Whether an unknown machine gets an address at all is the subnet's ``unknown`` setting.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from provd.plugin.api import Action, BootPlan, ClientFacts, Plugin, Profile, Settings, System, hookimpl

Policy = Literal["local", "none", "hold", "ignore"]
_ACTIONS = {"local": Action.LOCAL, "none": Action.NONE, "hold": Action.HOLD}


class SettingsOfUnknownMachines(Settings, frozen=True):
    """``policy`` for all, ``classes`` by client class."""

    policy: Policy = "local"
    classes: dict[str, Policy] = field(default_factory=dict)


class UnknownMachines:
    """Plans for machines without a profile."""

    def __init__(self, settings: SettingsOfUnknownMachines) -> None:
        self._settings = settings

    @hookimpl
    def provd_boot_plan(self, system: System | None, profile: Profile | None, client: ClientFacts) -> BootPlan | None:
        if system is not None and (system.profile or profile is not None):
            return None
        classes = (policy for label, policy in self._settings.classes.items() if label in client.labels)
        policy = next(classes, self._settings.policy)
        if policy == "ignore":
            return None
        who = f"the system {system.name} has no profile" if system else "no system has this machine's MAC or UUID"
        return BootPlan(_ACTIONS[policy], f"{who}; unknown_machines says {policy}", client, system=system)


PLUGIN = Plugin(name="unknown_machines", settings=SettingsOfUnknownMachines, build=UnknownMachines)
