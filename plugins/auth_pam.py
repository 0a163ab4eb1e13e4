"""Users of this machine log in with the passwords that PAM knows (optional: ``pip install 'provd[pam]'``).

    [plugins.auth_pam]
    service = "provd"            # file in /etc/pam.d

    [plugins.auth_pam.roles]
    admin = ["wheel"]            # groups of the system
    operate = ["ops"]
    read = ["*"]                 # everybody with the right password

Name it in ``enabled``. It is asked for users that provd does not have itself. PAM judges the password, and whether the
account may be used now (pam_authenticate(3), pam_acct_mgmt(3)). provd runs as a user without privileges: PAM modules
that ask a daemon (SSSD, winbind, Kerberos) work as they are; ``pam_unix`` reads ``/etc/shadow``, so the service's user
has to be in the group ``shadow`` for it.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterable
from typing import Any

from provd.plugin.api import Authenticator, Plugin, RoleGroups, Runtime, Settings, Vouched, hookimpl


class SettingsOfAuthPam(Settings, frozen=True):
    """``service`` of PAM, and ``roles``: groups of the system to roles."""

    roles: RoleGroups
    service: str = "provd"

    def __post_init__(self) -> None:
        if not self.service.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"service {self.service!r} is no name of a file in /etc/pam.d")


class AuthPam:
    """Asks PAM in a thread; several logins at once do not wait for each other.

    Raises:
        ValueError: the library is not installed.
    """

    def __init__(self, settings: SettingsOfAuthPam) -> None:
        try:
            import pam
        except ImportError as error:
            raise ValueError("it needs the library python-pam: pip install 'provd[pam]'") from error
        self._pam: Any = pam
        self._settings = settings
        self._runtime: Runtime | None = None

    def start(self, runtime: Runtime) -> None:
        """Keep what runs threads."""
        self._runtime = runtime

    @hookimpl
    def provd_authenticators(self) -> Iterable[Authenticator]:
        return [Authenticator("pam", self._check)]

    async def _check(self, user: str, password: str) -> Vouched | None:
        # A name with a NUL would be another name for C; an empty password is none.
        if not user or not password or "\0" in user + password or self._runtime is None:
            return None
        if not await self._runtime.in_thread(lambda: self._judged(user, password)):
            return None
        groups = groups_of(user)
        return Vouched(self._settings.roles.role_of(groups), groups)

    def _judged(self, user: str, password: str) -> bool:
        # A ticket or another credential is not taken: the process is provd's, not the user's.
        return bool(self._pam.authenticate(user, password, service=self._settings.service, resetcreds=False))


def groups_of(user: str) -> tuple[str, ...]:
    """Names of the groups of a user of this system, none for one that the system does not know."""
    try:
        numbers = os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    except KeyError:
        return ()
    found = []
    for number in numbers:
        try:
            found.append(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return tuple(found)


PLUGIN = Plugin(name="auth_pam", settings=SettingsOfAuthPam, build=AuthPam)
