"""Operations on the service itself: status, check, reload."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from provd.plugin.contract import Operation
from provd.service.operations import Arguments, DryRun, NoArguments, OperationError


class Reload(Arguments, frozen=True):
    """How changed files are applied."""

    dry_run: DryRun = False


def server_operations(
    *,
    status: Callable[[], Mapping[str, object]],
    problems: Callable[[], Sequence[str]],
    reload: Callable[[bool], object | Awaitable[object]],
) -> tuple[Operation, ...]:
    """``status``, ``check`` and ``reload``.

    Args:
        status: facts about the running service: version, uptime, listeners, counts.
        problems: everything that is wrong now, one sentence each.
        reload: applies changed files (True: only says what it would do); its result has ``applied``,
            ``error``, ``left`` and ``problems``, or is awaited for a value that has.
    """

    def run_status(_arguments: object) -> object:
        return {**status(), "problems": len(problems())}

    def run_check(_arguments: object) -> object:
        found = list(problems())
        return {"ok": not found, "problems": found}

    async def run_reload(arguments: Reload) -> object:
        return await _reloaded(lambda: reload(arguments.dry_run))

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
    )


async def _reloaded(reload: Callable[[], object | Awaitable[object]]) -> object:
    report = reload()
    if isinstance(report, Awaitable):
        report = await report
    if getattr(report, "error", ""):
        raise OperationError(f"the running configuration stays: {getattr(report, 'error', '')}")
    return report
