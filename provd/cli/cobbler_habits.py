"""Options and commands that users of Cobbler type without thinking; none of them is shown in the help of a command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, Final

import click

from provd.cli.arguments import Argument, pair
from provd.cli.context import Context, example, sentences, service_parameters
from provd.cli.names import name_completer

_LISTS: Final = {"kernel_args": ("--kernel-options", "--kopts")}
"""Lists that Cobbler writes as one text: ``--kernel-options="a b=c"``."""

_TABLES: Final = {"vars": ("--autoinstall-meta", "--ksmeta")}
"""Tables that Cobbler writes as one text: ``--autoinstall-meta="a=b c=d"``."""


def hidden_options(arguments: Sequence[Argument]) -> list[click.Parameter]:
    """Options for those arguments of an operation that Cobbler calls and writes otherwise."""
    known = {one.name for one in arguments}
    return [
        click.Option([*flags, f"cobbler_{name}"], multiple=True, hidden=True)
        for name, flags in {**_LISTS, **_TABLES}.items()
        if name in known
    ]


def take(values: dict[str, Any], given: dict[str, Any]) -> None:
    """Put what these options say into the arguments of an operation.

    Raises:
        click.BadParameter: a text whose quotes do not end, or an entry of a table without a value.
    """
    for name, flags in _LISTS.items():
        for text in given.get(f"cobbler_{name}") or ():
            values[name] = [*values.get(name, ()), *_words(text, flags[0])]
    for name, flags in _TABLES.items():
        for text in given.get(f"cobbler_{name}") or ():
            values[name] = {**values.get(name, {}), **dict(pair(one, flags[0]) for one in _words(text, flags[0]))}


def _words(text: str, flag: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint=flag) from error


def autoinstall_command(kind: str) -> click.Command:
    """``KIND get-autoinstall NAME``: the answer file alone."""

    @sentences
    def get(words: tuple[str, ...], named: str | None) -> None:
        names = [*words, *([named] if named else [])]
        if len(names) != 1:
            raise click.UsageError("Missing argument 'NAME'." if not names else "one NAME is expected")
        context = click.get_current_context().ensure_object(Context)
        text = str(context.client.call("answer.preview", {kind: names[0]})["text"])
        click.echo(text, nl=not text.endswith("\n"))

    completer = name_completer("name", kind)
    parameters: list[click.Parameter] = [
        click.Argument(["words"], nargs=-1, metavar="NAME", shell_complete=completer),
        click.Option(["--name", "named"], help="The same as NAME.", shell_complete=completer),
        *service_parameters(),
    ]
    text = f"Print the answer file of a {kind}, secrets and tokens masked."
    line = f"provd {kind} get-autoinstall --name {'web1' if kind == 'system' else 'debian-12-server'}"
    return click.Command("get-autoinstall", callback=get, params=parameters, help=text, epilog=example(line))
