"""Facts that clients ask for: settings, kinds of systems that are known, valid words."""

from __future__ import annotations

import secrets

from provd.api.cobbler.call import Call, CobblerError
from provd.api.cobbler.reading import KINDS, every
from provd.api.cobbler.registry import Registry
from provd.service.operations import ANONYMOUS_READ

_ARCHS = ("i386", "x86_64", "arm", "aarch64", "riscv64")
_LOADERS = ("grub", "pxe", "ipxe")


def random_mac() -> str:
    """A hardware address of the range of QEMU, which no maker of cards has."""
    return ":".join(f"{octet:02x}" for octet in (0x52, 0x54, 0x00, *secrets.token_bytes(3)))


async def get_settings(call: Call, token: str = "") -> object:
    """The settings that clients look at."""
    del token
    return dict(call.bridge.facts())


async def modify_setting(_call: Call, setting_name: str, value: object, token: str) -> object:
    """Refused: settings live in a file that people review."""
    del value, token
    raise CobblerError(f"settings are read-only here: set {setting_name[:80]} in provd.toml and run provd reload")


async def get_signatures(call: Call, token: str = "") -> object:
    """Families and versions of the distros that provd has, in the shape of Cobbler's signatures."""
    del token
    breeds: dict[str, dict[str, object]] = {}
    for row in await call.ask("distro.list"):
        breeds.setdefault(row["family"] or "generic", {})[row["version"] or row["name"]] = {
            "supported_arches": [row["arch"]],
            "default_autoinstall": "",
        }
    return {"breeds": breeds}


async def get_valid_breeds(call: Call, token: str = "") -> object:
    """Families of distros."""
    del token
    return sorted({row["family"] for row in await call.ask("distro.list")} - {""})


async def get_valid_os_versions_for_breed(call: Call, breed: str, token: str = "") -> object:
    """Versions of one family."""
    del token
    return sorted({row["version"] for row in await call.ask("distro.list") if row["family"] == breed} - {""})


async def get_valid_os_versions(call: Call, token: str = "") -> object:
    """Versions of every family."""
    del token
    return sorted({row["version"] for row in await call.ask("distro.list")} - {""})


async def get_valid_archs(_call: Call, token: str = "") -> object:
    """CPUs."""
    del token
    return sorted(_ARCHS)


async def boot_loaders(call: Call, kind: str, name: str, token: str = "") -> object:
    """Boot loaders that an item may name."""
    del token
    if name and (kind not in KINDS or not await call.has(kind, name)):
        raise CobblerError(f"{kind} not found: {name}")
    return list(_LOADERS)


async def get_random_mac(_call: Call, virt_type: object = "kvm", token: str = "") -> object:
    """A hardware address that no maker of cards has."""
    del virt_type, token
    return random_mac()


async def get_repos_compatible_with_profile(call: Call, profile: str = "", token: str = "") -> object:
    """Repos for the CPU of a profile's distro, or for every CPU."""
    del token
    shown = await call.ask("profile.show", name=profile)
    arch = (await call.ask("distro.show", name=shown["distro"]))["arch"] if shown["distro"] else ""
    return [one for one in await every(call, "repo") if one["arch"] in {arch, "none"}]


def register(methods: Registry) -> None:
    """Put the methods into the registry."""
    methods.add("get_settings", ANONYMOUS_READ, get_settings, differs="the settings that clients look at")
    methods.add("modify_setting", "admin", modify_setting, differs="refused: settings are in provd.toml")
    own = "what the distros of this server have"
    methods.add("get_signatures", ANONYMOUS_READ, get_signatures, differs=own)
    methods.add("get_valid_breeds", ANONYMOUS_READ, get_valid_breeds, differs=own)
    methods.add("get_valid_os_versions_for_breed", ANONYMOUS_READ, get_valid_os_versions_for_breed, differs=own)
    methods.add("get_valid_os_versions", ANONYMOUS_READ, get_valid_os_versions, differs=own)
    methods.add("get_valid_archs", ANONYMOUS_READ, get_valid_archs, differs="the CPUs that provd boots")
    for kind in ("distro", "profile", "system", "image"):
        methods.add(f"get_valid_{kind}_boot_loaders", ANONYMOUS_READ, boot_loaders, kind)
    methods.add("get_random_mac", ANONYMOUS_READ, get_random_mac, differs="always of the range 52:54:00")
    by_arch = "the CPU decides"
    methods.add("get_repos_compatible_with_profile", ANONYMOUS_READ, get_repos_compatible_with_profile, differs=by_arch)
