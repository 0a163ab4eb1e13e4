"""The site of a rehearsal: the operator's own profiles, templates and payloads, with one machine and no effect outside.

Everything is copied or linked, so that a rehearsal changes nothing of what it was made from. What would reach other
people (triggers, logins, inventories, APIs) is left out.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from provd.config import toml
from provd.config.document import rewritten
from provd.config.errors import ConfigError
from provd.config.schema import DEFAULT_PLUGINS
from provd.lab.errors import LabError

NETWORK: Final = "10.77.0"
SERVER: Final = f"{NETWORK}.1"
SYSTEM: Final = "rehearsal"
MAC: Final = "52:54:00:77:00:02"
_LEFT_OUT: Final = frozenset(
    {"trigger_script", "trigger_webhook", "trigger_mail", "trigger_wol", "trigger_power", "trigger_inventory",
     "inventory_file", "auth_ldap", "auth_pam", "event_log", "change_guard", "gate_rules", "unknown_machines"}
)  # fmt: skip
"""Plugins that act outside, or know other machines only."""
_KEPT: Final = ("defaults", "options", "class", "identity", "tftp", "http", "plugin_dirs", "plugins", "sessions")
"""Tables of ``provd.toml`` that say something about installations; the others are about this network."""


@dataclass(frozen=True, slots=True)
class RehearsalSite:
    """The files of one run.

    Attributes:
        config: ``provd.toml``.
        socket: local socket of the service.
        left_out: plugins that are enabled at the site and not here.
    """

    config: Path
    socket: Path
    left_out: tuple[str, ...] = ()


def write_site(origin: Path, profile: str, directory: Path, socket: Path) -> RehearsalSite:
    """Write all files into an empty directory.

    Args:
        origin: the operator's ``provd.toml``.
        profile: what the machine installs.
        directory: for this run.
        socket: local socket of the service; its path must be short (108 octets, unix(7)).

    Raises:
        LabError: the configuration cannot be read, or a file cannot be copied.
    """
    try:
        table = toml.read(origin)
    except (ConfigError, OSError) as error:
        raise LabError(str(error)) from error
    base = origin.absolute().parent
    made = _config(table, base, socket)
    try:
        (directory / "site").parent.mkdir(parents=True, exist_ok=True)
        _copy_site(base / str(table.get("site_dir", "/etc/provd")), directory / "site")
        _link_data(base / str(table.get("data_dir", "/var/lib/provd")), directory / "data")
        _system(directory / "site", profile)
        config = directory / "provd.toml"
        config.write_bytes(rewritten(b"", made, str(config)))
    except OSError as error:
        raise LabError(f"{origin}: what it names cannot be copied: {error}") from error
    enabled = table.get("enabled", DEFAULT_PLUGINS)
    return RehearsalSite(config, socket, tuple(name for name in enabled if name in _LEFT_OUT))


def _config(table: dict[str, Any], base: Path, socket: Path) -> dict[str, Any]:
    enabled = [name for name in table.get("enabled", DEFAULT_PLUGINS) if name not in _LEFT_OUT]
    kept: dict[str, Any] = {name: table[name] for name in _KEPT if name in table}
    if "plugin_dirs" in kept:
        kept["plugin_dirs"] = [str(base / folder) for folder in kept["plugin_dirs"]]
    if "plugins" in kept:
        kept["plugins"] = {name: one for name, one in kept["plugins"].items() if name not in _LEFT_OUT}
    return {
        "data_dir": "data",
        "site_dir": "site",
        "socket": str(socket),
        "user": "",
        "enabled": enabled,
        "critical": [name for name in table.get("critical", ()) if name in enabled],
        **kept,
        "interface": [{"name": "eth0"}],
        "subnet": [
            {
                "name": SYSTEM,
                "network": f"{NETWORK}.0/24",
                "pool": f"{NETWORK}.100-{NETWORK}.200",
                "domain": "rehearsal.example",
            }
        ],
    }


def _copy_site(origin: Path, target: Path) -> None:
    """Distros, profiles, templates and what they name; the site's machines stay out."""
    target.mkdir()
    if origin.is_dir():
        ignore = shutil.ignore_patterns("systems", ".git", "*.sock", "provd.toml")
        shutil.copytree(origin, target, ignore=ignore, dirs_exist_ok=True)


def _link_data(origin: Path, target: Path) -> None:
    """Payloads, images and trees as hard links, copied where that cannot be; no store, no secrets of the service."""
    target.mkdir()
    for folder in sorted(origin.iterdir()) if origin.is_dir() else ():
        if folder.is_dir() and not folder.name.startswith("."):
            ignore = shutil.ignore_patterns(".*", "*.db*", "*.sock")
            shutil.copytree(folder, target / folder.name, copy_function=_link, ignore=ignore, symlinks=True)


def _link(origin: str, target: str) -> str:
    try:
        os.link(origin, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(origin, target)
    return target


def _system(site: Path, profile: str) -> None:
    (site / "systems").mkdir(exist_ok=True)
    file = site / "systems" / f"{SYSTEM}.toml"
    file.write_bytes(rewritten(b"", {"profile": profile, "interface": [{"mac": MAC}]}, str(file)))
