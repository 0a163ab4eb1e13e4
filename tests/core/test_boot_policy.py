"""The loop breaker: nothing installs unassigned, nothing installs twice by accident (rows 30 and 31)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provd.core.boot_policy import (
    after_failed,
    after_fetched,
    after_finished,
    after_local_boot,
    after_release,
    decide,
)
from provd.model.boot import Action
from provd.model.distro import Distro
from provd.model.profile import BootPolicy, Profile
from provd.model.system import InstallState, System

PROFILE = Profile("web", Distro("debian-12"), boot=BootPolicy(max_attempts=2))
ALWAYS = replace(PROFILE, boot=BootPolicy(policy="always"))
SYSTEM = System("web1", profile="web")


@pytest.mark.parametrize(
    ("system", "profile", "state", "action"),
    [
        pytest.param(None, None, InstallState(), Action.NONE, id="unknown machine"),
        pytest.param(System("a"), None, InstallState(), Action.NONE, id="no profile assigned"),
        pytest.param(SYSTEM, PROFILE, InstallState(), Action.INSTALL, id="assigned and wanted"),
        pytest.param(System("a", profile="x"), None, InstallState(), Action.HOLD, id="broken profile"),
        pytest.param(System("a", profile="web", netboot=False), PROFILE, InstallState(), Action.LOCAL, id="netboot off"),
        pytest.param(SYSTEM, PROFILE, InstallState(netboot=False), Action.LOCAL, id="netboot off beside a file's system"),
        pytest.param(
            System("a", profile="web", netboot=False), PROFILE, InstallState(netboot=True), Action.INSTALL, id="wish wins"
        ),
        pytest.param(System("a", profile="web", policy="never"), PROFILE, InstallState(), Action.LOCAL, id="never"),
        pytest.param(SYSTEM, PROFILE, InstallState(attempts=1), Action.INSTALL, id="second attempt"),
        pytest.param(SYSTEM, PROFILE, InstallState(attempts=2), Action.HOLD, id="third boot is held"),
        pytest.param(SYSTEM, PROFILE, InstallState(state="held", held_reason="x"), Action.HOLD, id="stays held"),
        pytest.param(SYSTEM, PROFILE, InstallState(state="failed", attempts=1), Action.INSTALL, id="failed once: again"),
        pytest.param(
            System("a", profile="web", max_attempts=3), PROFILE, InstallState(attempts=2), Action.INSTALL, id="own number"
        ),
        pytest.param(
            System("a", profile="web", max_attempts=1), PROFILE, InstallState(attempts=1), Action.HOLD, id="own number 1"
        ),
        pytest.param(
            System("a", profile="web", policy="until-finished"), PROFILE, InstallState(attempts=99), Action.INSTALL,
            id="until it has finished",
        ),
        pytest.param(
            System("a", profile="web", policy="until-finished"), PROFILE, InstallState("held", held_reason="x"),
            Action.HOLD,
            id="what is held stays held",
        ),
        pytest.param(SYSTEM, ALWAYS, InstallState(state="due"), Action.INSTALL, id="always, of the profile"),
        pytest.param(SYSTEM, ALWAYS, InstallState(state="installed"), Action.LOCAL, id="always: first its disk"),
        pytest.param(
            System("a", profile="web", policy="once"), ALWAYS, InstallState(state="due"), Action.LOCAL,
            id="the system's policy wins, and it is installed",
        ),
        pytest.param(SYSTEM, PROFILE, InstallState(state="installed"), Action.LOCAL, id="installed under another policy"),
        pytest.param(
            System("a", profile="web", policy="always"), PROFILE, InstallState(state="installed"), Action.LOCAL,
            id="always: the boot after an install is local",
        ),
    ],
)  # fmt: skip
def test_decision(system: System | None, profile: Profile | None, state: InstallState, action: Action) -> None:
    decision = decide(system, profile, state)
    assert decision.action is action
    assert decision.reason


@pytest.mark.parametrize("state", ["new", "installing", "installed", "failed", "held"])
def test_P15_a_machine_that_nobody_named_is_never_installed(state: str) -> None:
    states = [InstallState(state, attempts=attempts, netboot=wanted) for attempts in (0, 9) for wanted in (None, True)]
    assert {decide(None, profile, one).action for profile in (None, PROFILE) for one in states} == {Action.NONE}


def test_row_31_third_network_boot_without_a_callback_is_held_and_a_release_ends_it() -> None:
    state = InstallState()
    actions = []
    for session in ("s1", "s2", "s3"):
        actions.append(decide(SYSTEM, PROFILE, state).action)
        state = after_fetched(state, session)
    assert actions == [Action.INSTALL, Action.INSTALL, Action.HOLD]
    assert "provd held release web1" in decide(SYSTEM, PROFILE, state).reason
    assert decide(SYSTEM, PROFILE, after_release(state)).action is Action.INSTALL


def test_row_30_a_finished_install_forgets_attempts_and_a_failed_one_does_not() -> None:
    tried = after_fetched(InstallState(), "s1")
    assert after_finished(tried, 100.0) == InstallState(state="installed", installed_at=100.0, last_session="s1")
    assert after_failed(tried).attempts == 1


def test_policy_always_installs_again_after_one_local_boot() -> None:
    always = System("a", profile="web", policy="always")
    state = after_finished(InstallState(), 1.0)
    assert decide(always, PROFILE, state).action is Action.LOCAL
    assert decide(always, PROFILE, after_local_boot("always", state)).action is Action.INSTALL
    assert after_local_boot("once", state) == state
