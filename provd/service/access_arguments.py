"""Arguments of the operations on users, tokens and the audit log."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from provd.service.operations import Arguments, DryRun

Role = Literal["read", "operate", "admin"]
Password = Annotated[str, msgspec.Meta(description="Password, 8 characters or more; none: the user has tokens only.")]
Permitted = Annotated[Role, msgspec.Meta(description="What the user may do.")]
Groups = Annotated[tuple[str, ...], msgspec.Meta(description="Names under which the user owns objects.")]
Expiry = Annotated[float, msgspec.Meta(description="Seconds since the epoch, 0 for never.", ge=0)]
Disabled = Annotated[bool, msgspec.Meta(description="The user may not log in.")]
Comment = Annotated[str, msgspec.Meta(description="Free text.")]


class AddUser(Arguments, frozen=True):
    """A new user."""

    name: str
    password: Password = ""
    role: Permitted = "read"
    groups: Groups = ()
    expires_at: Expiry = 0.0
    comment: Comment = ""
    dry_run: DryRun = False


class EditUser(Arguments, frozen=True):
    """Changes to a user; what is not named stays."""

    name: str
    password: Password | UnsetType = UNSET
    role: Permitted | UnsetType = UNSET
    groups: Groups | UnsetType = UNSET
    disabled: Disabled | UnsetType = UNSET
    expires_at: Expiry | UnsetType = UNSET
    comment: Comment | UnsetType = UNSET
    dry_run: DryRun = False


class RemoveUser(Arguments, frozen=True):
    """One user, who goes."""

    name: str
    dry_run: DryRun = False


class AddToken(Arguments, frozen=True):
    """A token for scripts."""

    user: str
    role: Annotated[Role | None, msgspec.Meta(description="At most this role; none: the user's.")] = None
    ttl_s: Annotated[float, msgspec.Meta(description="Seconds until it expires.", gt=0, le=10 * 366 * 86400)] = 86400.0
    comment: Comment = ""
    dry_run: DryRun = False


class TokenKey(Arguments, frozen=True):
    """One token, by the beginning of its key."""

    key: Annotated[str, msgspec.Meta(description="Eight or more characters of the key.", min_length=8)]
    dry_run: DryRun = False


class ListAudit(Arguments, frozen=True):
    """Which entries."""

    user: Annotated[str, msgspec.Meta(description="Only those of one user.")] = ""
    limit: Annotated[int, msgspec.Meta(description="At most so many.", ge=1, le=10_000)] = 100
