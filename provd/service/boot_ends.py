"""What the end of a boot leaves behind: the install state of its system, and whether that boots from the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from provd.core.boot_policy import after_fetched, after_local_boot, after_started, policy_of
from provd.model.profile import Profile
from provd.model.system import System
from provd.service.ports import InstallStates
from provd.service.sessions import Boot, Sessions
from provd.service.systems import Systems


class BootEnds:
    """Follows boots to where they leave the network.

    Args:
        systems: the systems service.
        states: install states.
        sessions: running boots.
        profile_for: a system's profile with its inheritance resolved.
    """

    def __init__(
        self,
        systems: Systems,
        states: InstallStates,
        sessions: Sessions,
        profile_for: Callable[[System], Profile | None],
    ) -> None:
        self._systems, self._states, self._sessions, self._profile_for = systems, states, sessions, profile_for

    def installed(self, name: str, choice: str = "") -> None:
        """A system's installer reported its end: it boots from its own disk, unless its policy is ``always``.

        Args:
            name: of the system.
            choice: profile that was chosen at the machine, whose policy counts then.
        """
        system = self._systems.get(name)
        if system is not None and choice:
            system = replace(system, profile=choice, policy="")
        if system is not None and self._policy(system) != "always":
            self._systems.set_netboot(name, wanted=False)

    def served_local(self, boot: Boot) -> None:
        """A machine was sent to its own disk."""
        system = self._systems.get(boot.session.system)
        if system is not None:
            state = self._states.get(system.name)
            if (after := after_local_boot(self._policy(system), state)) != state:
                self._states.put(system.name, after)

    def fetched_all(self, boot: Boot) -> None:
        """A machine has its kernel and every initrd."""
        if boot.session.action == "start":
            self._started(boot)
        if boot.session.action == "install" and boot.session.system:
            state = self._states.get(boot.session.system)
            self._states.put(boot.session.system, after_fetched(state, boot.session.id))

    def _started(self, boot: Boot) -> None:
        """The machine has all of something that installs nothing: that was it, for the network."""
        self._sessions.note(boot, "boot.handed_over", {"profile": boot.session.profile})
        self._sessions.end(boot, "started")
        system = self._systems.get(boot.session.system)
        if system is not None and not boot.session.choice:
            state = self._states.get(system.name)
            self._states.put(system.name, after_started(state, boot.session.id))
            if self._policy(system) == "once":
                self._systems.set_netboot(system.name, wanted=False)

    def _policy(self, system: System) -> str:
        return policy_of(system, self._profile_for(system))
