"""Whether common answers have the form that every family reads: a text is no list, a user is a table with a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from provd.core.answer_values import (
    Rule,
    hash_fault,
    key_fault,
    keyboard_fault,
    later,
    line_fault,
    proxy_fault,
    zone_fault,
)

_ENDS: Final = ("reboot", "poweroff")


def _no_blank(text: str) -> str:
    return line_fault(text) or ("must be one word" if not later(text) and re.search(r"\s", text) else "")


_TEXTS: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(("locale", "language", "country", "ntp"), _no_blank),
    "keyboard": keyboard_fault,
    "timezone": zone_fault,
    "root_password_hash": hash_fault,
    "proxy": proxy_fault,
    "installed_kernel_args": line_fault,
    "reboot": lambda text: "" if later(text) or text in _ENDS else f"must be {' or '.join(_ENDS)}",
    "security_host": line_fault,
}
_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?")
_USER_KEYS: Final = ("name", "gecos", "groups", "sudo", "password_hash", "ssh_keys", "shell")
_REPOSITORY_KEYS: Final = ("name", "url", "trust", "key", "suite", "components")
_OTHER_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("full_name", "fullname", "real_name", "realname", "comment", "description"), "gecos"),
    **dict.fromkeys(("password", "passwd", "hashed_passwd", "hash", "plain_text_passwd"), "password_hash"),
    **dict.fromkeys(("keys", "authorized_keys", "ssh_authorized_keys", "sshkeys", "public_keys"), "ssh_keys"),
    **dict.fromkeys(("user", "username", "login", "userName"), "name"),
}
"""What other programs call the keys of a user."""


def answer_fault(answers: Mapping[str, object]) -> str:
    """The first answer of a wrong form, as key path and rule; empty where there is none.

    Args:
        answers: with secrets resolved, or :data:`provd.core.answer_values.UNKNOWN` in the place of each; keys that are
            not there are not asked for.
    """
    return next(_faults(answers), "")


def _faults(answers: Mapping[str, object]) -> Iterator[str]:
    for key, rule in _TEXTS.items():
        if key in answers:
            yield from _text(f"answers.{key}", answers[key], rule)
    yield from _disk(answers.get("disk", ""))
    if not isinstance(answers.get("package_update", False), bool):
        yield "answers.package_update must be true or false"
    yield from _texts("answers.packages", answers.get("packages", ()), _package)
    yield from _texts("answers.tasks", answers.get("tasks", ()), line_fault)
    yield from _texts("answers.root_ssh_keys", answers.get("root_ssh_keys", ()), key_fault)
    yield from _texts("answers.post_install", answers.get("post_install", ()), _command)
    yield from _tables("answers.repositories", answers.get("repositories", ()), _repository)
    users = answers.get("users", ())
    yield from _tables("answers.users", users, _user)
    names = [user.get("name") for user in users if isinstance(user, Mapping)] if isinstance(users, list | tuple) else []
    for at, name in enumerate(names):
        if names.index(name) < at:
            yield f"answers.users[{at}].name is {name!r}, which is a user above already"


def _disk(wanted: object) -> Iterator[str]:
    """Conditions on the size are judged here: no disk would fulfil one that is written otherwise."""
    yield from _text("answers.disk", wanted, line_fault)
    for word in wanted.split() if isinstance(wanted, str) and not later(wanted) else ():
        if word.startswith("size") and not re.fullmatch(r"size[<>]=[0-9]+[KMGT]?", word):
            yield f"answers.disk: {word!r} is no size, as size>=100G or size<=2T"


def _tables(where: str, value: object, rule: Callable[[str, object], Iterator[str]]) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        yield f"{where} must be a list of tables"
        return
    for at, one in enumerate(value):
        yield from rule(f"{where}[{at}]", one)


def _text(where: str, value: object, rule: Rule) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where} must be a text"
    elif fault := rule(value):
        yield f"{where} {fault}"


def _texts(where: str, value: object, rule: Rule) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        yield f"{where} must be a list of texts"
        return
    for at, one in enumerate(value):
        yield from _text(f"{where}[{at}]", one, rule)


def _package(text: str) -> str:
    if not text.strip() or text.startswith(("%", "#")):
        return "is no name of a package"
    return line_fault(text)


def _command(text: str) -> str:
    return "holds a zero octet, which no command has" if "\0" in text else ""


def _user(where: str, user: object) -> Iterator[str]:
    if not isinstance(user, Mapping):
        yield f"{where} must be a table with name, password_hash, ssh_keys, groups"
        return
    name = user.get("name")
    yield from _unknown(where, "a user", user, _USER_KEYS)
    if not isinstance(name, str) or not _USER.fullmatch(name):
        yield f"{where}.name is {name!r}: letters, digits, '_', '-' and '.' are expected, no digit first"
    if name == "root":
        yield f"{where}.name is root, whose answers are root_password_hash and root_ssh_keys"
    if not isinstance(user.get("sudo", False), bool):
        yield f"{where}.sudo must be true or false"
    yield from _text(f"{where}.gecos", user.get("gecos", ""), _gecos)
    yield from _text(f"{where}.shell", user.get("shell", "/bin/sh"), _shell)
    yield from _text(f"{where}.password_hash", user.get("password_hash", ""), hash_fault)
    yield from _texts(f"{where}.ssh_keys", user.get("ssh_keys", ()), key_fault)
    yield from _texts(f"{where}.groups", user.get("groups", ()), _group)


def _unknown(where: str, what: str, table: Iterable[object], known: tuple[str, ...]) -> Iterator[str]:
    for key in map(str, table):
        if key not in known:
            near = _OTHER_NAMES.get(key, "") if known is _USER_KEYS else ""
            near = near or next(iter(get_close_matches(key, known, n=1)), "")
            hint = f"did you mean {near}?" if near else f"{what} has {', '.join(known)}"
            yield f"{where}.{key} is not known; {hint}"


def _repository(where: str, repository: object) -> Iterator[str]:
    if not isinstance(repository, Mapping):
        yield f"{where} must be a table with name, url"
        return
    yield from _unknown(where, "a repository", repository, _REPOSITORY_KEYS)
    yield from _text(f"{where}.name", repository.get("name", ""), _repository_name)
    yield from _text(f"{where}.url", repository.get("url", ""), _repository_url)
    yield from _text(f"{where}.key", repository.get("key", ""), line_fault)
    yield from _text(f"{where}.suite", repository.get("suite", "x"), _word)
    yield from _texts(f"{where}.components", repository.get("components", ()), _word)
    if not isinstance(repository.get("trust", False), bool):
        yield f"{where}.trust must be true or false"


def _repository_name(text: str) -> str:
    good = text.strip() and not line_fault(text) and "/" not in text and not text.startswith(".")
    return "" if good else "becomes a file's name: a text of one line without '/' is expected, no dot first"


def _repository_url(text: str) -> str:
    good = later(text) or re.fullmatch(r"(?:[a-z][a-z0-9+.-]*:|/)[^\s'\"<>]+", text)
    return "" if good else "is no URL of a repository, as http://HOST/PATH"


def _word(text: str) -> str:
    return "" if re.fullmatch(r"[^\s\"'\\]+", text) else "must be one word"


def _gecos(text: str) -> str:
    """The field of passwd(5), which ends at a colon."""
    return line_fault(text) or ("must not hold a colon, which ends the field in /etc/passwd" if ":" in text else "")


def _shell(text: str) -> str:
    good = later(text) or re.fullmatch(r"/[A-Za-z0-9_./+-]+", text)
    return "" if good else "must be the absolute path of a program, as /bin/bash"


def _group(text: str) -> str:
    return "" if later(text) or _USER.fullmatch(text) else "is no name of a group"
