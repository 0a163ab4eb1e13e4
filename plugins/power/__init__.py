"""Switches the power of machines by their boards: Redfish, IPMI, and Wake-on-LAN where there is no board.

    [plugins.power]
    user = "provd"                                  # of all boards whose tables name no user
    password = {file = "/etc/provd/bmc.secret"}
    boards = ["10.0.9.0/24", ".bmc.example.org"]    # nobody else is told this password

Name it in ``enabled``. A system says which board is its own, in its file or by ``provd system edit``:

    [power]
    driver = "redfish"                              # or "ipmi", "wake"
    address = "web1.bmc.example.org"
    user = "operator"                               # instead of the one above
    password = {credential = "web1-bmc"}

``redfish`` needs ``pip install 'provd[redfish]'``, ``ipmi`` needs ``pip install 'provd[ipmi]'``. What each driver
takes besides, and what IPMI gives away: docs/power.md. Nothing switches anything by itself: that is ``trigger_power``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from importlib.util import find_spec
from typing import Any

import msgspec

from provd.plugin.api import KeepsRuntime, Plugin, PowerCall, PowerDriver, Settings, check_login, hookimpl

from . import ipmi, redfish, wake
from .credentials import Credentials, Login


class SettingsOfPower(Settings, frozen=True):
    """What all boards have in common.

    Attributes:
        user: of boards whose tables name none.
        password: reference to the secret that goes with it.
        boards: networks, and domains that begin with a dot, whose boards may be told it.
    """

    user: str = ""
    password: dict[str, Any] = msgspec.field(default_factory=dict)
    boards: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_login(self.user, self.password)
        if self.user and not self.boards:
            raise ValueError("boards names nobody who may be told the password")
        Credentials(self.user, self.boards)


class Power(KeepsRuntime):
    """The drivers; Redfish and IPMI are spoken by processes.

    A password that cannot be read is told by the action that needs it: boards with one of their own need it not.
    """

    def __init__(self, settings: SettingsOfPower) -> None:
        self._settings = settings
        self._credentials = Credentials(settings.user, settings.boards)

    @hookimpl
    def provd_power_drivers(self) -> Iterable[PowerDriver]:
        yield PowerDriver("redfish", redfish.RedfishTable, self._redfish, partial(self._fault, "redfish", "sushy"))
        yield PowerDriver("ipmi", ipmi.IpmiTable, self._ipmi, partial(self._fault, "ipmi", "pyghmi"))
        yield PowerDriver("wake", wake.WakeTable, self._wake, wake.fault, ("on",))

    def _fault(self, name: str, library: str, table: Any) -> str:
        if find_spec(library) is None:
            return f"driver {name} needs the library {library}: pip install 'provd[{name}]'"
        return self._credentials.fault(table.address, table.user, table.password)

    def _login(self, table: Any) -> Login:
        if table.user:
            return Login(table.user, table.password)
        return Login(self._settings.user, self.runtime.secret(self._settings.password))

    async def _redfish(self, call: PowerCall) -> str:
        return await redfish.switch(self.runtime, call.settings, self._login(call.settings), call.action)

    async def _ipmi(self, call: PowerCall) -> str:
        return await ipmi.switch(self.runtime, call.settings, self._login(call.settings), call.action)

    async def _wake(self, call: PowerCall) -> str:
        return await wake.switch(self.runtime, call)


PLUGIN = Plugin(name="power", settings=SettingsOfPower, build=Power)
