"""Which role members of groups have, for plugins that vouch for users."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from provd.model.account import ROLES

EVERYBODY = "*"
"""Stands for every user who has the right password."""


class RoleGroups(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``[plugins.NAME.roles]``: groups whose members have a role; ``"*"`` means everybody with the right password.

    Attributes:
        read: may read.
        operate: may change what they own.
        admin: may do everything.
    """

    read: tuple[str, ...] = ()
    operate: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A configuration in which nobody has a role, or everybody every role, is a mistake.

        Raises:
            ValueError: it is one of them.
        """
        if not (self.read or self.operate or self.admin):
            raise ValueError("roles names no group: nobody could log in")
        if EVERYBODY in self.admin:
            raise ValueError('roles.admin must name groups, not "*"')

    def role_of(self, groups: Collection[str]) -> str:
        """The strongest role of a user, empty for none."""
        found = [role for role in ROLES if {EVERYBODY, *groups} & set(getattr(self, role))]
        return found[-1] if found else ""
