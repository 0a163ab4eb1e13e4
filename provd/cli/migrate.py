"""``provd migrate``: brings the data of another server over; it needs no running service."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from provd.cli.context import Context, example, local_only, output_option
from provd.cli.groups import Group
from provd.cli.output import show


@click.group(cls=Group, epilog=example("provd migrate cobbler /var/lib/cobbler --to site"))
def migrate() -> None:
    """Bring the data of another server over."""


@migrate.command(epilog=example("provd migrate cobbler /var/lib/cobbler --to site"))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--to", "target", default="cobbler-site", help="Directory that is made for the files.")
@output_option
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
def cobbler(folder: Path, target: str, output: str, *, dry_run: bool) -> None:
    """Read Cobbler's collections (2.8, 3.0 to 3.3) in FOLDER and write distros, profiles and systems."""
    from provd.api.cobbler.migration import Migration
    from provd.api.cobbler.migration import migrate as work

    if (context := click.get_current_context().find_object(Context)) is not None:
        local_only(context, "provd migrate")
    if Path(target).exists() and not dry_run:
        raise click.ClickException(f"{target} is there already, and nothing is overwritten; name another with --to")
    if not folder.is_dir():
        raise click.ClickException(f"{folder} is no directory with Cobbler's collections")
    try:
        found: Migration = work(folder)
        if not dry_run:
            _write(Path(target), found)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    if output != "table":
        show({"counts": found.counts, "rows": [asdict(row) for row in found.rows]}, output)
    else:
        for row in found.rows:
            click.echo(f"{row.outcome:<9} {row.kind} {row.name} {row.attribute}: {row.reason}".replace(" : ", ": "))
        told = ", ".join(f"{number} {kind}s" for kind, number in found.counts.items())
        click.echo(f"{told}; {len(found.rows)} things did not map to keys of provd")
    if unread := sum(row.outcome == "unread" for row in found.rows):
        what = "collection or file" if unread == 1 else "collections or files"
        raise click.ClickException(f"{unread} {what} could not be read: what they hold is missing")


def _write(target: Path, found: object) -> None:
    """Write into a directory that is not there yet, so that nothing is overwritten.

    Raises:
        OSError: it is there, or cannot be written.
    """
    from provd.api.cobbler.migration import Migration

    assert isinstance(found, Migration)  # noqa: S101
    target.mkdir(parents=True, mode=0o700)
    for name, text in found.files.items():
        path = target / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if found.systems:
        (target / "systems.toml").write_text(found.systems, encoding="utf-8")
