"""What one file of ``repos/*.toml``, ``images/*.toml`` and ``menus/*.toml`` may contain."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from provd.config.inherited import Described
from provd.config.keys import Table, key


class RepoFile(Described, frozen=True, kw_only=True):
    """``repos/NAME.toml``: packages beside the install tree; profiles name it in `repos`."""

    url: Annotated[str, key("Base URL.")]
    kind: Annotated[Literal["", "apt", "yum", "zypper", "pacman"], key("What reads it.")] = ""
    arch: Annotated[str, key("CPU of its packages; empty for every one.")] = ""
    suites: Annotated[tuple[str, ...], key("Suites (apt).")] = ()
    components: Annotated[tuple[str, ...], key("Components (apt).")] = ()
    packages: Annotated[tuple[str, ...], key("Packages that are wanted of it; none for all.")] = ()
    signing_key: Annotated[str, key("URL or path of its signing key.")] = ""
    enabled: Annotated[bool, key("It is switched on in the installed system.")] = True
    priority: Annotated[int, key("As its package manager counts; 0 for its default.", ge=0)] = 0
    vars: Annotated[dict[str, Any], key("Free values for templates.")] = msgspec.field(default_factory=dict)


class ImageFile(Described, frozen=True, kw_only=True):
    """``images/NAME.toml``: one disk or boot image that is not installed from a tree."""

    file: Annotated[str, key("Absolute path or URL.")]
    kind: Annotated[Literal["disk", "iso", "memdisk", "virt-clone"], key("What it is.")] = "disk"
    arch: Annotated[Literal["i386", "x86_64", "arm", "aarch64", "riscv64"], key("CPU of the machines it is for.")] = (
        "x86_64"
    )
    family: Annotated[str, key("Family of its operating system.")] = ""
    version: Annotated[str, key("Version as its vendor writes it.")] = ""
    menu: Annotated[str, key("Menu that it is shown in.")] = ""
    vars: Annotated[dict[str, Any], key("Free values for templates.")] = msgspec.field(default_factory=dict)


class MenuEntryTable(Table, frozen=True):
    """``[[entry]]`` of a menu: a profile with a title or a password of its own."""

    profile: Annotated[str, key("Profile that it boots.")]
    title: Annotated[str, key("As it is shown; empty for the profile's comment, or its name.")] = ""
    password: Annotated[
        dict[str, Any] | None, key('Reference to a secret that opens this entry, as `{file = "/etc/provd/secrets/x"}`.')
    ] = None


class MenuFile(Described, frozen=True, kw_only=True):
    """``menus/NAME.toml``: a place in the boot menu; profiles and images name it in `menu`."""

    title: Annotated[str, key("As it is shown; empty for the name.")] = ""
    parent: Annotated[str, key("Menu that this one is in; empty for the top.")] = ""
    timeout_s: Annotated[
        int, key("Seconds until the default is started; 0 waits for ever. The menu at the top decides.", ge=0, le=3600)
    ] = 20
    default: Annotated[
        str, key("Profile that is started then, one that installs nothing; empty for the machine's own disk.")
    ] = ""
    password: Annotated[
        dict[str, Any] | None,
        key("Reference to the secret that opens every protected entry. The menu at the top decides."),
    ] = None
    protect: Annotated[
        Literal["installs", "all", "none"],
        key("Entries that take the password: those that install, all, or none but those with one of their own."),
    ] = "installs"
    entries: Annotated[
        tuple[MenuEntryTable, ...],
        key(
            "Profiles with a title or password of their own, in this order; those that name the menu come behind them."
        ),
    ] = msgspec.field(name="entry", default=())
