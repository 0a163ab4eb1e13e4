"""Rules on what a plugin is: manual, settings, imports, hooks, independence of its objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from provd.plugin.settings import decode_settings
from provd.plugin.verify import verify
from provd.testing.conformance.examined import Examined

_OURS = "provd.plugin.api"
_KEPT_OUT = frozenset({"socket", "sqlite3", "twisted", "requests", "urllib3", "httpx", "asyncio"})


def loads(one: Examined) -> Iterator[str]:
    """It can be imported and its PLUGIN fits."""
    assert one.found.plugin.name
    yield from ()


def has_a_manual(one: Examined) -> Iterator[str]:
    """The docstring of its module says what it does and, where it has settings, shows the TOML to paste."""
    if len(one.manual.split()) < 8:
        yield "the module's docstring is its manual: say what it is for, in a sentence or more"
    if one.found.plugin.settings.__struct_fields__ and not one.manual_toml:
        yield f"the manual shows no indented TOML block with [plugins.{one.name}]"


def settings_fit(one: Examined) -> Iterator[str]:
    """Its settings are frozen, refuse unknown keys, and take the table of the manual."""
    kind = one.found.plugin.settings
    if not kind.__struct_config__.frozen:
        yield f"{kind.__name__} is not frozen: declare it as class {kind.__name__}(Settings, frozen=True)"
    decode_settings(one.found.plugin, one.settings_table, data_dir=str(one.data_dir))


def hooks_fit(one: Examined) -> Iterator[str]:
    """Its hooks are spelt and annotated as the specification says, and none is a coroutine."""
    verify(one.name, one.build())
    yield from ()


def imports_the_door_alone(one: Examined) -> Iterator[str]:
    """Of provd it imports provd.plugin.api; sockets and event loops it leaves to the Runtime.

    Whoever speaks a protocol of its own (``Runtime.listen_tcp``, ``Runtime.connect_tcp``) needs Twisted's classes.
    """
    texts = [file.read_text(encoding="utf-8") for file in one.sources]
    speaks = any(door in text for text in texts for door in ("listen_tcp", "connect_tcp"))
    for file in one.sources:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for module in _modules(node):
                top = module.partition(".")[0]
                if top == "provd" and module != _OURS:
                    yield f"{file.name} line {node.lineno} imports {module}: only {_OURS} keeps its meaning"  # type: ignore[attr-defined]
                elif top in _KEPT_OUT and not (top == "twisted" and speaks):
                    yield f"{file.name} line {node.lineno} imports {module}: use the Runtime that start() is given"  # type: ignore[attr-defined]


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or ""]
    return []


def keeps_no_state_in_the_module(one: Examined) -> Iterator[str]:
    """Two objects share no list, set or dictionary: a reload builds a new one beside the old."""
    first, second = one.build(), one.build()
    if first is second:
        yield "build gives the same object twice: a reload needs a new one"
        return
    for key, value in getattr(first, "__dict__", {}).items():
        if isinstance(value, list | set | dict) and value is getattr(second, key, None):
            yield f"two objects share {key}: keep state in the object, not in the module"
