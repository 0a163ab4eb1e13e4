"""``user-data``: the autoinstall configuration and, inside it, what cloud-init does at the first boot of the system.

Keys: Ubuntu's autoinstall reference, version 1; cloud-init's module reference. Written as JSON, which YAML holds.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from provd.plugin.api import Answer, to_yaml

from .network import network

DISK = "PROVD_DISK"
"""Stands for the disk until the early command has found it."""


def user_data(answer: Answer) -> str:
    """The document; a site's own template stands in its place.

    Raises:
        ValueError: an answer that this family cannot fulfil.
    """
    profile = answer.plan.profile
    if profile is not None and profile.templates.get("user-data"):
        return answer.render("user-data")
    whole = {"autoinstall": autoinstall(answer)}
    return f"#cloud-config\n{to_yaml(whole, 1)}\n"


def autoinstall(answer: Answer) -> dict[str, Any]:
    """The table ``autoinstall``."""
    values: Mapping[str, Any] = answer.vars
    made: dict[str, Any] = {
        "version": 1,
        "locale": values["locale"],
        "keyboard": {"layout": values["keyboard"]},
        "network": network(values),
        "storage": {"layout": {"name": _choice("layout", values, ("direct", "lvm")), "match": {"path": DISK}}},
        "apt": _apt(values),
        "ssh": {"install-server": True, "allow-pw": any(user.get("password_hash") for user in values["users"])},
        "packages": list(values["packages"]),
        "updates": "all" if values["package_update"] else "security",
        "shutdown": _choice("reboot", values, ("reboot", "poweroff")),
        "user-data": cloud_config(values),
        "early-commands": [["bash", "-c", answer.render("early.bash")]],
        "late-commands": [*_late(values), ["bash", "-c", answer.render("late.bash")]],
        "error-commands": [["bash", "-c", answer.render("error.bash")]],
    }
    if values["proxy"]:
        made["proxy"] = values["proxy"]
    return made


def _choice(key: str, values: Mapping[str, Any], known: tuple[str, ...]) -> str:
    value = str(values[key])
    if value not in known:
        raise ValueError(f"answers.{key} is {value!r}, must be one of {', '.join(known)}")
    return value


def _apt(values: Mapping[str, Any]) -> dict[str, Any]:
    """Where packages come from; ``geoip`` would ask a host of Ubuntu's."""
    apt: dict[str, Any] = {"geoip": False, "preserve_sources_list": False}
    if values["apt_mirror"]:
        apt["primary"] = [{"arches": ["default"], "uri": values["apt_mirror"]}]
    for repository in values["repositories"]:
        suite = repository.get("suite", "$RELEASE")
        components = " ".join(repository.get("components") or ["main"])
        source = {"source": f"deb {repository['url']} {suite} {components}"}
        apt.setdefault("sources", {})[f"{repository['name'].replace(' ', '-')}.list"] = source
    return apt


def _late(values: Mapping[str, Any]) -> list[list[str]]:
    """Commands in the installed system; one that fails fails the installation."""
    inside = ["curtin", "in-target", "--"]
    commands = [[*inside, "sh", "-c", command] for command in values["post_install"]]
    if values["installed_kernel_args"]:
        # The file is read by a shell.
        line = f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX "{shlex.quote(str(values["installed_kernel_args"]))}\n'
        write = 'printf %s "$0" > /etc/default/grub.d/90-provd.cfg && update-grub'
        commands.insert(0, [*inside, "sh", "-c", write, line])
    return commands


def cloud_config(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the first boot does: names, users, time, the report."""
    host, _, domain = str(values["hostname"]).partition(".")
    made: dict[str, Any] = {
        "hostname": host,
        "manage_etc_hosts": True,
        "timezone": values["timezone"],
        "disable_root": not values["root_ssh_keys"],
        "users": [*(_user(user) for user in values["users"]), *_root(values)],
        "phone_home": {
            "url": f"{values['callback_url']}/firstboot",
            "post": ["hostname", "instance_id"],
            "tries": values["report_tries"],
        },
    }
    if domain:
        made["fqdn"] = values["hostname"]
    if values["ntp"]:
        made["ntp"] = {"enabled": True, "servers": [values["ntp"]]}
    return made


def _user(user: Mapping[str, Any]) -> dict[str, Any]:
    secret = user.get("password_hash")
    made: dict[str, Any] = {
        "name": user["name"],
        "gecos": user.get("gecos", ""),
        "shell": user.get("shell", "/bin/bash"),
        "lock_passwd": not secret,
    }
    if secret:
        made["passwd"] = str(secret)
    if user.get("groups"):
        made["groups"] = list(user["groups"])
    if user.get("sudo"):
        made["sudo"] = "ALL=(ALL) ALL" if secret else "ALL=(ALL) NOPASSWD:ALL"
    if user.get("ssh_keys"):
        made["ssh_authorized_keys"] = list(user["ssh_keys"])
    return made


def _root(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    root: dict[str, Any] = {"name": "root"}
    if values["root_password_hash"]:
        # root is there already, and passwd is for new users only
        root |= {"lock_passwd": False, "hashed_passwd": str(values["root_password_hash"])}
    if values["root_ssh_keys"]:
        root["ssh_authorized_keys"] = list(values["root_ssh_keys"])
    return [root] if len(root) > 1 else []
