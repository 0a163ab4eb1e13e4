"""Install tokens: minted when a session's loader configuration is first rendered, ended by what ends the install."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from provd.core.token_rules import Denied, may_call, may_fetch, may_use
from provd.model.boot import BootPlan
from provd.model.session import BootSession, step_reached
from provd.model.system import System
from provd.model.token import InstallToken
from provd.service.ports import TokenStore
from provd.service.sessions import Boot, Sessions

TOKEN_BYTES = 24
"""192 bits: cannot be guessed within any lease."""


class Tokens:
    """Mints, checks and ends tokens."""

    def __init__(
        self,
        *,
        store: TokenStore,
        sessions: Sessions,
        addresses_of: Callable[[System], frozenset[str]],
        subnet_of: Callable[[str], str],
        plan_of: Callable[[Boot], BootPlan],
        wall: Callable[[], float],
    ) -> None:
        """Take collaborators.

        Args:
            store: where tokens are kept.
            sessions: the running boots.
            addresses_of: addresses that the interfaces of a system have now (dotted quads).
            plan_of: the plan of a boot, made again after a restart.
            subnet_of: name of the subnet of an address, or empty.
            wall: seconds since the epoch.
        """
        self._store = store
        self._sessions = sessions
        self._addresses_of = addresses_of
        self._subnet_of = subnet_of
        self._plan_of = plan_of
        self._wall = wall

    def for_plan(self, boot: Boot, plan: BootPlan, bound: str) -> BootPlan:
        """The plan with the session's token, minted if this is the session's first configuration."""
        assert plan.system is not None  # noqa: S101  only a known system is installed
        assert plan.profile is not None  # noqa: S101
        found, now = self._store.of_session(boot.session.id), self._wall()
        if found is None:
            found = InstallToken(
                token=secrets.token_urlsafe(TOKEN_BYTES),
                system=plan.system.name,
                session=boot.session.id,
                bound=bound,
                minted_at=now,
                expires_at=now + plan.profile.boot.token_ttl_s,
            )
            self._store.save(found)
            self._sessions.bind(boot, bound)
        elif not found.ended_at and not step_reached(boot.session, "kernel"):
            # Firmware that tried for hours begins its install only now, and gets the whole time for it.
            found = replace(found, expires_at=now + plan.profile.boot.token_ttl_s)
            self._store.save(found)
        return replace(plan, token=found.token)

    def check_fetch(self, text: str, document: str, peer: str) -> tuple[InstallToken, Boot] | Denied:
        """Whether ``peer`` may fetch ``document`` with this token."""
        found = self._find(text, peer)
        if isinstance(found, Denied):
            return found
        token, boot = found
        limit = boot.plan.profile.boot.max_fetches if boot.plan and boot.plan.profile else 16
        verdict = may_fetch(token, document, max_fetches=limit)
        return verdict if isinstance(verdict, Denied) else found

    def check_callback(self, text: str, name: str, peer: str) -> tuple[InstallToken, Boot] | Denied:
        """Whether ``peer`` may post the callback ``name`` with this token."""
        found = self._find(text, peer)
        if isinstance(found, Denied):
            return found
        verdict = may_call(found[0], name)
        return verdict if isinstance(verdict, Denied) else found

    def _find(self, text: str, peer: str) -> tuple[InstallToken, Boot] | Denied:
        token = self._store.find(text)
        if token is None:
            return Denied("no such token")
        boot = self._sessions.of_id(token.session)
        if boot is None:
            return Denied("a newer boot session of this machine has begun")
        allowed = self._allowed(boot.session.bound or token.bound, self._plan_of(boot), peer)
        verdict = may_use(token, peer=peer, allowed=allowed, now=self._wall())
        return verdict if isinstance(verdict, Denied) else (token, boot)

    def _allowed(self, bound: str, plan: BootPlan, peer: str) -> frozenset[str]:
        """Addresses that count as the machine, by the profile's ``answers_bind``."""
        bind = plan.profile.boot.answers_bind if plan.profile else "lease"
        if bind == "token-only":
            return frozenset()
        own = {bound}
        if plan.system is not None:
            own |= self._addresses_of(plan.system)
        if bind == "subnet" and self._subnet_of(peer) and self._subnet_of(peer) == self._subnet_of(bound):
            own.add(peer)
        return frozenset(own)

    def count(self, text: str, document: str) -> None:
        """One complete fetch of a document."""
        token = self._store.find(text)
        if token is not None:
            fetches = {**token.fetches, document: token.fetches.get(document, 0) + 1}
            self._store.save(replace(token, fetches=fetches))

    def end(self, session: BootSession, reason: str) -> None:
        """The session's token grants nothing more, except the first boot's report after a finished install."""
        token = self._store.of_session(session.id)
        if token is not None and not token.ended_at:
            self._store.save(replace(token, ended_at=self._wall(), end_reason=reason))

    def is_over(self, text: str) -> bool:
        """The token grants no answer any more."""
        token = self._store.find(text)
        if token is None or token.ended_at or self._wall() >= token.expires_at:
            return True
        return self._sessions.of_id(token.session) is None

    def revoke(self, system: str) -> None:
        """The system is gone: its running boots end, and so do their tokens."""
        for boot in tuple(self._sessions.boots()):
            if boot.session.system == system and boot.session.outcome == "running":
                self._sessions.end(boot, "superseded")
                self.end(boot.session, "revoked")
