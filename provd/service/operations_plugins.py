"""Operations on plugins: which there are, what one brings, what its calls cost."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from provd.plugin.contract import Operation, Plugin
from provd.plugin.errors import PluginError
from provd.plugin.guard import Row
from provd.plugin.host import PluginHost
from provd.plugin.loading import Found
from provd.service.operations import Arguments, NoArguments, OperationError


class PluginName(Arguments, frozen=True):
    """Which plugin."""

    name: Annotated[str, Meta(description="Name of a plugin.")]


class PluginFilter(Arguments, frozen=True):
    """Of which plugin; empty for all."""

    name: Annotated[str, Meta(description="Of this plugin alone.")] = ""


def plugin_operations(
    found: Callable[[], Mapping[str, Found]], host: Callable[[], PluginHost]
) -> tuple[Operation, ...]:
    """``plugin.list``, ``plugin.show`` and ``plugin.stats``.

    Args:
        found: discovered plugins by name.
        host: the enabled ones.
    """

    def run_list(_arguments: object) -> object:
        return plugin_rows(found(), host())

    def run_show(arguments: PluginName) -> object:
        return shown(_named(arguments.name, found()), host())

    def run_stats(arguments: PluginFilter) -> object:
        if arguments.name:
            _named(arguments.name, found())
        return [stat_row(row) for row in host().stats() if arguments.name in {"", row.plugin}]

    return (
        Operation(
            "plugin.list", "List plugins with origin, version and counters.", "read", NoArguments, run_list,
            "provd plugin list",
            result="One row per plugin: enabled, state (on, off, faulty), origin, version, hooks, counters.",
        ),
        Operation(
            "plugin.show", "Show where a plugin came from, what it brings and how it fares.", "read", PluginName,
            run_show, "provd plugin show pxelinux",
            result="Origin, path, version, hash, faults, names of its settings, hooks, what it registered, breaker.",
        ),
        Operation(
            "plugin.stats", "Show calls, failures and times of every hook.", "read", PluginFilter, run_stats,
            "provd plugin stats", result="One row per plugin and hook; times in milliseconds.",
        ),
    )  # fmt: skip


def _named(name: str, found: Mapping[str, Found]) -> Found:
    if name not in found:
        known = ", ".join(sorted(found))
        raise OperationError(f"there is no plugin {name}; there are {known}", field="name", kind="not-found")
    return found[name]


def plugin_rows(found: Mapping[str, Found], host: PluginHost) -> list[Mapping[str, object]]:
    """Rows of ``plugin.list``: the enabled ones in their order, then the others by name.

    Args:
        found: discovered plugins by name.
        host: the enabled ones, in the order in which they are asked.
    """
    order = [name for name in host.names if name in found]
    order += sorted(name for name in found if name not in host.names)
    stats = host.stats()
    return [_plugin_row(found[name], host, [row for row in stats if row.plugin == name]) for name in order]


def _plugin_row(found: Found, host: PluginHost, stats: Sequence[Row]) -> Mapping[str, object]:
    faults = [fault for fault in host.faults if fault.plugin == found.name]
    state = "off" if found.name not in host.names or any(one.whole for one in faults) else "on"
    return {
        "name": found.name,
        "enabled": found.name in host.names,
        "state": "faulty" if state == "on" and faults else state,
        "origin": found.origin,
        "version": found.version,
        "sha256": found.sha256,
        "hooks": list(host.hooks_of(found.name)),
        "calls": sum(row.calls for row in stats),
        "failures": sum(row.failures for row in stats),
        "breaker": next((row.breaker for row in stats if row.breaker != "closed"), "closed"),
        "last_error": next((row.last_error for row in stats if row.last_error), ""),
    }


def shown(found: Found, host: PluginHost) -> Mapping[str, object]:
    """Everything about one plugin; of its settings the names alone, since a value may be a secret."""
    stats = [row for row in host.stats() if row.plugin == found.name]
    brought = host.brought_by(found.name)
    plugin, fault = _imported(found)
    faults = [str(one) for one in host.faults if one.plugin == found.name]
    return {
        **_plugin_row(found, host, stats),
        "faults": faults or ([fault] if fault else []),
        "path": str(found.path),
        "summary": _summary(found.path),
        "settings": [one.encode_name for one in msgspec.structs.fields(plugin.settings)] if plugin else [],
        "brings": {hook.removeprefix("provd_"): list(names) for hook, names in brought.items()},
        "api": plugin.api if plugin else None,
    }


def _imported(found: Found) -> tuple[Plugin[Any] | None, str]:
    """The plugin, or None and why it cannot be had."""
    try:
        return found.plugin, ""
    except PluginError as error:
        return None, str(error)


def _summary(path: Path) -> str:
    file = path / "__init__.py" if path.is_dir() else path
    try:
        return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    except (OSError, ValueError, SyntaxError):
        return ""


def stat_row(row: Row) -> Mapping[str, object]:
    """Counters of one hook, times in milliseconds."""
    return {
        "plugin": row.plugin,
        "hook": row.hook,
        "calls": row.calls,
        "failures": row.failures,
        "slow": row.slow,
        "skipped": row.skipped,
        "mean_ms": round(row.total_s / row.calls * 1000, 4) if row.calls else 0.0,
        "p99_ms": round(row.p99_s * 1000, 4),
        "max_ms": round(row.max_s * 1000, 4),
        "breaker": row.breaker,
        "last_error": row.last_error,
    }
