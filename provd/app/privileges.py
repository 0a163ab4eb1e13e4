"""From root to a user of its own: provd keeps what binds low ports and sends raw frames, its children keep nothing."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

from provd.app.capabilities import CAP_NET_BIND_SERVICE, CAP_NET_RAW, empty_bounding_set, keep_only, keep_over_setuid

KEPT = frozenset({CAP_NET_BIND_SERVICE, CAP_NET_RAW})


class PrivilegeError(Exception):
    """The user of the configuration cannot be taken on; the sentence says why."""


def own(paths: list[Path], user: str) -> None:
    """Give provd's own folders and files to the user it is going to be; only root can and only root needs to.

    A link is followed only where nobody but root could have made it: the service user could name any file by one.

    Raises:
        PrivilegeError: there is no such user.
    """
    if os.geteuid() != 0 or not user:
        return
    entry = _entry(user)
    for path in paths:
        if os.path.lexists(path):
            os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=_only_root_writes(path.parent))


def own_socket_folder(socket: Path, user: str) -> None:
    """Give the folder of the local socket to the user, unless it holds anything else: ``/run`` stays root's.

    Raises:
        PrivilegeError: there is no such user.
    """
    if is_own_folder(socket):
        own([socket.parent], user)


def is_own_folder(socket: Path) -> bool:
    """Whether the socket's folder holds nothing but the socket and its lock."""
    return all(entry.name.startswith(socket.name) for entry in socket.parent.iterdir())


def _only_root_writes(folder: Path) -> bool:
    status = folder.stat()
    return status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def drop(user: str) -> frozenset[int]:
    """Become ``user`` where started as root, and give up every capability but those that listeners need.

    Args:
        user: name from the configuration; empty stays who it is, with the capabilities reduced all the same.

    Returns:
        the capabilities that are left.

    Raises:
        PrivilegeError: there is no such user.
    """
    os.umask(0o077)
    empty_bounding_set()
    if os.geteuid() == 0 and user:
        entry = _entry(user)
        groups = [group.gr_gid for group in grp.getgrall() if user in group.gr_mem]
        keep_over_setuid()
        os.setgroups(groups)
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
        os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    return keep_only(KEPT)


def must_read(folders: list[Path], user: str) -> None:
    """See that who provd is now can read what it has yet to import: a Python in root's home is closed to others.

    Raises:
        PrivilegeError: a folder cannot be read.
    """
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            advice = "provd and its Python must be where every user can read, as /opt/provd made by /usr/bin/python3"
            raise PrivilegeError(f"user {user!r} of the configuration cannot read {folder}: {advice}")


def _entry(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise PrivilegeError(f"user {user!r} of the configuration does not exist on this machine") from None
