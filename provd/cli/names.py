"""Names of objects for the completion of a shell: asked of the service, quickly, and nothing where that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from provd.cli.context import Context

MOST: Final = 200
"""Names that are offered at once; a longer prefix brings others."""

KINDS: Final = ("distro", "profile", "system", "repo", "image", "menu", "template")
_OF_ARGUMENT: Final[Mapping[str, str]] = {
    **{kind: kind for kind in KINDS},
    "repos": "repo",
    "user": "user",
    "owners": "user",
}
_LISTED: Final[Mapping[str, tuple[str, str]]] = {"user": ("user.list", "name"), "token": ("token.list", "key")}

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def name_completer(argument: str, noun: str = "") -> Completer | None:
    """Completes the names that an argument of an operation may have; None where that is nothing the service names.

    Args:
        argument: the argument's key; ``name`` means the noun.
        noun: first part of the operation's name.
    """
    kind = noun if argument in {"name", "key"} else _OF_ARGUMENT.get(argument, "")
    if argument == "parent":
        kind = noun
    if argument == "image":  # of a distro: a disk image, which is no object of the service
        kind = ""
    if kind not in KINDS and kind not in _LISTED:
        return None

    def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in names(ctx, kind, incomplete)]

    return complete


def names(ctx: click.Context, kind: str, incomplete: str) -> list[str]:
    """Names of objects that begin with a text; none where the service cannot be asked."""
    context = ctx.find_object(Context)
    if context is None:
        return []
    try:
        context.take(ctx.find_root().params)
        return [name for name in _asked(context, kind, incomplete) if name.startswith(incomplete)]
    except Exception:  # noqa: BLE001  a completion says nothing, whatever happened
        return []


def _asked(context: Context, kind: str, incomplete: str) -> list[str]:
    if kind in _LISTED:
        operation, key = _LISTED[kind]
        rows: Any = context.client.call(operation)
        return [str(row[key]) for row in rows]
    pattern = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in incomplete) + "*"
    rows = context.client.call(f"{kind}.find", {"where": {"name": pattern}, "limit": MOST})
    return [str(row["name"]) for row in rows]
