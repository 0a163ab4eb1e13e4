"""``autoinst.xml``: the AutoYaST profile from a profile's answers (SUSE's AutoYaST guides for SLES 12 and 15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provd.plugin.api import Answer

from .elements import document
from .network import networking
from .partitioning import partitioning

KEYMAPS: Mapping[str, str] = {
    "us": "english-us", "gb": "english-uk", "uk": "english-uk", "de": "german", "ch": "german-ch", "fr": "french",
    "es": "spanish", "it": "italian", "pt": "portugese", "br": "portugese-br", "nl": "dutch", "dk": "danish",
    "no": "norwegian", "se": "swedish", "fi": "finnish", "pl": "polish", "cz": "czech", "sk": "slovak", "ru": "russian",
    "hu": "hungarian", "tr": "turkish", "gr": "greek", "jp": "japanese",
}  # fmt: skip
"""YaST's names (yast2-country, keyboard definitions; its spelling of Portuguese)."""


def control_file(answer: Answer) -> str:
    """The document; a site's own template stands in its place.

    Raises:
        ValueError: an answer that this family cannot fulfil.
    """
    profile = answer.plan.profile
    if profile is not None and profile.templates.get("autoinst.xml"):
        return answer.render("autoinst.xml")
    values: Mapping[str, Any] = answer.vars
    words: dict[str, Any] = {**profile.distro.vars, **profile.vars} if profile is not None else {}
    old = profile is not None and profile.distro.version.partition(".")[0] == "12"
    made: dict[str, Any] = {
        "general": {"mode": _mode(values)},
        "language": {"language": str(values["locale"]).partition(".")[0]},
        "keyboard": {"keymap": KEYMAPS.get(values["keyboard"], values["keyboard"])},
        "timezone": {"hwclock": "UTC", "timezone": values["timezone"]},
        "networking": networking(values, old=old),
        "partitioning": partitioning(values),
        "firewall": _firewall(old=old),
        "software": _software(values, words),
        "users": [_root(values), *(_user(user) for user in values["users"])],
        "services-manager": {"default_target": "multi-user"},
        "scripts": {
            "pre-scripts": [{"filename": "provd-pre", "interpreter": "shell", "source": answer.render("pre.bash")}],
            "chroot-scripts": [
                {"filename": "provd-end", "interpreter": "shell", "chrooted": True, "source": answer.render("end.bash")}
            ],
        },
    }
    return document(made | _where_said(values, words, old=old))


def _mode(values: Mapping[str, Any]) -> dict[str, bool]:
    if values["reboot"] not in ("reboot", "poweroff"):
        raise ValueError(f"answers.reboot is {values['reboot']!r}, must be one of reboot, poweroff")
    return {"confirm": False, "final_halt": values["reboot"] == "poweroff"}


def _firewall(*, old: bool) -> dict[str, Any]:
    """On, and open for ssh: SuSEfirewall2 of version 12, firewalld later."""
    made: dict[str, Any] = {"enable_firewall": True, "start_firewall": True}
    if old:
        return {**made, "FW_SERVICES_EXT_TCP": "ssh"}
    return {**made, "default_zone": "public", "zones": [{"name": "public", "services": ["ssh", "dhcpv6-client"]}]}


def _software(values: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, Any]:
    """``@name`` is a pattern; ssh and sudo are what every family has."""
    named = [str(package) for package in values["packages"]]
    made: dict[str, Any] = {"products": [str(words["product"])]} if words.get("product") else {}
    made["patterns"] = list(dict.fromkeys(["base", *(one[1:] for one in named if one.startswith("@"))]))
    made["packages"] = list(dict.fromkeys(["openssh", "sudo", *(one for one in named if not one.startswith("@"))]))
    return made


def _root(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"username": "root", "user_password": str(values["root_password_hash"] or "!"), "encrypted": True}


def _user(user: Mapping[str, Any]) -> dict[str, Any]:
    """Keys, groups and sudo are the end script's, which knows them in every version."""
    made = {"username": user["name"], "user_password": str(user.get("password_hash") or "!"), "encrypted": True}
    return made | {"fullname": user.get("gecos") or user["name"], "shell": user.get("shell") or "/bin/bash"}


def _where_said(values: Mapping[str, Any], words: Mapping[str, Any], *, old: bool) -> dict[str, Any]:
    """Sections that are there only with an answer."""
    made: dict[str, Any] = {}
    if products := [*_modules(words), *(_repository(one) for one in values["repositories"])]:
        made["add-on"] = {"add_on_products": products}
    if values["installed_kernel_args"]:
        made["bootloader"] = {"global": {"append": values["installed_kernel_args"]}}
    if values["proxy"]:
        proxy = values["proxy"]
        made["proxy"] = {"enabled": True, "http_proxy": proxy, "https_proxy": proxy, "no_proxy": "localhost, 127.0.0.1"}
    if values["ntp"] and old:
        made["ntp-client"] = {"start_at_boot": True, "peers": [{"address": values["ntp"], "type": "server"}]}
    elif values["ntp"]:
        servers = [{"address": values["ntp"], "iburst": True, "offline": False}]
        made["ntp-client"] = {"ntp_policy": "auto", "ntp_servers": servers, "ntp_sync": "systemd"}
    return made


def _modules(words: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Modules of the full medium: ``relurl`` is relative to the install source."""
    return [
        {"media_url": "relurl://", "product": f"sle-module-{name.lower()}", "product_dir": f"/Module-{name}"}
        for name in str(words.get("modules") or "").split()
    ]


def _repository(repository: Mapping[str, Any]) -> dict[str, Any]:
    made = {"name": repository["name"], "media_url": repository["url"], "product_dir": "/"}
    if not repository.get("trust"):
        return made
    rules = ("accept_unsigned_file", "accept_unknown_gpg_key", "import_gpg_key")
    return {**made, "signature-handling": dict.fromkeys(rules, True)}
