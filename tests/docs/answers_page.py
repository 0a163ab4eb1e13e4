"""Writes docs/answers.md: where each answer of a profile goes, found by changing it: ``python -m tests.docs.answers_page``."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from xml.etree.ElementTree import fromstring, tostring

from provd.model.system import Link
from provd.plugin.api import Installer, Location, Profile
from provd.testing.documents import documents
from provd.testing.samples import plan
from tests.docs.pages import ROOT
from tests.plugins.test_shipped_answers import catalogue, installers

PAGE: Final = ROOT / "docs" / "answers.md"

FAMILIES: Final[Mapping[str, str]] = {
    "rocky-9": "Kickstart", "debian-12": "Debian's preseed", "ubuntu-24.04": "Ubuntu's autoinstall",
    "sles-15": "AutoYaST", "sles-16": "Agama", "alpine-3.22": "Alpine's setup-alpine",
    "fedora-coreos-43": "Ignition (Fedora CoreOS)", "flatcar-4459": "Ignition (Flatcar)", "debian-12-image": "Image",
}  # fmt: skip
"""A shipped distro of each family, and the family's name."""

SETTINGS: Final = frozenset({"log_every_s", "report_tries"})
"""Defaults that are settings of the plugin."""

PROBES: Final[Mapping[str, object]] = {
    "locale": "de_DE.UTF-8", "language": "de", "country": "DE", "keyboard": "de", "timezone": "Europe/Berlin",
    "ntp": "10.88.0.2", "proxy": "http://10.88.0.3:3128", "network": "static", "disk": "/dev/vdb", "layout": "lvm",
    "storage": {"drives": [{"search": "/dev/vdb", "partitions": [{"generate": "mandatory"}]}]},
    "partitioning": [{"device": "/dev/vdb", "use": "all", "partitions": [{"mount": "/", "size": "max"}]}],
    "users": [{"name": "ada", "gecos": "Ada", "groups": ["adm"], "sudo": True, "ssh_keys": ["ssh-rsa A"], "password_hash": "$6$a$b"}],
    "root_password_hash": "$6$a$b", "root_ssh_keys": ["ssh-rsa A"],
    "packages": ["vim"], "tasks": ["ssh-server"], "package_update": True,
    "repositories": [{"name": "own", "url": "http://10.88.0.4/own", "trust": True}],
    "apt_mirror": "http://10.88.0.5/ubuntu", "security_host": "security.example",
    "registration_code": "CODE", "registration_email": "a@example.org", "registration_url": "http://rmt.example",
    "ignition": {"systemd": {"units": [{"name": "own.service", "contents": "[Unit]"}]}},
    "post_install": ["true"], "installed_kernel_args": "quiet", "reboot": "poweroff",
    "image": "other", "verify": True, "on_failure": "poweroff", "failure_wait_s": 60, "external": "http://10.88.0.6/x",
}  # fmt: skip
"""Another value for each answer, in the order of the page."""

EVERYWHERE: Final = ("repositories", "external")
"""Answers that most families take: each section has their rows, a dash where its family has no place for them."""

_HEAD: Final = """# Where each answer goes

What a profile says under `[answers]` means the same in every family; this page shows what becomes of it. It is generated:
each answer of a shipped profile is changed, and what changes in the family's documents is listed (`python -m tests.docs.answers_page`;
a test compares the two). The last row of each table is a bond over the machine's card. A dash means that the family has no place for
it (of `repositories` and `external` `provd check` and `provd lint` say so), *refused* that it says so in one sentence. What each answer holds is in the manual of the family's plugin,
`provd plugin show installer_preseed`, and in [families.md](families.md).

## What they hold

An answer of another form is refused in one sentence with its key path, in `provd check`, `provd lint` and `provd explain`, and a machine
that would get it is held. A secret's reference (`{file = "/etc/provd/secrets/root"}`, [config.md](config.md)) may stand in the place of any
text; what it holds is judged when the answer file is made.

| answer | form |
|---|---|
| `timezone` | a name of the IANA's list: `Europe/Berlin`, `Etc/UTC` |
| `keyboard` | a layout: `us`, `de-latin1`, `cz (qwerty)` |
| `proxy` | `http://HOST:PORT`, with `USER:PASSWORD@` before the host where it asks for one; the password is shown as `***` |
| `root_password_hash`, `password_hash` | a hash of crypt(5), never the password itself: `openssl passwd -6` makes one. `"!"` and `"*"` lock |
| `root_ssh_keys`, `ssh_keys` | lines of `authorized_keys`: type, key, name; options may stand in front |
| `packages` | names; Kickstart's `@group`, and what else a family's packages are called |
| `repositories` | tables with `name` (a file's name is made of it), `url`, and what the family takes beside: `trust`, `key`, `suite`, `components` |
| `external` | URL of an answer file (of autoinstall: of a NoCloud seed) elsewhere, handed on untouched: the other answers do not go into it, nothing judges it, and reports are in it only where its author wrote them |
| `post_install` | commands of a shell, of one line or several; each is run by a shell of its own |
| other texts | one line |

Each table of `users` has a `name`; a key that is not one of these is refused:

| key of `users` | what it says |
|---|---|
| `name` | login name |
| `gecos` | full name or remark, as in passwd(5); no colon |
| `groups` | further groups, a list |
| `sudo` | true: may become root; without a `password_hash` no password is asked for |
| `password_hash` | without one only keys open the account |
| `ssh_keys` | public keys, a list |
| `shell` | absolute path; the family's usual one where it is not said |
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(distro, title) for distro, title in FAMILIES.items())])


def _section(distro: str, title: str) -> str:
    known = catalogue()
    profile = known.profiles[f"{distro}-minimal"]
    profile = replace(profile, answers={**profile.answers, "packages": [], "package_update": False})
    installer = installers()[profile.distro.installer]
    files = ", ".join(f"`{name}`" for name in installer.documents)
    lines = [f"## {title}", "", f"Installer `{installer.name}`, here with `{distro}`. Documents: {files}.", ""]
    lines += ["| answer | where it goes |", "|---|---|"]
    lines += [
        f"| `{key}` | {_where(installer, profile, key)} |" for key in PROBES if key in {*keys(installer), *EVERYWHERE}
    ]
    return "\n".join([*lines, f"| `[[link]]` of the system | {_linked(installer, profile)} |", ""])


def keys(installer: Installer) -> set[str]:
    """Its answers."""
    return {*installer.defaults, "network"} - SETTINGS


def _linked(installer: Installer, profile: Profile) -> str:
    """Where a bond over the card goes."""
    made = _plan(profile)
    bonded = replace(made, system=replace(made.system, links=(Link("bond0", "bond", ("eth0",)),)))
    before, after = (documents(installer, one, **profile.answers) for one in (made, bonded))
    return "; ".join(_differing(before, after)) or "-"


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    told = [_told(name, before[name], after[name], alone=len(before) == 1) for name in after]
    return [text for text in told if text]


def _where(installer: Installer, profile: Profile, key: str) -> str:
    changed = replace(profile, answers={**profile.answers, key: PROBES[key]})
    try:
        before, after = _made(installer, profile), _made(installer, changed)
    except ValueError:
        return "*refused*"
    told = _differing(before, after)
    arguments = _arguments(installer, profile), _arguments(installer, changed)
    names = dict.fromkeys(word.partition("=")[0] for word in arguments[1] if word not in arguments[0])
    told += [f"kernel argument `{name}=`" for name in names]
    return "; ".join(told) or "-"


def _made(installer: Installer, profile: Profile) -> dict[str, str]:
    return documents(installer, _plan(profile), **profile.answers)


def _arguments(installer: Installer, profile: Profile) -> list[str]:
    return list(installer.kernel_args(_plan(profile)))


def _plan(profile: Profile) -> Any:
    return plan(profile=profile, location=Location("http", "10.88.0.1", "/mirror/x.img", 8080))


def _told(name: str, before: str, after: str, *, alone: bool) -> str:
    if before == after:
        return ""
    places = list(dict.fromkeys(_places(before, after)))
    shown = ", ".join(f"`{place}`" for place in places)
    return shown if alone and shown else f"`{name}`" + (f": {shown}" if shown else "")


def _places(before: str, after: str) -> Iterator[str]:
    if after.startswith("<?xml"):
        yield from _sections(before, after)
    elif after.removeprefix("#cloud-config\n").startswith("{"):
        old, new = (json.loads(text.removeprefix("#cloud-config\n")) for text in (before, after))
        yield from _leaves(old, new, ())
    elif not after.startswith(("#!", "# Reports", "# Finishes")):
        yield from _lines(before.splitlines(), after.splitlines())


def _sections(before: str, after: str) -> Iterator[str]:
    old, new = (
        {one.tag.rpartition("}")[2]: tostring(one).strip() for one in fromstring(text)} for text in (before, after)
    )
    yield from (name for name in sorted({*old, *new}) if old.get(name) != new.get(name))


def _leaves(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The first two names on the way to what differs, and of a list the element's own."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping) and len(path) < 2:
        for key in dict.fromkeys((*old, *new)):
            yield from _leaves(old.get(key), new.get(key), (*path, key))
    elif isinstance(new, list) and all(isinstance(one, Mapping) and "path" in one for one in new):
        known = {one["path"]: one for one in old or ()}
        found = {one["path"]: one for one in new}
        for name in dict.fromkeys((*known, *found)):
            if known.get(name) != found.get(name):
                yield f"{'.'.join(path)} {name}"
    else:
        yield ".".join(path)


def _lines(old: list[str], new: list[str]) -> Iterator[str]:
    """What the changed lines are about: a question, a command or a variable, or the section round them."""
    for lines, side in ((new, "+ "), (old, "- ")):
        place = -1
        for row in difflib.ndiff(old, new):
            if row[:2] in {"  ", side}:
                place += 1
            if row.startswith(side) and row[2:].strip() and (name := _named(lines, place)):
                yield name


def _named(lines: list[str], place: int) -> str:
    text = lines[place]
    if text.startswith("#"):
        return ""
    if found := re.match(r"d-i (\S+)|(?:popularity-contest|tasksel|pkgsel) (\S+)", text):
        return found[1] or found[2]
    for line in reversed(lines[: place + 1]):
        if section := re.match(r"%(\w+)", line):
            if section[1] == "end":
                break
            if section[1] != "include":
                return f"%{section[1]}"
    if found := re.match(r"(?:export )?([A-Z_]+)=", text):
        return found[1]
    for line in reversed(lines[: place + 1]):
        if (found := re.match(r"(\w[\w-]*)(:)?", line)) and (found[2] or line is text):
            return found[1]
    return ""


if __name__ == "__main__":
    PAGE.write_text(page())
