"""Keys that inherit from level to level: settings, distro, profiles, and most of them to the system."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from provd.config.keys import Table, key


class Described(Table, frozen=True):
    """What every object says of itself; nothing here is inherited but ``owners``."""

    comment: Annotated[str, key("Free text.")] = ""
    tags: Annotated[tuple[str, ...], key("Free words.")] = ()
    groups: Annotated[tuple[str, ...], key("Groups that it belongs to.")] = ()
    owners: Annotated[
        tuple[str, ...], key("Users or their groups who may change it besides administrators; none: nobody else.")
    ] = ()


class BootTable(Table, frozen=True):
    """``[boot]`` of a profile: what its machines may do when they boot from the network."""

    policy: Annotated[
        Literal["once", "until-finished", "always", "never", "menu"],
        key(
            "`once`: install while `netboot` is set and `max_attempts` allows, until it has finished; "
            "`until-finished`: likewise, as often as it takes; `always`: install again after each local boot; `never`; "
            "`menu`: somebody chooses at the machine, and what is chosen follows its own policy."
        ),
    ] = "once"
    max_attempts: Annotated[
        int, key("Network boots that fetched everything without a finished callback before the machine is held.", ge=1)
    ] = 2
    token_ttl_s: Annotated[int, key("Seconds from the last loader configuration to a token's expiry.", ge=60)] = (
        6 * 3600
    )
    max_fetches: Annotated[int, key("Times one answer file may be fetched with one token.", ge=1)] = 16
    lease_s: Annotated[
        int, key("Lease time in seconds for its machines, 30 at least; 0 for the subnet's.", ge=0, le=0xFFFFFFFE)
    ] = 0
    menu: Annotated[str, key("Menu that policy `menu` shows; empty for the only one at the top.")] = ""


class Inherited(Described, frozen=True):
    """What a level may say for all below it; ``[defaults]`` of ``provd.toml`` is the highest."""

    installer: Annotated[str, key("Installer; empty for that of the level above.")] = ""
    source: Annotated[str, key("URL of the install source; empty for the distro's tree.")] = ""
    repos: Annotated[
        tuple[str, ...], key("Repos whose packages its machines may install; templates get their data.")
    ] = ()
    menu: Annotated[str, key("Menu that it is shown in.")] = ""
    kernel_args: Annotated[
        tuple[str, ...],
        key("Kernel arguments, appended to the inherited ones; `!ARG` removes every inherited `ARG` or `ARG=...`."),
    ] = ()
    boot_loaders: Annotated[
        tuple[str, ...], key("Boot loaders in the order they are tried; empty for every enabled one.")
    ] = ()
    loader: Annotated[dict[str, dict[str, Any]], key("Settings of single boot loaders, `[loader.NAME]`.")] = (
        msgspec.field(default_factory=dict)
    )
    answers: Annotated[
        dict[str, Any],
        key(
            "What the installer is told (users, packages, timezone, ...). `bind` says who may fetch it: `lease` (the "
            "bound address), `subnet` or `token-only`."
        ),
    ] = msgspec.field(default_factory=dict)
    vars: Annotated[dict[str, Any], key("Free values for templates.")] = msgspec.field(default_factory=dict)
    templates: Annotated[
        dict[str, str],
        key("Document name to template in the site's template folder, where the installer's is replaced."),
    ] = msgspec.field(default_factory=dict)
    options: Annotated[dict[str, Any], key("DHCP options by name or number.")] = msgspec.field(default_factory=dict)
    boot: Annotated[BootTable, key("The boot policy.")] = BootTable()
