"""Who may use an install token for what: answers are bound to a lease, a session, a time and a number of fetches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provd.model.token import InstallToken

STILL_ALLOWED: Mapping[str, frozenset[str]] = {
    "finished": frozenset({"finished", "firstboot", "failed", "log"}),
    "failed": frozenset({"failed", "log"}),
}
"""Callbacks that a token may still make by the reason it ended: the installed system reports its first boot or why that
failed, an installer that failed sends its log, and each may say its end again where the reply was lost."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The request is allowed."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The request is refused; the sentence goes to the log and the timeline, the client only sees the status."""

    reason: str
    status: int = 404


def may_use(token: InstallToken, *, peer: str, allowed: frozenset[str], now: float) -> Granted | Denied:
    """The checks that answers and callbacks share.

    Args:
        token: the record found for the token in the URL.
        peer: source address of the request.
        allowed: addresses that count as the machine (bound address and those of its interfaces); empty: any.
        now: seconds since the epoch.
    """
    if now >= token.expires_at:
        return Denied("the token has expired")
    if allowed and peer not in allowed:
        return Denied(f"the token is bound to another address than {peer}")
    return Granted()


def may_fetch(token: InstallToken, document: str, *, max_fetches: int) -> Granted | Denied:
    """The checks of an answer file beyond :func:`may_use`."""
    if token.ended_at:
        return Denied(f"the token has ended: {token.end_reason}", status=410)
    if token.fetches.get(document, 0) >= max_fetches:
        return Denied(f"{document} was fetched {max_fetches} times with this token", status=429)
    return Granted()


def may_call(token: InstallToken, name: str) -> Granted | Denied:
    """The checks of a callback beyond :func:`may_use`: an ended install has little left to say."""
    if token.ended_at and name not in STILL_ALLOWED.get(token.end_reason, frozenset()):
        return Denied(f"the token has ended: {token.end_reason}", status=410)
    return Granted()
