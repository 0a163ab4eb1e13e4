"""Plugins that misbehave, one file each: what a hook does, for every hook of a DHCP exchange."""

from __future__ import annotations

from pathlib import Path
from typing import Final

HOOKS: Final = {
    "gate": "self, request",
    "labels": "self, request",
    "subnet": "self, request, subnets",
    "options": "self, request, lease, plan",
    "reply": "self, request, reply",
}
FAULTS: Final = {
    "raises": "raise RuntimeError('boom')",
    "wrong_type": "return 42",
    "recursion": "return (lambda again: again(again))(lambda again: again(again))",
    "memory": "raise MemoryError",
    "leaves": "raise SystemExit(3)",
    "missing": "return request.nosuch.thing",
}
_FILE: Final = '''\
"""A plugin that misbehaves."""

import time

from provd.plugin.api import Plugin, Settings, hookimpl


class None_(Settings, frozen=True):
    pass


class Bad:
    def __init__(self, settings):
        pass

    @hookimpl
    def provd_dhcp_{hook}({arguments}):
        {fault}


PLUGIN = Plugin(name="{name}", settings=None_, build=Bad)
'''


def write(folder: Path, name: str, hook: str, fault: str) -> None:
    """Write one plugin; ``fault`` is a statement."""
    folder.mkdir(mode=0o755, exist_ok=True)
    text = _FILE.format(hook=hook, arguments=HOOKS[hook], fault=fault.replace("NAME", hook), name=name)
    (folder / f"{name}.py").write_text(text)


def write_all(folder: Path) -> list[str]:
    """One plugin per hook and fault; their names."""
    names = []
    for hook in HOOKS:
        for fault, statement in FAULTS.items():
            names.append(f"{hook}_{fault}")
            write(folder, names[-1], hook, statement)
    return names
