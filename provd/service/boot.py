"""The boot director: from a client's DHCP to the plan of its boot and the file its firmware fetches first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from twisted.logger import Logger

from provd.core.boot_policy import Decision, after_held, after_local_boot, decide, effective_netboot
from provd.core.ipxe_guard import is_ipxe_image
from provd.core.menus import menu_for, menu_named
from provd.model.arch import arch_named
from provd.model.boot import Action, BootFile, BootPlan
from provd.model.client import ClientFacts
from provd.model.mac import Mac
from provd.model.menu import Menu
from provd.model.profile import Profile
from provd.model.system import InstallState, System
from provd.plugin.contract_install import Installer
from provd.service.plan_contents import PlanContents, unready
from provd.service.plugin_calls import asked
from provd.service.ports import BootHost, InstallStates, Profiles
from provd.service.sessions import Boot, Sessions


@dataclass(frozen=True, slots=True)
class Sending:
    """Where the client reaches provd.

    Attributes:
        server: address (dotted quad).
        http_port: port of the HTTP listener.
    """

    server: str
    http_port: int


class BootDirector:
    """Decides boots; every decision is kept by its session."""

    def __init__(
        self,
        *,
        host: BootHost,
        profiles: Callable[[], Profiles],
        sessions: Sessions,
        states: InstallStates,
        contents: PlanContents,
    ) -> None:
        """Take collaborators; ``contents`` gives installing plans what they need."""
        self._host = host
        self._profiles = profiles
        self._sessions = sessions
        self._states = states
        self._contents = contents
        self._logger = Logger(namespace="provd.boot")

    def discover(self, client: ClientFacts, system: System | None, sending: Sending) -> Boot:
        """A firmware DISCOVER: the boot it belongs to, with a plan."""
        basis = self._basis(system)
        boot = self._sessions.firmware_discover(str(client.mac), system=system.name if system else "", basis=basis)
        if boot.plan is None:
            plan = self.decide(client, system, boot, sending)
            # The decision may itself hold the machine: what it left behind is what the plan is made of.
            self._sessions.plan(boot, plan, self._basis(system))
        return boot

    def request(self, client: ClientFacts, system: System | None, sending: Sending) -> Boot:
        """A firmware REQUEST: joins the boot its DISCOVER began, or begins one where provd was restarted between."""
        boot = self._sessions.of_mac(str(client.mac))
        if boot is None or boot.plan is None:
            return self.discover(client, system, sending)
        return boot

    def boot_file(self, boot: Boot, client: ClientFacts) -> BootFile | None:
        """What this client fetches first: of the first loader in the profile's (or the enabled) order that can."""
        plan = boot.plan
        if plan is None or plan.action is Action.NONE:
            return None
        # A machine without a profile, which may be shown a menu, has what it says itself.
        own = plan.profile or plan.system
        names = (own.boot_loaders if own else ()) or tuple(self._host.boot_loaders)
        for name in names:
            loader = self._host.boot_loaders.get(name)
            chosen = asked(f"select of boot loader {name}", loader.select, client, plan) if loader else None
            if chosen is not None and client.is_ipxe and is_ipxe_image(chosen.path):
                self._logger.info("{mac} runs iPXE already and is not handed {path}", mac=client.mac, path=chosen.path)
                continue
            if chosen is not None:
                if plan.loader != name:
                    self._sessions.plan(boot, replace(plan, loader=name), boot.basis)
                return chosen
        return None

    def lacking(self, boot: Boot, client: ClientFacts) -> str:
        """File of a boot loader without which none of them serves this client; empty where no file would help."""
        plan = boot.plan
        if plan is None or plan.action in {Action.NONE, Action.HOLD}:
            return ""
        names = plan.profile.boot_loaders if plan.profile and plan.profile.boot_loaders else self._host.boot_loaders
        for name in names:
            loader = self._host.boot_loaders.get(name)
            found = asked(f"lacks of boot loader {name}", loader.lacks, client, plan) if loader else None
            if found:
                return found
        return ""

    def plan_of(self, boot: Boot, system: System | None, sending: Sending) -> BootPlan:
        """The plan of a boot; made again from its session where provd was restarted in the middle of it."""
        if boot.plan is None:
            remade = self.decide(_remembered(boot), system, boot, sending, action=Action(boot.record.action))
            self._sessions.plan(boot, replace(remade, loader=boot.record.loader), self._basis(system))
        assert boot.plan is not None  # noqa: S101  just made
        return boot.plan

    def anew(self, boot: Boot, system: System | None, sending: Sending) -> BootPlan:
        """The plan of a boot in which somebody chose from the menu, given to its session."""
        client = boot.plan.client if boot.plan is not None else _remembered(boot)
        plan = replace(self.decide(client, system, boot, sending), loader=boot.record.loader)
        self._sessions.plan(boot, plan, self._basis(system))
        return plan

    def renewed(self, boot: Boot, system: System | None, sending: Sending) -> BootPlan:
        """The plan of a boot that waits: made anew where what it was made of has changed."""
        plan, basis = self.plan_of(boot, system, sending), self._basis(system)
        if boot.basis != basis:
            plan = replace(self.decide(plan.client, system, boot, sending), loader=plan.loader)
            self._sessions.plan(boot, plan, self._basis(system))
        return plan

    def decide(
        self,
        client: ClientFacts,
        system: System | None,
        boot: Boot,
        sending: Sending,
        *,
        action: Action | None = None,
    ) -> BootPlan:
        """Make the plan: a plugin's if one has an opinion, else the core's policy.

        An ``action`` says that it was decided before a restart; that boot is not held for its own attempt.
        """
        if boot.record.choice:
            return self._chosen(client, system, boot, sending, action)
        profile = self._profiles().profile_for(system) if system and system.profile else None
        theirs = self._host.boot_plan(system, profile, client)
        if theirs is not None:
            theirs = replace(theirs, system=system, profile=theirs.profile or profile, session=boot.record.id)
            return self._complete(replace(theirs, server=sending.server, http_port=sending.http_port))
        state = self._states.get(system.name) if system else InstallState()
        decision = decide(system, profile, state, installs=installs(self._host.installers, profile))
        if action is None:
            self._held(decision, system, profile, state)
        return self._complete(
            _plan(action or decision.action, decision.reason, client, system, profile, boot=boot, sending=sending)
        )

    def _held(self, decision: Decision, system: System | None, profile: Profile | None, state: InstallState) -> None:
        if decision.action is Action.HOLD and system and state.state != "held" and profile:
            self._states.put(system.name, after_held(state, decision.reason))

    def _chosen(
        self, client: ClientFacts, system: System | None, boot: Boot, sending: Sending, action: Action | None
    ) -> BootPlan:
        """The plan of what was chosen from the menu; an installation obeys the policy of the profile it is."""
        name = boot.record.choice
        chosen = replace(system or System(""), profile=name, policy="")
        profile = self._profiles().profile_for(chosen)
        if profile is not None and profile.boot.policy == "menu":
            profile = replace(profile, boot=replace(profile.boot, policy="once"))
        wanted = Decision(Action.START, f"{name} was chosen at the machine")
        state = self._states.get(system.name) if system else InstallState()
        if profile is None:
            wanted = Decision(Action.HOLD, f"profile {name} of the menu does not exist or has an error")
        elif installs(self._host.installers, profile):
            chosen = replace(chosen, policy=profile.boot.policy)
            # Nobody need tell the own disk first: what installs always does so whenever somebody chooses it.
            wanted = decide(chosen if system else None, profile, after_local_boot(chosen.policy, state))
            if action is None:
                self._held(wanted, system, profile, state)
        known = chosen if system else None
        return self._complete(
            _plan(action or wanted.action, wanted.reason, client, known, profile, boot=boot, sending=sending)
        )

    def _menu(self, plan: BootPlan) -> BootPlan:
        """The plan with the menu that the machine is shown; one that is not there holds it."""
        asked = plan.menu or Menu(plan.profile.boot.menu if plan.profile else "")
        menu = menu_named(self._profiles().menus, asked.name)
        if isinstance(menu, str):
            return unready(plan, menu)
        shown = menu_for(
            replace(menu, adopt_as=asked.adopt_as),
            arch=plan.client.arch,
            known=plan.system is not None,
            profile_of=lambda name: self._profiles().profile_for(System("", name)),
            installs=lambda profile: installs(self._host.installers, profile),
        )
        return replace(plan, menu=shown)

    def _complete(self, plan: BootPlan) -> BootPlan:
        """The plan with, where it installs, all that an install needs; without a system none begins."""
        if plan.action is Action.MENU:
            return self._menu(plan)
        if plan.action is Action.START and plan.profile is not None:
            return self._contents.with_payload(plan)
        if plan.action is not Action.INSTALL:
            return plan
        if plan.profile is None or plan.system is None:
            return unready(plan, plan.reason if plan.system else "only a known system is installed")
        return self._contents.with_payload(plan)

    def _basis(self, system: System | None) -> object:
        """What a plan is made of: where this changes before a configuration was served, the plan is made anew."""
        if system is None:
            return None
        state = self._states.get(system.name)
        wanted = effective_netboot(system, state)
        return (system, wanted, state.state, state.attempts, self._profiles().generation)


def installs(installers: Mapping[str, Installer], profile: Profile | None) -> bool:
    """Whether a profile's installer installs anything; where it is not there, provd must think so."""
    installer = installers.get(profile.installer or profile.distro.installer) if profile is not None else None
    return installer is None or installer.installs


def _plan(
    action: Action,
    reason: str,
    client: ClientFacts,
    system: System | None,
    profile: Profile | None,
    *,
    boot: Boot,
    sending: Sending,
) -> BootPlan:
    """A plan of this boot, for a client that reaches provd there."""
    return BootPlan(
        action,
        reason,
        client,
        system=system,
        profile=profile,
        session=boot.record.id,
        server=sending.server,
        http_port=sending.http_port,
    )


def _remembered(boot: Boot) -> ClientFacts:
    """What a session says of its machine's firmware."""
    return ClientFacts(mac=Mac.parse(boot.record.mac), arch=arch_named(boot.record.arch))
