"""Disk images and the deployer that writes them: made on this machine, without a running service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from provd.cli.context import Context, config_option, example, for_machines, output_option, pass_context
from provd.cli.output import progress, show


@contextmanager
def _made() -> Iterator[Callable[[str, float], None]]:
    """Progress for something that is made; its failure is one sentence."""
    from provd.image.errors import ImageError

    for_machines()
    try:
        with progress() as report:
            yield report
    except ImageError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{where}{error.strerror or error}") from error


def _cache(context: Context) -> Path:
    return Path(context.server_config().data_dir) / "image"


def _deployer(context: Context) -> Path:
    return Path(context.server_config().data_dir) / "payload" / "deployer"


def _make_deployer(context: Context, *, firmware: tuple[str, ...] = (), refresh: bool = False) -> None:
    """Build the deployer, or find that it is up to date."""
    from provd.image.deployer.build import build_deployer

    place = _deployer(context)
    with _made() as report:
        payload = build_deployer(place, report, firmware=firmware, refresh=refresh)
    click.echo(f"deployer {payload.version} in {place}")


def _recipe_names(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from provd.image.recipe import RECIPES

    return sorted(name for name in RECIPES if name.startswith(incomplete))


@click.command("build", epilog=example("provd image build debian-12"))
@click.argument("name", shell_complete=_recipe_names)
@click.option("--refresh", is_flag=True, help="Build again although it is there.")
@config_option
@pass_context
def image_build(context: Context, name: str, *, refresh: bool) -> None:
    """Build the image NAME from packages, and the deployer that writes it."""
    from provd.image.build import build_image

    with _made() as report:
        manifest = build_image(name, _cache(context), report, refresh=refresh)
    click.echo(f"{manifest.name}: {manifest.raw_size} octets in {_cache(context) / manifest.name}")
    _make_deployer(context)


@click.command("import", epilog=example("provd image import noble.qcow2.xz --name ubuntu-24.04"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default="", help="Name of the image; the file's where it is not given.")
@config_option
@pass_context
def image_import(context: Context, file: Path, name: str) -> None:
    """Convert a disk image FILE (raw, qcow2, VMDK, VDI, VHDX; also xz, zstd or gzip) once, so that it can be served."""
    from provd.image.deployer.build import payload_paths
    from provd.image.importer import import_image

    with _made() as report:
        manifest = import_image(file, _cache(context), report, name=name)
    click.echo(f"{manifest.name}: {manifest.raw_size} octets in {_cache(context) / manifest.name}")
    if payload_paths(_deployer(context)) is None:  # an import works without any package archive, so it asks none
        _make_deployer(context)


@click.command("deployer", epilog=example("provd image deployer --refresh --firmware firmware-bnx2"))
@click.option("--refresh", is_flag=True, help="Build again although it is there.")
@click.option("--firmware", multiple=True, help="Debian package with firmware that a network card needs; repeatable.")
@config_option
@pass_context
def image_deployer(context: Context, *, refresh: bool, firmware: tuple[str, ...]) -> None:
    """Build the small system that writes images: a Debian kernel and a RAM disk."""
    _make_deployer(context, firmware=firmware, refresh=refresh or bool(firmware))


@click.command("disks", epilog=example("provd image disks"))
@config_option
@output_option
@pass_context
def image_disks(context: Context, output: str) -> None:
    """List the disk images that were built or imported on this machine, for the image installer."""
    from provd.image.library import list_images, stored_size

    cache = _cache(context)
    rows = [
        {"name": one.name, "raw_size": one.raw_size, "stored": stored_size(cache, one), "created": one.created}
        for one in list_images(cache)
    ]
    show(rows, output, noun="image")
