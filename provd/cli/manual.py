"""Manual pages (man(7)), one for each command, made from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click

from provd.cli.context import CODES, DEFAULT_CONFIG, DEFAULT_SOCKET, example

_EXAMPLE = "Example:"


def _escape(text: str) -> str:
    """Text for roff: backslashes, hyphens that may be copied, and a dot or quote at the start of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def page(ctx: click.Context) -> str:
    """The page of the command of a context."""
    command, words = ctx.command, ctx.command_path.split()
    summary = command.get_short_help_str(limit=200).rstrip(".")
    lines = [
        f'.TH "{"-".join(words).upper()}" 1 "" "provd {metadata.version("provd")}" "provd"',
        ".ad l",
        ".nh",
        ".SH NAME",
        f"{_escape('-'.join(words))} \\- {_escape(summary[:1].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        f".B {_escape(ctx.command_path)}",
        _escape(" ".join(command.collect_usage_pieces(ctx))),
        ".SH DESCRIPTION",
        *_paragraphs(command.help or ""),
        *_options(ctx),
        *_commands(ctx),
        *_examples(command),
        ".SH EXIT STATUS",
    ]
    for code, meaning in CODES.items():
        lines += [".TP", f".B {code}", _escape(meaning)]
    lines += [".SH FILES", ".TP", f".I {DEFAULT_CONFIG}", "Configuration."]
    lines += [".TP", f".I {DEFAULT_SOCKET}", "Local socket of the service.", *_see_also(ctx)]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> Iterator[str]:
    for number, part in enumerate(re.split(r"\n\s*\n", text.replace("\b", "").strip())):
        if number:
            yield ".PP"
        yield _escape(" ".join(part.split()))


def _options(ctx: click.Context) -> Iterator[str]:
    options = [one for one in ctx.command.get_params(ctx) if isinstance(one, click.Option)]
    records = [record for one in options if (record := one.get_help_record(ctx))]
    if records:
        yield ".SH OPTIONS"
    for names, text in records:
        yield from (".TP", f".B {_escape(names)}", _escape(" ".join(text.split())) or "\\&")


def _children(ctx: click.Context) -> Iterator[click.Context]:
    if not isinstance(ctx.command, click.Group):
        return
    for name in ctx.command.list_commands(ctx):
        command = ctx.command.get_command(ctx, name)
        if command is not None and not command.hidden:
            yield click.Context(command, parent=ctx, info_name=name)


def _name(ctx: click.Context) -> str:
    return "-".join(ctx.command_path.split())


def _commands(ctx: click.Context) -> Iterator[str]:
    for number, child in enumerate(_children(ctx)):
        if not number:
            yield ".SH COMMANDS"
        yield from (".TP", f".BR {_escape(_name(child))} (1)", _escape(child.command.get_short_help_str(limit=200)))


def _examples(command: click.Command) -> Iterator[str]:
    lines = (command.epilog or "").partition(_EXAMPLE)[2].strip().splitlines()
    if lines:
        yield from (".SH EXAMPLES", ".nf", *(_escape(line.strip()) for line in lines), ".fi")


def _see_also(ctx: click.Context) -> Iterator[str]:
    if ctx.parent is not None:
        yield from (".SH SEE ALSO", f".BR {_escape(_name(ctx.parent))} (1)")


def pages(ctx: click.Context) -> Iterator[tuple[str, str]]:
    """File name and text of the page of a command and of every command below it."""
    yield f"{_name(ctx)}.1", page(ctx)
    for child in _children(ctx):
        yield from pages(child)


@click.command(epilog=example("provd man /usr/local/share/man/man1"))
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def man(ctx: click.Context, directory: Path) -> None:
    """Write the manual pages, one for each command, into DIRECTORY."""
    root = ctx.find_root()
    made = click.Context(root.command, info_name="provd", obj=root.obj, help_option_names=root.help_option_names)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        count = 0
        for count, (name, text) in enumerate(pages(made), 1):  # noqa: B007  the last one is the number of pages
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} pages in {directory}")
