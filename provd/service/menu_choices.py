"""What somebody chooses from the menu at a machine: the boot goes on with it, and the timeline says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from provd.model.boot import Action, BootPlan
from provd.model.client import ClientFacts
from provd.model.content import NotFound
from provd.model.menu import Menu
from provd.model.system import System
from provd.service.menu_passwords import MenuPasswordError, MenuPasswords
from provd.service.sessions import Boot, Sessions

Decide = Callable[[Boot, System | None], BootPlan]
Adopt = Callable[[ClientFacts, str, str, str], System | str]


class MenuChoices:
    """Shows menus and hears of choices.

    Args:
        sessions: the boots.
        decide: makes the plan of a boot anew, for a system or an unknown machine, and gives it to its session.
        passwords: fills in hashes.
        adopt: makes a system of an unknown machine: its facts, its address (dotted quad), the pattern of its name and
            its profile; or says why not.
    """

    def __init__(self, *, sessions: Sessions, decide: Decide, passwords: MenuPasswords, adopt: Adopt) -> None:
        self._sessions, self._decide, self._passwords, self._adopt = sessions, decide, passwords, adopt

    def shown(self, plan: BootPlan) -> BootPlan:
        """The plan as a loader's configuration is made of it: with hashes; without them nobody is shown the menu."""
        assert plan.menu is not None  # noqa: S101  a plan with the action MENU has one
        try:
            return replace(plan, menu=self._passwords.fill(plan.menu))
        except MenuPasswordError as error:
            return replace(plan, action=Action.HOLD, reason=str(error), menu=None)

    def chosen(self, boot: Boot, plan: BootPlan, name: str, peer: str) -> BootPlan | NotFound:
        """The plan after the entry ``name`` was chosen; the same again where it is asked for again."""
        if boot.session.choice == name:
            return plan
        if plan.action is not Action.MENU or plan.menu is None:
            return NotFound(f"this machine was shown no menu with {name}", status=403)
        entry = plan.menu.entry(name)
        if entry is None:
            return NotFound(f"the menu {plan.menu.name} of this machine has no entry {name}", status=403)
        system = plan.system
        if system is None and entry.installs:
            made = self._adopted(boot, plan, plan.menu, name, peer)
            if isinstance(made, NotFound):
                return made
            system = made
        self._sessions.choose(boot, name)
        plan = self._decide(boot, system)
        told = {"entry": name, "action": plan.action.value, "reason": plan.reason}
        self._sessions.note(boot, "menu.chosen", told)
        return plan

    def _adopted(self, boot: Boot, plan: BootPlan, menu: Menu, name: str, peer: str) -> System | NotFound:
        """An unknown machine that somebody wants to install becomes a system first."""
        made = self._adopt(plan.client, peer, menu.adopt_as, name)
        if isinstance(made, str):
            self._sessions.note(boot, "machine.refused", {"reason": made})
            return NotFound(f"this machine cannot become a system: {made}", status=403)
        self._sessions.note(
            boot, "machine.adopted", {"name": made.name, "profile": name, "reason": "chosen at the menu"}
        )
        return made
