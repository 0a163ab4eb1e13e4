"""What the answers of every family have in common: keys with their defaults, and the checks that all of them need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from provd.model.profile import Profile
from provd.plugin.contract_install import Finding

COMMON_ANSWERS: Final[Mapping[str, object]] = {
    "locale": "en_US.UTF-8",
    "language": "en",
    "country": "US",
    "keyboard": "us",
    "timezone": "Etc/UTC",
    "ntp": "",
    "users": [],
    "root_password_hash": "",
    "root_ssh_keys": [],
    "packages": [],
    "package_update": False,
    "post_install": [],
    "disk": "",
    "proxy": "",
    "installed_kernel_args": "",
    "reboot": "reboot",
}
"""Answers that every installer understands, so that a profile can move between families."""

_WAYS_IN: Final = ("password_hash", "ssh_keys")


class LogSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Settings of an installer that uploads its log while it runs.

    Attributes:
        log_every_s: seconds between uploads.
    """

    log_every_s: int = 15

    def __post_init__(self) -> None:
        if self.log_every_s < 1:
            raise ValueError(f"log_every_s is {self.log_every_s}: at least 1 second is expected")


def no_source(profile: Profile) -> str:
    """One sentence where neither the profile nor its distro says where to install from; else empty."""
    if profile.source or profile.distro.tree:
        return ""
    return f"profile {profile.name} has no install source: set source, or tree in distro {profile.distro.name}"


def nobody_logs_in(profile: Profile, document: str) -> Sequence[Finding]:
    """A warning on ``document`` where the installed machine would have no way in."""
    answers, users = profile.answers, profile.answers.get("users")
    access = [answers.get("root_password_hash"), answers.get("root_ssh_keys")]
    if isinstance(users, Sequence):
        access += [user.get(key) for user in users if isinstance(user, Mapping) for key in _WAYS_IN]
    if any(access):
        return ()
    text = f"profile {profile.name}: nobody can log in: no user has a password_hash or ssh_keys, and root is locked"
    return (Finding("warning", document, text),)
