"""Servers of others that run beside provd: ``provd daemon``. They are started by root or by systemd, never by provd."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from provd.cli.context import Context, config_option, example, local_only, output_option, pass_context
from provd.cli.groups import Group
from provd.cli.output import show, tell_faults
from provd.plugin.contract import Daemon

_RUN_FOLDER = "/run/provd-{name}"


@click.group(cls=Group, epilog=example("provd daemon list", "provd daemon run nfs"))
def daemon() -> None:
    """Servers that plugins want beside provd, as nfs-ganesha; each runs with rights of its own."""


@daemon.command("list", epilog=example("provd daemon list", "provd daemon list -o json"))
@config_option
@output_option
@pass_context
def list_(context: Context, output: str) -> None:
    """List what enabled plugins want to run."""
    with _daemons(context) as found:
        rows = [{"name": one.name, "summary": one.summary, "program": one.argv[0]} for one in found.values()]
    show(rows, output, noun="daemon")


@daemon.command("config", epilog=example("provd daemon config nfs"))
@click.argument("name")
@click.option("--write", is_flag=True, help="Write it where a running one reads it, then send it SIGHUP yourself.")
@click.option("--folder", default="", help="Instead of /run/provd-NAME.")
@config_option
@pass_context
def config(context: Context, name: str, folder: str, *, write: bool) -> None:
    """Print the configuration that it would run with."""
    one = _named(context, name)
    if write:
        _write(one, _place(one, folder))
        return
    for file, text in one.configuration.items():
        click.echo(f"# {file}\n{text}", nl=False)


@daemon.command("run", epilog=example("provd daemon run nfs"))
@click.argument("name")
@click.option("--folder", default="", help="For its configuration, instead of /run/provd-NAME.")
@config_option
@pass_context
def run(context: Context, name: str, folder: str) -> None:
    """Write the configuration and become the program, as a unit of systemd does (see systemd/provd-nfs.service).

    Signals go to the program. It keeps the rights of whoever calls this, root as a rule.
    """
    one = _named(context, name)
    place = _place(one, folder)
    _write(one, place)
    argv = [word.replace("{folder}", str(place)) for word in one.argv]
    try:
        os.execv(argv[0], argv)  # noqa: S606  no shell is what is wanted
    except OSError as error:
        raise click.ClickException(f"{argv[0]}: {error.strerror}") from error


@contextmanager
def _daemons(context: Context) -> Iterator[Mapping[str, Daemon]]:
    from provd.config.errors import ConfigError
    from provd.service.load import build_host, read

    local_only(context, "provd daemon")
    path = Path(context.config)
    try:
        host = build_host(read(path), path)
    except (ConfigError, OSError) as error:
        raise click.ClickException(str(error)) from error
    tell_faults(host.faults)
    try:
        yield host.daemons
    finally:
        host.close()


def _named(context: Context, name: str) -> Daemon:
    with _daemons(context) as found:
        if name not in found:
            known = ", ".join(found) or "none"
            raise click.ClickException(f"no enabled plugin wants a daemon {name!r} with its settings; known: {known}")
        return found[name]


def _place(one: Daemon, folder: str) -> Path:
    return Path(folder or _RUN_FOLDER.format(name=one.name)).absolute()


def _write(one: Daemon, place: Path) -> None:
    try:
        for path in (place, *map(Path, one.folders)):
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
        for file, text in one.configuration.items():
            new = place / f".{file}.new"
            new.write_text(text)
            new.rename(place / file)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
