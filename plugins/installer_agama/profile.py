"""``profile.json``: the Agama profile from a profile's answers (Agama's reference of profiles, for SLES 16)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from provd.plugin.api import Answer

from .network import connections
from .storage import storage

DOCUMENT: Final = "profile.json"
LOCKED: Final = "!"
"""As a hash: no password fits it (shadow(5))."""


def agama_profile(answer: Answer) -> str:
    """The document; a site's own template stands in its place.

    Raises:
        ValueError: an answer that this family cannot fulfil.
    """
    profile = answer.plan.profile
    if profile is not None and profile.templates.get(DOCUMENT):
        return answer.render(DOCUMENT)
    values: Mapping[str, Any] = answer.vars
    words: Mapping[str, Any] = {**profile.distro.vars, **profile.vars} if profile is not None else {}
    if values["reboot"] not in ("reboot", "poweroff"):
        raise ValueError(f"answers.reboot is {values['reboot']!r}, must be one of reboot, poweroff")
    made: dict[str, Any] = {
        "product": _product(values, words),
        "hostname": {"static": _host(str(values["hostname"]))},
        "localization": {
            "language": str(values["locale"]),
            "keyboard": str(values["keyboard"]),
            "timezone": str(values["timezone"]),
        },
        "root": _root(values),
        "network": {"connections": connections(values)},
        "storage": storage(values),
        "software": _software(values),
        "questions": {"policy": "auto"},
        "scripts": {
            "pre": [_script(answer, "start")],
            "postPartitioning": [_script(answer, "partitioned")],
            "post": [_script(answer, "end", chroot=True)],
            "init": [_script(answer, "firstboot")],
        },
    }
    if values["users"]:
        made["user"] = _user(values["users"][0])
    if values["installed_kernel_args"]:
        made["bootloader"] = {"extraKernelParams": str(values["installed_kernel_args"])}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _host(name: str) -> str:
    """A host name has at most 64 octets (HOST_NAME_MAX)."""
    return name if len(name.encode()) <= 64 else name.partition(".")[0]


def _product(values: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, str]:
    if not words.get("product"):
        raise ValueError("vars.product is empty: Agama needs the product's name, as SLES or openSUSE_Leap")
    made = {"id": str(words["product"])}
    said = {"registrationCode": values["registration_code"], "registrationEmail": values["registration_email"]}
    return made | {key: str(value) for key, value in said.items() if value}


def _root(values: Mapping[str, Any]) -> dict[str, Any]:
    """A key of root's makes Agama open the firewall and start sshd; all keys are the end script's."""
    made = {"password": str(values["root_password_hash"] or LOCKED), "hashedPassword": True}
    return made | ({"sshPublicKey": str(values["root_ssh_keys"][0])} if values["root_ssh_keys"] else {})


def _user(user: Mapping[str, Any]) -> dict[str, Any]:
    """Agama knows one user; the end script makes the others, and gives all of them what Agama has no word for."""
    return {
        "fullName": str(user.get("gecos") or user["name"]),
        "userName": str(user["name"]),
        "password": str(user.get("password_hash") or LOCKED),
        "hashedPassword": True,
    }


def _software(values: Mapping[str, Any]) -> dict[str, Any]:
    """``@name`` is a pattern beside the product's own; ssh and sudo are what every family has."""
    named = [str(package) for package in values["packages"]]
    needed = ["openssh", "sudo", *(["chrony"] if values["ntp"] else [])]
    made: dict[str, Any] = {
        "packages": list(dict.fromkeys([*needed, *(one for one in named if not one.startswith("@"))]))
    }
    if patterns := [one[1:] for one in named if one.startswith("@")]:
        made["patterns"] = {"add": list(dict.fromkeys(patterns))}
    if values["repositories"]:
        made["extraRepositories"] = [_repository(one) for one in values["repositories"]]
    return made


def _repository(repository: Mapping[str, Any]) -> dict[str, Any]:
    made = {"alias": str(repository["name"]), "url": str(repository["url"])}
    return {**made, "allowUnsigned": True} if repository.get("trust") else made


def _script(answer: Answer, name: str, **more: bool) -> dict[str, Any]:
    return {"name": f"provd-{name}", **more, "content": answer.render(f"{name}.bash")}
