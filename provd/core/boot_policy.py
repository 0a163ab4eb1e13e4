"""What a network boot of one machine leads to: the loop breaker lives here.

Nothing installs a machine that nobody assigned, and no machine installs twice by accident: an install needs a system
with a profile, ``netboot`` set, no finished install since the operator's last wish (unless policy ``always`` asks for
another after a local boot), and fewer fruitless attempts than its policy allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from provd.model.arch import Arch
from provd.model.boot import Action
from provd.model.distro import Distro
from provd.model.profile import Profile
from provd.model.system import InstallState, System

_LOOP = "held: "
_INSTALLED = {
    True: "first boot after a finished install",
    False: "installed: another install is asked for with provd system edit --netboot",
}
"""Why an installed machine starts from its disk, by whether its policy is ``always``."""

_STARTED = "what its profile boots was started: another time is asked for with provd system edit --netboot"
_EVERY_TIME = frozenset({"always", "until-finished"})
"""Policies under which what installs nothing is started at every network boot: it never reports that it finished."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An action and the one sentence that explains it to the operator."""

    action: Action
    reason: str


def effective_netboot(system: System, state: InstallState) -> bool:
    """Whether an install is wanted: provd's own record counts where it may not write the definition."""
    return system.netboot if state.netboot is None else state.netboot


def decide(system: System | None, profile: Profile | None, state: InstallState, *, installs: bool = True) -> Decision:
    """Choose the action for the next network boot.

    Args:
        system: the known machine, or None.
        profile: its resolved profile, or None where there is none or it is broken.
        state: what its earlier installs came to.
        installs: whether the profile's installer installs anything.
    """
    if system is None:
        return Decision(Action.NONE, "unknown machine: no system has this MAC or UUID")
    if policy_of(system, profile) == "menu":
        return Decision(Action.MENU, "policy menu: somebody chooses at the machine")
    if reason := _own_disk(system, profile, state, installs=installs):
        return Decision(Action.LOCAL, reason)
    if not system.profile:
        return Decision(Action.NONE, f"system {system.name} has no profile")
    if state.state == "held":
        return Decision(Action.HOLD, state.held_reason)
    if profile is None:
        return Decision(Action.HOLD, f"profile {system.profile} does not exist or has an error (provd check shows it)")
    policy = policy_of(system, profile)
    if not installs:
        often = "at every network boot" if policy in _EVERY_TIME else "once"
        return Decision(Action.START, f"profile {profile.name}, which installs nothing, is started {often}")
    attempt = f"profile {profile.name}, attempt {state.attempts + 1}"
    if policy == "until-finished":
        return Decision(Action.INSTALL, f"{attempt}, until it has finished")
    most = system.max_attempts or profile.boot.max_attempts
    if state.attempts >= most:
        return Decision(Action.HOLD, loop_sentence(system.name, state.attempts))
    return Decision(Action.INSTALL, f"{attempt} of {most}")


def _own_disk(system: System, profile: Profile | None, state: InstallState, *, installs: bool) -> str:
    """Why the machine boots its own disk, or empty."""
    policy = policy_of(system, profile)
    if state.state == "started" and (installs or policy not in _EVERY_TIME):
        return _STARTED
    if not effective_netboot(system, state):
        return "netboot is off: the machine is installed"
    if policy == "never":
        return "policy never: this machine is not installed by network"
    if state.state == "installed" or (state.state == "due" and policy != "always"):
        return _INSTALLED[policy == "always"]
    return ""


def policy_of(system: System, profile: Profile | None) -> str:
    """When network boots install this machine: what the system says, else its profile."""
    return system.policy or (profile.boot.policy if profile is not None else "once")


def other_processor(arch: Arch | None, distro: Distro) -> str:
    """Why firmware of this architecture cannot start a distro's kernel, or empty; None: the firmware is not known."""
    if arch is None or distro.arch in arch.kernels:
        return ""
    return f"distro {distro.name} is for {distro.arch}, the machine's firmware is {arch.name} ({arch.cpu})"


def loop_sentence(name: str, attempts: int) -> str:
    """Why the machine ``name`` is held after ``attempts`` boots that fetched everything and reported nothing."""
    boots = "1 network boot" if attempts == 1 else f"{attempts} network boots"
    return f"{_LOOP}{boots} fetched everything and no finished callback came; release it with provd held release {name}"


def is_loop(reason: str) -> bool:
    """Whether the loop breaker gave this reason, which a release ends."""
    return reason.startswith(_LOOP)


def after_fetched(state: InstallState, session: str) -> InstallState:
    """The machine fetched kernel and initrds of an install: one more attempt, whatever becomes of it; one per boot.

    What the same boot fetches after it has finished, or after a release, changes nothing any more.
    """
    if state.last_session == session:
        return state
    return replace(state, state="installing", attempts=state.attempts + 1, last_session=session)


def after_started(state: InstallState, session: str) -> InstallState:
    """The machine fetched all of something that installs nothing: nothing more will be heard of it."""
    return replace(state, state="started", last_session=session)


def after_held(state: InstallState, reason: str) -> InstallState:
    """The loop breaker stopped the machine; only an operator's release ends this."""
    return replace(state, state="held", held_reason=reason)


def after_finished(state: InstallState, now: float) -> InstallState:
    """The finished callback came: the next network boot is a local one."""
    return replace(state, state="installed", attempts=0, installed_at=now, held_reason="")


def after_failed(state: InstallState) -> InstallState:
    """The installer said that it failed; the attempt stays counted."""
    return replace(state, state="failed")


def after_local_boot(policy: str, state: InstallState) -> InstallState:
    """A local boot was served; under policy ``always`` the boot after it installs again.

    It is ``due`` then and not ``new``: if the policy is changed meanwhile, the machine counts as installed.
    """
    if policy == "always" and state.state == "installed":
        return replace(state, state="due")
    return state


def after_release(state: InstallState) -> InstallState:
    """The operator wants an install (again): attempts and a hold are forgotten."""
    return replace(state, state="new", attempts=0, held_reason="")
