"""The command ``provd plan``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provd.cli.context import Context, config_option, example, output_option, pass_context
from provd.cli.output import show, tell_faults, waiting

if TYPE_CHECKING:
    from provd.planning.outcome import Side
    from provd.planning.plan import Change

CHANGED = 2
"""Exit code where a machine would get something else."""


systems_option = click.option(
    "--systems", type=click.Path(dir_okay=False, path_type=Path),
    help="Machines of the store as provd system export wrote them, beside those of files.",
)  # fmt: skip
"""Machines that a configuration in memory has beside its own."""


@click.command(
    epilog=example("provd plan ./changed-site", "provd plan --rev HEAD", "provd plan --rev main --systems all.toml")
)
@click.argument("changed", required=False, type=click.Path(path_type=Path))
@click.option("--rev", default="", help="Git revision of the site's directory that counts as what there is now.")
@systems_option
@config_option
@output_option
@pass_context
def plan(context: Context, changed: Path | None, rev: str, systems: Path | None, output: str) -> None:
    """Show what every machine would get otherwise: loader, options, kernel arguments, answers.

    CHANGED is a changed copy of the site's directory, compared with the configured one. With --rev the configured one
    is the changed one, compared with a git revision of itself. Nothing is sent, stored or changed. Exit code 0: no
    machine would notice; 1: a side is broken or there is no machine, nothing was compared; 2: some would, or wrong
    usage, which prints nothing on standard output.
    """
    from provd.config.errors import ConfigError
    from provd.plugin.errors import PluginError

    if bool(changed) == bool(rev):
        raise click.UsageError("either a changed directory or --rev is expected")
    config = context.server_config()
    site = Path(config.site_dir)
    try:
        with _revision(site, rev) if rev else _as_it_is(site) as before, waiting("both are compared") as _tell:
            found = _compared(Path(context.config), before, changed or site, systems)
    except (ConfigError, PluginError, OSError) as error:
        raise click.ClickException(str(error)) from error
    _print(found, output)
    if found:
        sys.exit(CHANGED)


def _compared(config: Path, before: Path, after: Path, systems: Path | None) -> list[Change]:
    from provd.config.errors import ConfigError
    from provd.config.system_document import exported
    from provd.planning.plan import declared, plan

    if not after.is_dir():
        raise NotADirectoryError(f"{after} is no directory")
    stored = {one.name: one for one in exported(systems)} if systems else {}
    old, new = _side(config, before), _side(config, after)
    here, there = {**stored, **declared(old)}, {**stored, **declared(new)}
    if not here and not there:
        raise ConfigError("", "", "there is no machine to look at: those of the store come with --systems")
    return plan(old, new, here, there)


def _side(config: Path, site: Path) -> Side:
    """A provd in memory with this site.

    Raises:
        ConfigError: an object of it is broken: its machines would silently be missing from the comparison.
    """
    from provd.config.errors import ConfigError
    from provd.planning.outcome import Side
    from provd.testing.world import MemoryServer

    server = MemoryServer(config, "192.0.2.1", "eth0", site=site)
    tell_faults(server.services.host.faults)
    problems = server.loaded.catalogue.problems
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigError("", "", f"{problems[0]}{more}: nothing was compared")
    return Side(server, str(site))


@contextmanager
def _as_it_is(site: Path) -> Iterator[Path]:
    yield site


@contextmanager
def _revision(site: Path, rev: str) -> Iterator[Path]:
    """The site's directory as it was in a revision, in a folder of its own."""
    git = shutil.which("git")
    if git is None:
        raise click.ClickException("--rev needs git")
    if rev.startswith("-"):
        raise click.ClickException(f"{rev!r} is no revision")
    with tempfile.TemporaryDirectory(prefix="provd-plan-") as folder:
        archive = Path(folder) / "site.tar"
        # "./": of a repository that holds more than the site, the site alone
        command = [git, "-C", str(site), "archive", "--format=tar", "-o", str(archive), rev, "./"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            # Its first line says what is wrong; others what may be done, or how far it has looked.
            said = " ".join(done.stderr.split()).removeprefix("fatal: ") or "git failed"
            raise click.ClickException(f"{site} at {rev}: {said}")
        place = Path(folder) / "site"
        place.mkdir()
        shutil.unpack_archive(archive, place, filter="data")
        yield place


def _print(found: list[Change], output: str) -> None:
    if output != "table":
        show([{"kind": one.kind, "systems": one.systems, "lines": one.lines} for one in found], output, noun="plan")
        return
    for one in found:
        names = ", ".join(one.systems[:8]) + (f" and {len(one.systems) - 8} more" if len(one.systems) > 8 else "")
        click.echo(f"{one.kind}: {names}")
        for line in one.lines:
            click.echo(f"    {line}")
    touched = sum(len(one.systems) for one in found)
    many = "1 machine" if touched == 1 else f"{touched} machines"
    click.echo(f"{many} would notice" if found else "no machine would notice")
