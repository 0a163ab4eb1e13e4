"""Logging in and out, and what clients ask about themselves."""

from __future__ import annotations

import hmac
import os
from importlib import metadata

from provd.api.cobbler.call import DIRECT, Call, CobblerError
from provd.api.cobbler.registry import NOBODY, Registry
from provd.service.access import AccessError
from provd.service.operations import ANONYMOUS_READ

VERSION = 3.3
"""What Cobbler's clients compare with."""

_DIRECT_S = 3600.0


async def login(call: Call, login_user: str, login_password: str) -> object:
    """A token for a user with the right password, or, with an empty user name, for the shared secret."""
    if not login_user:
        return _direct(call, login_password)
    try:
        return (await call.bridge.access.login(login_user, login_password, call.peer)).token
    except AccessError as error:
        raise CobblerError(f"login failed ({login_user}): {error}") from error


def _direct(call: Call, shown: str) -> str:
    """Root of this machine: it could read the file that only root and provd can read."""
    right = hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), call.bridge.secret.octets)
    if not right or not call.loopback:
        raise CobblerError("login failed")
    return call.bridge.access.mint(DIRECT, "admin", ttl_s=_DIRECT_S, comment="shared secret", origin="direct").token


async def logout(call: Call, token: str) -> object:
    """End a token."""
    return call.bridge.access.logout(token)


async def token_check(call: Call, token: str) -> object:
    """Whether a token is valid."""
    try:
        call.bridge.access.caller(token, via="xmlrpc", peer=call.peer)
    except AccessError as error:
        raise CobblerError("invalid token") from error
    return True


async def get_user_from_token(call: Call, token: str) -> object:  # noqa: ARG001  the token made the caller
    """Name of the token's user."""
    return call.caller.user


async def check_access(call: Call, token: str, resource: str, arg1: object = "", arg2: object = "") -> object:  # noqa: ARG001
    """1 where the token's role may do what is named."""
    if not _may(call, resource):
        raise CobblerError(f"authorization failure for user {call.caller.user}")
    return 1


async def check_access_no_fail(call: Call, token: str, resource: str, arg1: object = "", arg2: object = "") -> object:  # noqa: ARG001
    """1 or 0."""
    return int(_may(call, resource))


def _may(call: Call, resource: str) -> bool:
    role = call.caller.role
    if role == "admin" or resource.startswith(("get_", "find_", "list")):
        return True
    return role == "operate" and not resource.endswith(("distro", "profile", "setting"))


async def ping(_call: Call) -> object:
    """Cobbler's answer."""
    return True


async def version(_call: Call, token: str = "") -> object:  # noqa: ARG001
    """The version of Cobbler whose clients are served, as a number."""
    return VERSION


async def extended_version(_call: Call, token: str = "") -> object:  # noqa: ARG001
    """The same in parts."""
    return {
        "version": "3.3.10",
        "version_tuple": [3, 3, 10],
        "gitstamp": "provd",
        "gitdate": metadata.version("provd"),
        "builddate": f"provd {metadata.version('provd')} on {os.uname().sysname}",
    }


def register(methods: Registry) -> None:
    """Put the methods into the registry."""
    shared = "an empty user name with the shared secret is valid from loopback only"
    methods.add("login", NOBODY, login, differs=shared)
    methods.add("logout", NOBODY, logout)
    methods.add("token_check", NOBODY, token_check)
    methods.add("ping", NOBODY, ping)
    methods.add("version", ANONYMOUS_READ, version)
    methods.add("extended_version", ANONYMOUS_READ, extended_version, differs="the build is told as provd's own")
    methods.add("get_user_from_token", "read", get_user_from_token)
    roles = "roles decide: read, operate (systems), admin (everything)"
    methods.add("check_access", "read", check_access, differs=roles)
    methods.add("check_access_no_fail", "read", check_access_no_fail, differs=roles)
