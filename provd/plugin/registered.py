"""The rules of what plugins register: names, callables, shapes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from provd.plugin.contract import Daemon, InstallSource, Inventory, Operation, Trigger
from provd.plugin.contract_install import Callback, Document, Installer
from provd.plugin.power import POWER_ACTIONS, PowerDriver

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_OPERATION = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_CALLABLES = (
    "select",
    "files",
    "is_config",
    "config",
    "local_boot",
    "lacks",
    "resolve",
    "probe",
    "run",
    "load",
    "check",
    "payload",
    "kernel_args",
    "fault",
    "doubts",
)


def fault_of(value: object) -> str:
    """The rule a registered value breaks, or empty."""
    name = getattr(value, "name", None)
    pattern = _OPERATION if isinstance(value, Operation) else _NAME
    if not isinstance(name, str) or not pattern.fullmatch(name):
        plain = "of 1 to 64 letters, digits and . _ -, a letter or digit first"
        return f"its name must be {plain if pattern is _NAME else 'noun.verb'} ({pattern.pattern})"
    for attribute in _CALLABLES:
        if hasattr(value, attribute) and not callable(getattr(value, attribute)):
            return f"{attribute} cannot be called"
    for kind, rule in _RULES:
        if isinstance(value, kind):
            return rule(value)
    return ""


def _source_fault(value: InstallSource) -> str:
    return "" if _words(value.schemes, empty=True) else "schemes is not a tuple of texts, or is empty"


def _callback_fault(value: Callback) -> str:
    return "" if isinstance(value.max_bytes, int) and value.max_bytes > 0 else "max_bytes must be above 0"


def _inventory_fault(value: Inventory) -> str:
    return "" if value.refresh_s > 0 else "refresh_s must be above 0"


def _trigger_fault(value: Trigger) -> str:
    if value.on == ():
        return "on names no kind of event"
    if not _words(value.on):
        return "on is not a tuple of event kinds, or is empty"
    if value.timeout_s <= 0:
        return "timeout_s must be above 0"
    if value.attempts < 1 or value.most_at_once < 1 or value.backoff_s < 0:
        return "attempts and most_at_once must be 1 or more, backoff_s not negative"
    return ""


def _operation_fault(value: Operation) -> str:
    if value.permission not in {"read", "operate", "admin"}:
        return "permission is not read, operate or admin"
    if not (isinstance(value.arguments, type) and issubclass(value.arguments, msgspec.Struct)):
        return "arguments is not a msgspec.Struct type"
    return "" if value.summary and value.example else "summary and example must not be empty"


def _installer_fault(value: Installer) -> str:
    for name, document in value.documents.items():
        if not _FILE_NAME.fullmatch(name) or not isinstance(document, Document):
            return f"documents: {name!r} is not a plain file name with a Document"
    if value.templates is not None and not Path(value.templates).is_dir():
        return f"templates: {value.templates} is not a directory"
    return ""


def _daemon_fault(value: Daemon) -> str:
    if not _words(value.argv) or not Path(value.argv[0]).is_absolute():
        return "argv is not a tuple of texts that begins with an absolute path"
    if wrong := next((name for name in value.configuration if not _FILE_NAME.fullmatch(name)), None):
        return f"configuration: {wrong!r} is not a plain file name"
    if wrong := next((path for path in value.folders if not Path(path).is_absolute()), None):
        return f"folders: {wrong!r} is not an absolute path"
    return ""


def _power_fault(value: PowerDriver) -> str:
    if not (isinstance(value.settings, type) and issubclass(value.settings, msgspec.Struct)):
        return "settings is not a msgspec.Struct type"
    known = _words(value.actions) and set(value.actions) <= set(POWER_ACTIONS)
    return "" if known else f"actions is not a tuple of some of {', '.join(POWER_ACTIONS)}"


_RULES: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (InstallSource, _source_fault),
    (Trigger, _trigger_fault),
    (Callback, _callback_fault),
    (Inventory, _inventory_fault),
    (Operation, _operation_fault),
    (Installer, _installer_fault),
    (Daemon, _daemon_fault),
    (PowerDriver, _power_fault),
)


def _words(value: object, *, empty: bool = False) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(v, str) and (v or empty) for v in value)
