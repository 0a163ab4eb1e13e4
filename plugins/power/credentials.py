"""Who logs in to a board, and which boards may be told the password that all of them share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ADDRESS = re.compile(
    rf"(?:https://)?(?:(?P<name>{_LABEL}(?:\.{_LABEL})*)|\[(?P<v6>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}))?/?"
)


@dataclass(frozen=True, slots=True)
class Login:
    """User and password."""

    user: str
    password: str = field(repr=False)


class Credentials:
    """The shared user, and the boards that it is for.

    Args:
        user: empty where there is none.
        boards: networks, and domains that begin with a dot.

    Raises:
        ValueError: a board is neither.
    """

    def __init__(self, user: str, boards: tuple[str, ...]) -> None:
        self._user = user
        self._domains = tuple(one.lower() for one in boards if one.startswith(".") and len(one) > 1)
        try:
            self._networks = tuple(ip_network(one) for one in boards if not one.startswith("."))
        except ValueError as error:
            raise ValueError(f"boards: {error}; a network or a domain that begins with a dot is expected") from error
        if "." in boards:
            raise ValueError("boards: '.' would be every name")

    def fault(self, address: str, user: str, password: str) -> str:
        """Why nobody could log in to a board, or empty."""
        if bool(user) != bool(password):
            return "user and password go together"
        if user:
            return ""
        if not self._user:
            return "the table names no user, and [plugins.power] has none for all boards"
        # Else whoever may name a board could have the password sent to one of his own.
        host = host_of(address)
        if self._covers(host):
            return ""
        return f"{host} is none of the boards of [plugins.power]: it needs user and password of its own"

    def _covers(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return host.lower().endswith(self._domains) if self._domains else False
        return any(address in network for network in self._networks)


def host_of(address: str) -> str:
    """Host of ``HOST``, ``HOST:PORT`` or ``https://HOST[:PORT]``, without brackets.

    Libraries read what is no plain address differently, so that one would ask another host than the one judged here.

    Raises:
        ValueError: it is none of these.
    """
    if _is_address(address):
        return address
    match = _ADDRESS.fullmatch(address)
    host = (match["name"] or match["v6"]) if match else ""
    numeric = set(host) <= set("0123456789.")
    if (
        not match
        or int(match["port"] or 1) not in range(1, 65536)
        or ((match["v6"] or numeric) and not _is_address(host))
    ):
        raise ValueError(f"address {address!r} must be a host, HOST:PORT or https://HOST[:PORT]")
    return host


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
