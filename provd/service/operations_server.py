"""Operations on the service itself: status, check, reload, plugins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated

from msgspec import Meta

from provd.plugin.contract import Operation
from provd.plugin.guard import Row
from provd.plugin.loading import Found
from provd.service.operations import Arguments, NoArguments, OperationError


class Reload(Arguments, frozen=True):
    """How changed files are applied."""

    dry_run: Annotated[bool, Meta(description="Tell what would be done, and do nothing.")] = False


def server_operations(
    *,
    status: Callable[[], Mapping[str, object]],
    problems: Callable[[], Sequence[str]],
    reload: Callable[[bool], object | Awaitable[object]],
    plugins: Callable[[], Sequence[Mapping[str, object]]],
) -> tuple[Operation, ...]:
    """``status``, ``check``, ``reload`` and ``plugin.list``.

    Args:
        status: facts about the running service: version, uptime, listeners, counts.
        problems: everything that is wrong now, one sentence each.
        reload: applies changed files (True: only says what it would do); its result has ``applied``,
            ``error``, ``left`` and ``problems``, or is awaited for a value that has.
        plugins: one row per plugin that was found.
    """

    def run_status(_arguments: object) -> object:
        return {**status(), "problems": len(problems())}

    def run_check(_arguments: object) -> object:
        found = list(problems())
        return {"ok": not found, "problems": found}

    async def run_reload(arguments: Reload) -> object:
        return await _reloaded(lambda: reload(arguments.dry_run))

    def run_plugins(_arguments: object) -> object:
        return list(plugins())

    listed = "List plugins with origin, version and counters."
    return (
        Operation(
            "status",
            "Show what the service is doing.",
            "read",
            NoArguments,
            run_status,
            "provd status",
            result="Version, uptime, interfaces, counters, number of problems.",
        ),
        Operation(
            "check",
            "List what is wrong in the running service.",
            "read",
            NoArguments,
            run_check,
            "provd check service",
            result="`ok`, and `problems`: one sentence each.",
        ),
        Operation(
            "reload",
            "Apply changed files; where one is wrong, everything stays as it was.",
            "admin",
            Reload,
            run_reload,
            "provd reload",
            result="`applied`, `left`: keys that need a restart, `problems`.",
        ),
        Operation(
            "plugin.list",
            listed,
            "read",
            NoArguments,
            run_plugins,
            "provd plugin list",
            result="One row per plugin: enabled, origin, version, hooks, counters.",
        ),
    )


async def _reloaded(reload: Callable[[], object | Awaitable[object]]) -> object:
    report = reload()
    if isinstance(report, Awaitable):
        report = await report
    if getattr(report, "error", ""):
        raise OperationError(f"the running configuration stays: {getattr(report, 'error', '')}")
    return report


def plugin_rows(
    found: Mapping[str, Found], enabled: Sequence[str], hooks: Callable[[str], Sequence[str]], stats: Sequence[Row]
) -> list[Mapping[str, object]]:
    """Rows of ``plugin.list``: the enabled ones in their order, then the others by name.

    Args:
        found: discovered plugins by name.
        enabled: names in the order in which they are asked.
        hooks: hooks that an enabled plugin implements.
        stats: counters per plugin and hook.
    """
    order = [name for name in enabled if name in found]
    order += sorted(name for name in found if name not in enabled)
    return [
        _plugin_row(
            found[name],
            enabled=name in enabled,
            hooks=hooks(name) if name in enabled else (),
            stats=[row for row in stats if row.plugin == name],
        )
        for name in order
    ]


def _plugin_row(found: Found, *, enabled: bool, hooks: Sequence[str], stats: Sequence[Row]) -> Mapping[str, object]:
    return {
        "name": found.name,
        "enabled": enabled,
        "origin": found.origin,
        "version": found.version,
        "sha256": found.sha256,
        "hooks": list(hooks),
        "calls": sum(row.calls for row in stats),
        "failures": sum(row.failures for row in stats),
        "breaker": next((row.breaker for row in stats if row.breaker != "closed"), "closed"),
        "last_error": next((row.last_error for row in stats if row.last_error), ""),
    }
