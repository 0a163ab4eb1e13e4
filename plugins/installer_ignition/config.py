"""``live.ign``, which makes the live system install, and ``config.ign``, by which the installed one sets itself up."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from provd.plugin.api import Answer, Profile, connections

from . import networkd, networkmanager
from .pieces import appended, file, link, merged, unit

FLATCAR = "flatcar"
SPEC = "3.3.0"
"""Version of the format: the first with kernel arguments; Fedora CoreOS 34 and Flatcar 3227 understand it."""
_ARGUMENT = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
"""One kernel argument; spaces within quotes belong to it (the kernel's ``lib/cmdline.c``)."""
_LONGEST_HOST = 64
"""Octets of a host name (HOST_NAME_MAX of Linux)."""
_INSTALL = """\
[Unit]
Description=Install to disk
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/bin/bash /etc/provd/install.bash

[Install]
WantedBy=multi-user.target
"""
_FIRSTBOOT = """\
[Unit]
Description=Finish the installation and report the first boot to provd
Wants=network-online.target
After=network-online.target
Before=zincati.service
ConditionPathExists=/etc/provd/firstboot.bash

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=7200
ExecStart=/bin/bash /etc/provd/firstboot.bash

[Install]
WantedBy=multi-user.target
"""
_CHRONY = "server {} iburst\ndriftfile /var/lib/chrony/drift\nmakestep 1.0 3\nrtcsync\nleapsectz right/UTC\n"


def refused(profile: Profile, answers: Mapping[str, Any]) -> str:
    """One sentence where a profile asks for what its distro has not, else empty."""
    if profile.distro.family != FLATCAR:
        groups = [one for one in answers.get("packages") or () if str(one).startswith("@")]
        which = f"{profile.distro.name} has packages only, and {groups[0]!r} in answers.packages" if groups else ""
        return f"profile {profile.name}: {which} is a group" if groups else ""
    asked = [key for key in ("packages", "repositories") if answers.get(key)]
    if not asked:
        return ""
    name, keys = profile.distro.name, " and ".join(f"answers.{key}" for key in asked)
    return f"profile {profile.name}: {name} has no packages, so {keys} must be empty; use containers or sysexts"


def live(answer: Answer) -> str:
    """What the live system does: one unit, which installs."""
    flatcar = _flatcar(answer)
    # Flatcar would restart for an update in the middle of the installation.
    idle = [{"name": name, "mask": True} for name in ("update-engine.service", "locksmithd.service")] if flatcar else []
    whole = {
        "ignition": {"version": _spec(answer.vars)},
        "storage": {"files": [file("/etc/provd/install.bash", answer.render("install.bash"), 0o700)]},
        "systemd": {"units": [unit("provd-install.service", _INSTALL), *idle]},
    }
    return _text(whole)


def config(answer: Answer) -> str:
    """What the installed system sets itself up by; a site's own template stands in its place.

    Raises:
        ValueError: an answer that this family cannot fulfil.
    """
    profile, values = answer.plan.profile, answer.vars
    if profile is not None and profile.templates.get("config.ign"):
        return answer.render("config.ign")
    if profile is not None and (sentence := refused(profile, values)):
        raise ValueError(sentence)
    _choice("reboot", values, ("reboot", "poweroff"))
    whole: dict[str, Any] = {
        "ignition": {"version": _spec(values)},
        "passwd": {"users": _users(values)},
        "storage": {"files": _files(answer), "links": _links(values)},
        "systemd": {"units": [unit("provd-firstboot.service", _FIRSTBOOT)]},
    }
    if values["installed_kernel_args"]:
        whole["kernelArguments"] = {"shouldExist": _ARGUMENT.findall(str(values["installed_kernel_args"]))}
    theirs = values["ignition"]
    if not isinstance(theirs, Mapping):
        raise ValueError(f"answers.ignition must be a table, not {type(theirs).__name__}")  # noqa: TRY004  as for other answers
    return _text(merged(whole, theirs))


def _text(whole: Mapping[str, Any]) -> str:
    return json.dumps(whole, indent=1, ensure_ascii=True) + "\n"


def _flatcar(answer: Answer) -> bool:
    return answer.plan.profile is not None and answer.plan.profile.distro.family == FLATCAR


def _spec(values: Mapping[str, Any]) -> str:
    return str(values["vars"].get("ignition_spec") or SPEC)


def _choice(key: str, values: Mapping[str, Any], known: tuple[str, ...]) -> None:
    if values[key] not in known:
        raise ValueError(f"answers.{key} is {values[key]!r}, must be one of {', '.join(known)}")


def _users(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    users = [_user(user) for user in values["users"]]
    root = {"name": "root", "password_hash": values["root_password_hash"], "ssh_keys": values["root_ssh_keys"]}
    return [*users, _user(root)] if root["password_hash"] or root["ssh_keys"] else users


def _user(user: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": user["name"]}
    if user.get("password_hash"):
        made["passwordHash"] = str(user["password_hash"])
    for ours, theirs in (("gecos", "gecos"), ("shell", "shell")):
        if user.get(ours):
            made[theirs] = str(user[ours])
    for ours, theirs in (("groups", "groups"), ("ssh_keys", "sshAuthorizedKeys")):
        if user.get(ours):
            made[theirs] = list(dict.fromkeys(user[ours]))
    return made


def _files(answer: Answer) -> list[dict[str, Any]]:
    values: Mapping[str, Any] = answer.vars
    flatcar = _flatcar(answer)
    writer = networkd if flatcar else networkmanager
    return [
        *_names(str(values["hostname"])),
        file("/etc/vconsole.conf", f"KEYMAP={values['keyboard']}\n"),
        *(_sudo(user) for user in values["users"] if user.get("sudo")),
        *([_clock(values["ntp"], flatcar=flatcar)] if values["ntp"] else []),
        *([_proxy(values["proxy"])] if values["proxy"] else []),
        *(_repository(one) for one in values["repositories"]),
        *writer.files(connections(values), str(values["system"]["name"])),
        file("/etc/provd/firstboot.bash", answer.render("firstboot.bash"), 0o700),
    ]


def _names(host: str) -> list[dict[str, Any]]:
    """The host's name; one that Linux cannot hold is cut to its first label, and the whole one goes into the table."""
    short = host.partition(".")[0]
    own = file("/etc/hostname", f"{host if len(host) <= _LONGEST_HOST else short}\n")
    return [own] if short == host else [own, appended("/etc/hosts", f"127.0.1.1 {host} {short}\n")]


def _sudo(user: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of sudo; with a password it asks for it. Files with a dot in their name are left out by sudo."""
    rule = "ALL=(ALL) ALL" if user.get("password_hash") else "ALL=(ALL) NOPASSWD:ALL"
    name = quote(str(user["name"]), safe="").replace(".", "_")
    return file(f"/etc/sudoers.d/90-provd-{name}", f"{user['name']} {rule}\n", 0o440)


def _clock(server: str, *, flatcar: bool) -> dict[str, Any]:
    if flatcar:
        return file("/etc/systemd/timesyncd.conf.d/90-provd.conf", f"[Time]\nNTP={server}\n")
    return file("/etc/chrony.conf", _CHRONY.format(server))


def _proxy(url: str) -> dict[str, Any]:
    """For every service: updates, containers, layering."""
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    value = url.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    settings = " ".join(f'"{name}={value}"' for name in names)
    return file("/etc/systemd/system.conf.d/90-provd-proxy.conf", f"[Manager]\nDefaultEnvironment={settings}\n")


def _repository(one: Mapping[str, Any]) -> dict[str, Any]:
    name = quote(str(one["name"]).replace(" ", "-"), safe="")
    lines = [f"[{name}]", f"name={one['name']}", f"baseurl={one['url']}", "enabled=1"]
    lines += ["gpgcheck=1", f"gpgkey={one['key']}"] if one.get("key") else ["gpgcheck=0"]
    return file(f"/etc/yum.repos.d/{name}.repo", "\n".join(lines) + "\n")


def _links(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [link("/etc/localtime", f"../usr/share/zoneinfo/{values['timezone']}")]
