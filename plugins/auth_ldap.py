"""Users of an LDAP directory log in with their passwords there (optional: ``pip install 'provd[ldap]'``).

    [plugins.auth_ldap]
    url = "ldaps://ldap.example.org"
    base = "ou=people,dc=example,dc=org"
    filter = "(uid={user})"                       # finds the one entry of a user
    bind_dn = "cn=provd,dc=example,dc=org"        # who searches; empty: anonymous
    bind_password_file = "/etc/provd/ldap.secret" # mode 0600
    group_base = "ou=groups,dc=example,dc=org"
    group_filter = "(member={dn})"

    [plugins.auth_ldap.roles]
    admin = ["provd-admins"]                      # values of group_attribute (cn)
    read = ["*"]                                  # everybody with the right password

Name it in ``enabled``. It is asked for users that provd does not have itself: it searches the user's entry, binds as
that entry with the password (RFC 4513 section 5.1.3), and searches the groups. What is put into a filter is escaped
(RFC 4515). Passwords never travel in the clear: ``ldaps``, or ``ldap`` with ``start_tls = true``; certificates are
verified, with ``ca_file`` where the directory has its own authority.
"""

from __future__ import annotations

import ssl
import stat
from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provd.plugin.api import Authenticator, Plugin, RoleGroups, Runtime, Settings, Vouched, hookimpl

_MOST = 256
"""Characters of a name or password that are tried at all."""

_GROUPS = 1000


class SettingsOfAuthLdap(Settings, frozen=True):
    """Where the directory is, how users and groups are found, and ``roles``.

    Attributes:
        url: ``ldaps://HOST[:PORT]`` or ``ldap://HOST[:PORT]``.
        base: below which users are.
        roles: groups to roles.
        filter: finds a user; ``{user}`` is the name, escaped.
        bind_dn: who searches, empty for anonymous.
        bind_password_file: its password.
        group_base: below which groups are; empty where only ``"*"`` is used.
        group_filter: finds the groups of a user; ``{dn}`` and ``{user}`` are escaped.
        group_attribute: name of a group.
        start_tls: switch to TLS before anything is said, for ``ldap``.
        ca_file: certificates that are trusted, empty for those of the system.
        timeout_s: seconds to connect, and for each answer.
    """

    url: str
    base: str
    roles: RoleGroups
    filter: str = "(uid={user})"
    bind_dn: str = ""
    bind_password_file: str = ""
    group_base: str = ""
    group_filter: str = "(member={dn})"
    group_attribute: str = "cn"
    start_tls: bool = False
    ca_file: str = ""
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError(f"url {self.url!r} must be ldaps://HOST or ldap://HOST")
        if parts.scheme == "ldap" and not self.start_tls:
            raise ValueError("ldap:// sends passwords in the clear: use ldaps://, or start_tls = true")
        if "{user}" not in self.filter:
            raise ValueError("filter has no {user}: everybody would be the same entry")
        for name in ("filter", "group_filter"):
            try:
                getattr(self, name).format(user="", dn="")
            except (KeyError, IndexError, ValueError) as error:
                raise ValueError(f"{name} may have {{user}} and {{dn}}, and no other braces") from error
        if bool(self.bind_dn) != bool(self.bind_password_file):
            raise ValueError("bind_dn and bind_password_file go together")
        if self.timeout_s <= 0:
            raise ValueError("timeout_s must be above 0")


class AuthLdap:
    """Asks the directory in a thread.

    Raises:
        ValueError: the library is not installed, or the password file cannot be used.
    """

    def __init__(self, settings: SettingsOfAuthLdap) -> None:
        try:
            import ldap3
        except ImportError as error:
            raise ValueError("it needs the library ldap3: pip install 'provd[ldap]'") from error
        self._ldap: Any = ldap3
        self._settings = settings
        self._secret = _secret(Path(settings.bind_password_file)) if settings.bind_password_file else None
        self._runtime: Runtime | None = None

    def start(self, runtime: Runtime) -> None:
        """Keep what runs threads."""
        self._runtime = runtime

    @hookimpl
    def provd_authenticators(self) -> Iterable[Authenticator]:
        return [Authenticator("ldap", self._check)]

    async def _check(self, user: str, password: str) -> Vouched | None:
        # A bind without a password succeeds as anonymous (RFC 4513 section 5.1.2): it proves nothing.
        if not user or not password or max(len(user), len(password)) > _MOST or self._runtime is None:
            return None
        return await self._runtime.in_thread(lambda: self._judged(user, password))

    def _judged(self, user: str, password: str) -> Vouched | None:
        settings = self._settings
        with self._connection(settings.bind_dn or None, self._secret) as search:
            if not search.bind():
                raise PermissionError(f"the directory refused bind_dn: {search.result['description']}")
            names = {"user": self._escaped(user)}
            found = self._search(search, settings.base, settings.filter.format(**names), "1.1", 2)
            # Two entries for one name: which of them is meant cannot be known.
            if len(found) != 1:
                return None
            entry = str(found[0]["dn"])
            with self._connection(entry, password) as own:
                if not own.bind():
                    return None
            groups: tuple[str, ...] = ()
            if settings.group_base:
                asked = settings.group_filter.format(dn=self._escaped(entry), **names)
                rows = self._search(search, settings.group_base, asked, settings.group_attribute, _GROUPS)
                groups = tuple(str(one) for row in rows for one in _values(row, settings.group_attribute))
        return Vouched(settings.roles.role_of(groups), groups)

    def _connection(self, user: str | None, password: str | None) -> Any:
        """A connection, with TLS, that has not said who it is."""
        settings, ldap = self._settings, self._ldap
        tls = ldap.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=settings.ca_file or None)
        server = ldap.Server(
            settings.url, tls=tls, connect_timeout=settings.timeout_s, get_info=ldap.NONE,
        )  # fmt: skip
        made = ldap.Connection(
            server, user, password, read_only=True, receive_timeout=ceil(settings.timeout_s), auto_referrals=False,
        )  # fmt: skip
        made.open()
        if settings.start_tls and not made.start_tls():
            raise ConnectionError(f"the directory refused TLS: {made.result['description']}")
        return _Opened(made)

    def _search(self, connection: Any, base: str, asked: str, attribute: str, most: int) -> list[Any]:
        connection.search(base, asked, attributes=[attribute], size_limit=most)
        return [row for row in connection.response or () if row.get("type") == "searchResEntry"]

    def _escaped(self, text: str) -> str:
        from ldap3.utils.conv import escape_filter_chars

        return str(escape_filter_chars(text))


class _Opened:
    """Closes a connection however its use ends; entering it does not bind."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def __enter__(self) -> Any:
        return self._made

    def __exit__(self, *_error: object) -> None:
        self._made.unbind()


def _values(row: Any, attribute: str) -> list[object]:
    found = row["attributes"].get(attribute) or []
    return list(found) if isinstance(found, list | tuple) else [found]


def _secret(path: Path) -> str:
    """Content of a file that nobody else may read, without surrounding white space.

    Raises:
        ValueError: it cannot be read, is empty, or others may read it.
    """
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"bind_password_file: {error}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise ValueError(f"bind_password_file {path} may be read by others; chmod 600 it")
    if not text:
        raise ValueError(f"bind_password_file {path} is empty")
    return text


PLUGIN = Plugin(name="auth_ldap", settings=SettingsOfAuthLdap, build=AuthLdap)
