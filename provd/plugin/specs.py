"""The hooks: every place where a plugin is asked, with its contract.

Registration hooks run once, when the plugin object is built. Request hooks are synchronous and do no I/O. A
request hook is a
pure function of its arguments unless its implementation is marked ``@hookimpl(per_packet=True)``; pure answers may
be remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pluggy

from provd.model.boot import BootPlan
from provd.model.client import ClientFacts
from provd.model.content import Content, FileRequest, NotFound
from provd.model.dhcp import DhcpRequest, GateVerdict, OptionSet, Reply
from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.plugin.contract import (
    Adoption,
    Authenticator,
    BootLoader,
    Change,
    Daemon,
    InstallSource,
    Inventory,
    Operation,
    Trigger,
    Veto,
)
from provd.plugin.contract_install import Callback, Installer
from provd.plugin.power import PowerDriver
from provd.plugin.signatures import Signature

PROJECT = "provd"
hookspec = pluggy.HookspecMarker(PROJECT)


class Registration:
    """Hooks that run once per plugin object and return what it contributes."""

    @hookspec
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        """Boot loaders this plugin brings."""
        raise AssertionError

    @hookspec
    def provd_install_sources(self) -> Iterable[InstallSource]:
        """Install sources this plugin brings."""
        raise AssertionError

    @hookspec
    def provd_installers(self) -> Iterable[Installer]:
        """Installers this plugin brings."""
        raise AssertionError

    @hookspec
    def provd_triggers(self) -> Iterable[Trigger]:
        """Triggers this plugin brings."""
        raise AssertionError

    @hookspec
    def provd_callbacks(self) -> Iterable[Callback]:
        """Names that running installers may post to."""
        raise AssertionError

    @hookspec
    def provd_inventories(self) -> Iterable[Inventory]:
        """Systems known elsewhere."""
        raise AssertionError

    @hookspec
    def provd_daemons(self) -> Iterable[Daemon]:
        """Servers that run beside provd with rights of their own."""
        raise AssertionError

    @hookspec
    def provd_power_drivers(self) -> Iterable[PowerDriver]:
        """What switches the power of machines."""
        raise AssertionError

    @hookspec
    def provd_authenticators(self) -> Iterable[Authenticator]:
        """Judges of passwords of users that provd does not have."""
        raise AssertionError

    @hookspec
    def provd_signatures(self) -> Iterable[Signature]:
        """How install media of a family are recognised at import."""
        raise AssertionError

    @hookspec
    def provd_operations(self) -> Iterable[Operation]:
        """Operations for the API and the CLI."""
        raise AssertionError


class DhcpRequests:
    """Hooks of one DHCP packet, in the order they run."""

    @hookspec
    def provd_dhcp_gate(self, request: DhcpRequest) -> GateVerdict | None:
        """May this client be answered at all? First verdict wins; None: no opinion; nobody: allowed."""
        raise AssertionError

    @hookspec
    def provd_dhcp_labels(self, request: DhcpRequest) -> Iterable[str] | None:
        """Client classes of this request; all plugins' labels are joined."""
        raise AssertionError

    @hookspec
    def provd_dhcp_subnet(self, request: DhcpRequest, subnets: Sequence[Subnet]) -> Subnet | None:
        """Which subnet is the client on? First answer wins; nobody: the receiving interface decides."""
        raise AssertionError

    @hookspec
    def provd_dhcp_options(self, request: DhcpRequest, lease: Lease | None, plan: BootPlan | None) -> OptionSet | None:
        """Options to add; a later plugin does not override an earlier one, and a conflict is reported."""
        raise AssertionError

    @hookspec
    def provd_dhcp_reply(self, request: DhcpRequest, reply: Reply) -> Reply | None:
        """Change the reply; each plugin sees what the one before it made. None: unchanged."""
        raise AssertionError


class BootRequests:
    """Hooks of boot decisions, files and answers."""

    @hookspec
    def provd_adopt(self, client: ClientFacts, subnet: Subnet) -> Adoption | None:
        """Shall this unknown machine become a system at once? First answer wins; nobody: it stays unknown."""
        raise AssertionError

    @hookspec
    def provd_boot_plan(self, system: System | None, profile: Profile | None, client: ClientFacts) -> BootPlan | None:
        """What shall this machine boot? First plan wins; nobody: the core's policy."""
        raise AssertionError

    @hookspec
    def provd_kernel_args(self, plan: BootPlan) -> Iterable[str] | None:
        """Kernel arguments to append after distro, profile, system and installer; in configured order."""
        raise AssertionError

    @hookspec
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        """Whose file is this? None: not mine; NotFound: mine, and there is nothing; Content: here it is. First wins."""
        raise AssertionError

    @hookspec
    def provd_answer_vars(self, system: System, profile: Profile) -> Mapping[str, object] | None:
        """Variables for answer files; the same key from two plugins is an error that names both."""
        raise AssertionError


class Changes:
    """Hooks around changes and events."""

    @hookspec
    def provd_change(self, change: Change) -> Veto | None:
        """May this change happen? First veto wins."""
        raise AssertionError

    @hookspec
    def provd_event(self, event: Event) -> None:
        """Something happened; called after the reply has left."""


SPECS: tuple[type, ...] = (Registration, DhcpRequests, BootRequests, Changes)
