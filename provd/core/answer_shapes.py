"""Whether common answers have the form that every family reads: a text is no list, a user is a table with a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_TEXTS: Final = ("locale", "language", "country", "keyboard", "timezone", "root_password_hash", "proxy", "reboot")
_LISTS: Final = ("packages", "root_ssh_keys", "post_install")
_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?")


def answer_fault(answers: Mapping[str, object]) -> str:
    """The first answer of a wrong form, as key path and rule; empty where there is none.

    Args:
        answers: with secrets resolved; keys that are not there are not asked for.
    """
    for key in _TEXTS:
        if not isinstance(answers.get(key, ""), str):
            return f"answers.{key} must be a text"
    for key in _LISTS:
        if fault := _texts(f"answers.{key}", answers.get(key, [])):
            return fault
    users = answers.get("users", [])
    if not isinstance(users, list | tuple):
        return "answers.users must be a list of tables"
    return next(filter(None, (_user(f"answers.users[{at}]", user) for at, user in enumerate(users))), "")


def _texts(where: str, value: object) -> str:
    if not isinstance(value, list | tuple):
        return f"{where} must be a list of texts"
    wrong = next((at for at, one in enumerate(value) if not isinstance(one, str)), None)
    return "" if wrong is None else f"{where}[{wrong}] must be a text"


def _user(where: str, user: object) -> str:
    if not isinstance(user, Mapping):
        return f"{where} must be a table with name, password_hash, ssh_keys, groups"
    name = user.get("name")
    if not isinstance(name, str) or not _USER.fullmatch(name):
        return f"{where}.name is {name!r}: letters, digits, '_', '-' and '.' are expected, no digit first"
    keys = user.get("ssh_keys", [])
    if fault := _texts(f"{where}.ssh_keys", keys):
        return fault
    assert isinstance(keys, list | tuple)  # noqa: S101  _texts has seen it
    broken = next((at for at, key in enumerate(keys) if "\n" in key.strip()), None)
    return "" if broken is None else f"{where}.ssh_keys[{broken}] must be one line"
