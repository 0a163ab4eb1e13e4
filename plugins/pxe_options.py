"""pxe_options: what the PXE specification puts into a reply beside address and boot file.

provd itself tells PXE clients to load the boot file at once and to look for no boot server, echoes option 97, and takes
menus from ``[options.pxe]``. This plugin is for firmware that wants something else than all the others. Machines that
are to boot (a PXE client with a boot plan) get

- option 43 with sub-option 6, discovery control (PXE 2.1 section 2.3), instead of what ``[options.pxe]`` says;
- option 60 ``PXEClient``, only where it is switched on: a server that gives addresses does not need it, and some
  firmware takes it as a promise to answer on port 4011 too. To keep that promise give the subnet ``mode = "combined"``.

Settings::

    [plugins.pxe_options]
    discovery_control = 11    # bits: 1 no broadcast, 2 no multicast, 4 listed servers only, 8 load the file at once
    vendor_class = false

Nothing is sent to clients that are not PXE clients.
"""

from __future__ import annotations

from provd.plugin.api import (
    Action,
    BootPlan,
    DhcpRequest,
    Lease,
    OptionSet,
    Plugin,
    Settings,
    hookimpl,
)

VENDOR_SPECIFIC, VENDOR_CLASS = 43, 60
_DISCOVERY_CONTROL, _END = 6, 255


class PxeOptionsSettings(Settings, frozen=True):
    """Keys of ``[plugins.pxe_options]``."""

    discovery_control: int = 11
    vendor_class: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.discovery_control <= 15:
            raise ValueError(f"discovery_control is {self.discovery_control}: it has four bits, 0 to 15")


class PxeOptions:
    """Adds the PXE options."""

    def __init__(self, settings: PxeOptionsSettings) -> None:
        self._settings = settings

    @hookimpl(shared="always")
    def provd_dhcp_options(self, request: DhcpRequest, lease: Lease | None, plan: BootPlan | None) -> OptionSet | None:
        if not request.client.is_pxe or plan is None or plan.action is Action.NONE:
            return None
        control = bytes((_DISCOVERY_CONTROL, 1, self._settings.discovery_control, _END))
        options = {VENDOR_SPECIFIC: control}
        if self._settings.vendor_class:
            options[VENDOR_CLASS] = b"PXEClient"
        return OptionSet(options, force=True)


PLUGIN = Plugin(name="pxe_options", settings=PxeOptionsSettings, build=PxeOptions)
