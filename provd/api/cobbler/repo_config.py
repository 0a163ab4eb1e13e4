"""The yum configuration of the repos that a profile names, as Cobbler's machines fetch it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provd.api.cobbler.call import Call, CobblerError
from provd.api.cobbler.registry import Registry
from provd.service.operations import ANONYMOUS_READ, OperationError


async def for_profile(call: Call, profile_name: str, token: str = "") -> object:
    """Text for /etc/yum.repos.d; empty where the profile names no repo that yum reads.

    Raises:
        CobblerError: there is no such profile.
    """
    del token
    try:
        names = (await call.ask("profile.show", name=profile_name))["repos"]
    except OperationError as error:
        raise CobblerError(f"profile not found: {profile_name}") from error
    found = []
    for name in names:
        try:
            repo = await call.ask("repo.own", name=name)
        except OperationError:
            continue  # a file that is broken just now; the others are of use
        if _by_yum(repo):
            found.append("\n".join(_stanza(name, repo)))
    return "\n".join(found)


async def for_system(call: Call, system_name: str, token: str = "") -> object:
    """The same for the profile of a system.

    Raises:
        CobblerError: there is no such system, or it has no profile.
    """
    try:
        shown = await call.ask("system.show", name=system_name)
    except OperationError as error:
        raise CobblerError(f"system not found: {system_name}") from error
    return await for_profile(call, shown["profile"], token)


def _by_yum(repo: Mapping[str, Any]) -> bool:
    return repo.get("kind", "") in {"", "yum"}


def _stanza(name: str, repo: Mapping[str, Any]) -> Iterator[str]:
    """One section, yum.conf(5)."""
    yield f"[{name}]"
    yield f"name={name}"
    yield f"baseurl={repo['url']}"
    yield f"enabled={int(repo.get('enabled', True))}"
    if repo.get("priority"):
        yield f"priority={repo['priority']}"
    key = repo.get("signing_key")
    yield f"gpgcheck={int(bool(key))}"
    if key:
        yield f"gpgkey={key}"
    yield ""


def register(methods: Registry) -> None:
    """Put the methods into the registry."""
    yum = "the repos of the profile that yum reads; checked where the repo has a signing key"
    methods.add("get_repo_config_for_profile", ANONYMOUS_READ, for_profile, differs=yum)
    methods.add("get_repo_config_for_system", ANONYMOUS_READ, for_system, differs=yum)
