"""What a network boot of one machine leads to: the loop breaker lives here.

Nothing installs a machine that nobody assigned, and no machine installs twice by accident: an install needs a system
with a profile, ``netboot`` set, and fewer fruitless attempts than the profile allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from provd.model.boot import Action
from provd.model.profile import Profile
from provd.model.system import InstallState, System


@dataclass(frozen=True, slots=True)
class Decision:
    """An action and the one sentence that explains it to the operator."""

    action: Action
    reason: str


def effective_netboot(system: System, state: InstallState) -> bool:
    """Whether an install is wanted: provd's own record counts where it may not write the definition."""
    return system.netboot if state.netboot is None else state.netboot


def decide(system: System | None, profile: Profile | None, state: InstallState) -> Decision:
    """Choose the action for the next network boot.

    Args:
        system: the known machine, or None.
        profile: its resolved profile, or None where there is none or it is broken.
        state: what its earlier installs came to.
    """
    if system is None:
        return Decision(Action.NONE, "unknown machine: no system has this MAC or UUID")
    if not effective_netboot(system, state):
        return Decision(Action.LOCAL, "netboot is off: the machine is installed")
    if system.policy == "never":
        return Decision(Action.LOCAL, "policy never: this machine is not installed by network")
    if system.policy == "always" and state.state == "installed":
        return Decision(Action.LOCAL, "first boot after a finished install")
    if not system.profile:
        return Decision(Action.NONE, f"system {system.name} has no profile")
    if state.state == "held":
        return Decision(Action.HOLD, state.held_reason)
    if profile is None:
        return Decision(Action.HOLD, f"profile {system.profile} does not exist or has an error (provd check shows it)")
    if state.attempts >= profile.boot.max_attempts:
        return Decision(Action.HOLD, loop_sentence(state.attempts))
    return Decision(
        Action.INSTALL, f"profile {profile.name}, attempt {state.attempts + 1} of {profile.boot.max_attempts}"
    )


def loop_sentence(attempts: int) -> str:
    """Why a machine is held after ``attempts`` boots that fetched everything and reported nothing."""
    boots = "1 network boot" if attempts == 1 else f"{attempts} network boots"
    return (
        f"held: {boots} fetched everything and no finished callback came; release it with provd system edit --netboot"
    )


def after_fetched(state: InstallState, session: str) -> InstallState:
    """The machine fetched kernel and initrds of an install: one more attempt, whatever becomes of it; one per boot."""
    if state.state == "installing" and state.last_session == session:
        return state
    return replace(state, state="installing", attempts=state.attempts + 1, last_session=session)


def after_held(state: InstallState, reason: str) -> InstallState:
    """The loop breaker stopped the machine; only an operator's release ends this."""
    return replace(state, state="held", held_reason=reason)


def after_finished(state: InstallState, now: float) -> InstallState:
    """The finished callback came: the next network boot is a local one."""
    return replace(state, state="installed", attempts=0, installed_at=now, held_reason="")


def after_failed(state: InstallState) -> InstallState:
    """The installer said that it failed; the attempt stays counted."""
    return replace(state, state="failed")


def after_local_boot(system: System, state: InstallState) -> InstallState:
    """A local boot was served; under policy ``always`` the boot after it installs again."""
    if system.policy == "always" and state.state == "installed":
        return replace(state, state="new")
    return state


def after_release(state: InstallState) -> InstallState:
    """The operator wants an install (again): attempts and a hold are forgotten."""
    return replace(state, state="new", attempts=0, held_reason="")
