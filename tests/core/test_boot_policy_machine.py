"""The boot policy as a state machine: whatever is done to a machine, it never installs twice by accident (row 30)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from provd.core.boot_policy import (
    after_failed,
    after_fetched,
    after_finished,
    after_held,
    after_local_boot,
    after_release,
    decide,
    policy_of,
)
from provd.model.boot import Action
from provd.model.distro import Distro
from provd.model.profile import BootPolicy, Profile
from provd.model.system import InstallState, System

POLICIES = st.sampled_from(["once", "until-finished", "always", "never"])
OWN = st.sampled_from(["", "once", "until-finished", "always", "never"])


class Machine(RuleBasedStateMachine):
    """One machine, its operator, and what the test itself remembers of them: nothing is asked of the state."""

    def __init__(self) -> None:
        super().__init__()
        self.system = System("web1", profile="web")
        self.profile = Profile("web", Distro("debian-12"))
        self.state = InstallState()
        self.boots = 0
        self.tries = 0
        self.finished = False
        self.local_since = False
        self.held = False
        self.running = False
        self.installed_by = ""

    @rule(own=OWN, theirs=POLICIES, most=st.integers(1, 3), own_most=st.integers(0, 3))
    def policies_change(self, own: str, theirs: str, most: int, own_most: int) -> None:
        self.system = replace(self.system, policy=own, max_attempts=own_most)
        self.profile = replace(self.profile, boot=BootPolicy(policy=theirs, max_attempts=most))

    @rule()
    def boot(self) -> None:
        """A network boot: what was decided is looked at, then done, as far as the machine goes."""
        self.boots += 1
        self.running = False
        decision = decide(self.system, self.profile, self.state)
        policy = policy_of(self.system, self.profile)
        most = self.system.max_attempts or self.profile.boot.max_attempts
        assert decision.reason or self.held
        if decision.action is Action.INSTALL:
            assert policy != "never"
            assert not self.held
            assert not self.finished or (policy == "always" and self.local_since), "installed twice"
            assert policy == "until-finished" or self.tries < most
            self.finished = self.local_since = False
            self.tries += 1
            self.state = after_fetched(self.state, str(self.boots))
            self.running, self.installed_by = True, str(self.boots)
        elif decision.action is Action.LOCAL:
            assert policy == "never" or self.finished, "neither forbidden nor installed, and sent to its disk"
            if policy == "always":
                self.local_since = True
            self.state = after_local_boot(policy, self.state)
        else:
            assert decision.action is Action.HOLD
            assert self.held or (policy in {"once", "always"} and self.tries >= most)
            assert not self.finished
            self.state = after_held(self.state, decision.reason) if not self.held else self.state
            self.held = True

    @precondition(lambda self: self.installed_by)
    @rule()
    def what_installs_or_installed_it_fetches_again(self) -> None:
        self.state = after_fetched(self.state, self.installed_by)

    @precondition(lambda self: self.running)
    @rule()
    def finishes(self) -> None:
        self.running, self.finished, self.local_since, self.tries = False, True, False, 0
        self.state = after_finished(self.state, 1.0)
        if policy_of(self.system, self.profile) != "always":
            self.state = replace(self.state, netboot=False)

    @precondition(lambda self: self.running)
    @rule()
    def fails(self) -> None:
        self.running = False
        self.state = after_failed(self.state)

    @rule()
    def operator_asks_for_an_install(self) -> None:
        self.state = replace(after_release(self.state), netboot=True)
        self.tries, self.finished, self.held, self.local_since = 0, False, False, False

    @invariant()
    def attempts_are_counted_once_each(self) -> None:
        assert self.state.attempts == self.tries

    @invariant()
    def nobody_else_installs(self) -> None:
        assert decide(None, None, self.state).action is Action.NONE
        assert decide(System("x"), None, self.state).action is not Action.INSTALL


Machine.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
test_row_30_and_31_whatever_happens_no_machine_installs_twice_by_accident = Machine.TestCase
