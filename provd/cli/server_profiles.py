"""Remote servers by name: where they are, whom to trust, and the token of a login; a file of the user's own."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from provd.api.remote import RemoteClient

VARIABLE: Final = "PROVD_SERVERS"
"""Names another file than :func:`default_file`."""

TOKEN_VARIABLE: Final = "PROVD_TOKEN"  # noqa: S105  the name of a variable
"""A token that counts instead of the one of a login, for scripts."""

_KEYS: Final = frozenset({"url", "ca_file"})


def default_file() -> Path:
    """Where profiles are kept (XDG Base Directory)."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "provd" / "servers.toml"


@dataclass(frozen=True, slots=True)
class Profile:
    """One server.

    Attributes:
        name: as ``--server`` names it.
        url: ``https://HOST[:PORT]``.
        ca_file: certificates that are trusted, empty for those of the system.
        token_file: where a login is kept.
    """

    name: str
    url: str
    ca_file: str
    token_file: Path

    def token(self) -> str:
        """Token of the environment, else of the login; empty for none.

        Raises:
            click.ClickException: the file may be read by others, or cannot be read.
        """
        if given := os.environ.get(TOKEN_VARIABLE):
            return given.strip()
        try:
            mode = stat.S_IMODE(self.token_file.stat().st_mode)
            if mode & 0o077:
                raise click.ClickException(f"{self.token_file} may be read by others; chmod 600 it")
            return self.token_file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{self.token_file}: {error}") from error


def profiles() -> dict[str, Profile]:
    """Every profile, by name.

    Raises:
        click.ClickException: the file is wrong; the sentence says where.
    """
    from provd.config import toml
    from provd.config.errors import ConfigError

    file = default_file()
    if not file.exists():
        return {}
    try:
        tables = toml.read(file).get("server", {})
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    if not isinstance(tables, dict):
        raise click.ClickException(f"{file}: server: tables [server.NAME] are expected")
    return {name: _profile(file, name, table) for name, table in tables.items()}


def _profile(file: Path, name: str, table: Any) -> Profile:
    where = f"{file}: server.{name}"
    if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
        raise click.ClickException(f"{where}: a table of texts is expected")
    unknown = sorted(set(table) - _KEYS)
    if unknown or "url" not in table:
        raise click.ClickException(f"{where}: {'unknown key ' + unknown[0] if unknown else 'url is missing'}")
    ca_file = str(file.parent / table["ca_file"]) if table.get("ca_file") else ""
    return Profile(name, table["url"], ca_file, file.parent / f"{name}.token")


def profile_of(name: str) -> Profile:
    """One profile.

    Raises:
        click.ClickException: there is none of this name, or the file is wrong.
    """
    known = profiles()
    if name not in known:
        names = f"; there are: {', '.join(sorted(known))}" if known else ""
        raise click.ClickException(f"there is no server {name!r} in {default_file()}{names}")
    return known[name]


def remote_client(name: str) -> RemoteClient:
    """A client of the server with this name.

    Raises:
        click.ClickException: there is no such profile, or it is wrong.
    """
    from provd.api.remote import RemoteClient

    profile = profile_of(name)
    try:
        return RemoteClient(profile.url, profile.token(), profile.ca_file)
    except ValueError as error:
        raise click.ClickException(f"server {name}: {error}") from error


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, whole or not at all.

    Raises:
        click.ClickException: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error


def complete_server(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of profiles; none where the file is wrong."""
    try:
        return sorted(name for name in profiles() if name.startswith(incomplete))
    except click.ClickException:
        return []
