"""``provd import``: a tree, an ISO image or a URL becomes a distro and a first profile."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from provd.cli.context import REFUSED, Context, config_option, example, for_machines, output_option, pass_context
from provd.cli.output import show, tell_faults

if TYPE_CHECKING:
    from provd.config.schema import ServerConfig
    from provd.media.recognise import Missed, Near

_EXAMPLES = (
    "provd import /srv/Rocky-9.4-x86_64-dvd.iso",
    "provd import /mnt --name lab-debian --dry-run",
    "provd import http://MIRROR/rocky/9/BaseOS/x86_64/os",
)


@click.command("import", epilog=example(*_EXAMPLES))
@click.argument("medium")
@click.option("--name", default="", help="Name of the distro and its profile; by default what was recognised.")
@click.option("--copy", is_flag=True, help="Copy an image that could be linked to where it is served from.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@config_option
@output_option
@pass_context
def import_(context: Context, medium: str, name: str, output: str, *, copy: bool, dry_run: bool) -> None:
    """Recognise MEDIUM (a directory, an ISO image, or a URL) and write a distro and a first profile for it.

    An image is served from inside: it is linked into the data directory where that is possible, else copied. A
    directory is copied unless it is there already. Of a URL only kernel and initial RAM disk are fetched. A running
    service reads the new files by itself. What is not recognised is explained, with a draft to complete on standard
    output.
    """
    from provd.config.errors import ConfigError
    from provd.media.distro_text import draft
    from provd.media.importing import Places, bring
    from provd.media.medium import MediumError, open_medium
    from provd.media.recognise import recognise
    from provd.plugin.errors import PluginError
    from provd.service.load import build_host, read

    for_machines()
    config = context.server_config()
    data = Path(config.data_dir)
    images, trees = _root(config, "source_iso") or data / "iso", _root(config, "source_http") or data / "tree"
    places = Places(data / "payload", images, trees, Path(config.site_dir))
    try:
        host = build_host(read(Path(context.config)), Path(context.config))
        tell_faults(host.faults)
        signatures = host.signatures.values()
        with closing(open_medium(medium)) as opened:
            found = recognise(opened, signatures)
            if isinstance(found, list):
                _explain(medium, found)
                _explain_plugins(config)
                text = draft(found, name or Path(medium).stem, opened.kind)
                if output == "table":
                    click.echo(text)
                else:
                    show({"medium": medium, "near": list(map(_near, found)), "draft": text}, output)
                sys.exit(REFUSED)
            with _Bar() as bar:
                done = bring(opened, found, name, places, bar.told, copy=copy, dry_run=dry_run)
    except (ConfigError, PluginError, MediumError, OSError) as error:
        raise click.ClickException(str(error)) from error
    told = {
        "name": done.name, "signature": found.signature.name, "version": found.version, "arch": found.arch,
        "note": found.signature.note,
        "files": [str(path) for path in done.files], "distro": done.distro, "profile": done.profile,
    }  # fmt: skip
    if output != "table":
        show(told, output)
        return
    click.echo(f"{medium} is {found.signature.name}, version {found.version}, {found.arch}")
    for path in done.files:
        click.echo(f"{'would write' if dry_run else 'wrote'} {path}")
    if found.signature.note:
        click.echo(found.signature.note)


def _near(near: Near) -> dict[str, object]:
    """One near miss as data."""
    missed = [{"file": one.rule.file, "wanted": _wanted(one), "saw": one.saw} for one in near.missed]
    return {"signature": near.signature.name, "kept": near.kept, "missed": missed}


def _wanted(missed: Missed) -> str:
    return missed.rule.why or missed.rule.match or "the file"


def _explain(medium: str, near: list[Near]) -> None:
    """Why it was not recognised, on standard error."""
    click.echo(f"{medium} was not recognised.", err=True)
    if not near:
        known = ".treeinfo, .disk/info, media.1, .alpine-release, a kernel"
        click.echo(f"  It has nothing that media are known by: {known}.", err=True)
    for one in near:
        click.echo(f"  near {one.signature.name}: {one.kept} of {one.kept + len(one.missed)} rules are kept", err=True)
        for missed in one.missed:
            click.echo(f"    {missed.rule.file}: {_wanted(missed)} is expected, {missed.saw}", err=True)


def _explain_plugins(config: ServerConfig) -> None:
    """What was not compared: media of installers that are not enabled."""
    from provd.shipped import shipped_dir

    known = (path.parent.name for path in shipped_dir("plugins").glob("*/signatures.toml"))
    if absent := sorted(name for name in known if name not in config.enabled):
        click.echo(f"  Not enabled, so their media are not known: {', '.join(absent)}.", err=True)


def _root(config: ServerConfig, plugin: str) -> Path | None:
    """The directory that the settings of an install source name; None for its place in the data directory."""
    root = config.plugins.get(plugin, {}).get("root")
    return Path(root) if isinstance(root, str) and root else None


class _Bar:
    """A bar on standard error while something is copied; silent where that is no terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._end()

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None

    def told(self, name: str, octets: int, whole: int) -> None:
        """One more piece of a file."""
        if not sys.stderr.isatty():
            return
        if name != self._name:
            self._end()
            self._name = name
            self._bar = click.progressbar(length=whole or octets, label=name, file=sys.stderr)
        if self._bar is not None:
            self._bar.update(octets)
