"""``provd bundle``: what somebody who helps needs to see, without secrets, in one archive."""

from __future__ import annotations

import io
import json
import platform
import tarfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import click

from provd.cli.context import Context, config_option, example, output_option, pass_context
from provd.cli.output import show, waiting

_ASKED: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("status", {}), ("check", {}), ("plugin.list", {}), ("plugin.stats", {}), ("trigger.list", {}),
    ("trigger.runs", {"limit": 100}), ("boots", {"limit": 100}), ("held.list", {}), ("queue.list", {}),
    ("unknown.list", {}),
)  # fmt: skip
_TRACES: Final = 10
"""Newest boots whose whole timeline is in it."""


@click.command(epilog=example("provd bundle", "provd bundle /tmp/provd.tar.gz"))
@click.argument("archive", required=False, type=click.Path(dir_okay=False, path_type=Path))
@config_option
@output_option
@pass_context
def bundle(context: Context, archive: Path | None, output: str) -> None:
    """Write an archive for whoever helps: configuration, state, plugins, the newest boots, without secrets.

    Passwords, keys and tokens are masked. What the running service cannot be asked is left out, and said.
    """
    target = archive or Path(f"provd-bundle-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz")
    if target.exists():
        raise click.ClickException(f"{target} is there already")
    try:
        with waiting("it is gathered"), target.open("xb") as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
            names = [_put(tar, name, text) for name, text in _parts(context)]
    except OSError as error:
        raise click.ClickException(f"{target}: {error.strerror or error}") from error
    target.chmod(0o600)
    show({"archive": str(target), "parts": names}, output)


def _put(tar: tarfile.TarFile, name: str, text: str) -> str:
    octets = text.encode("utf-8", "replace")
    info = tarfile.TarInfo(f"provd-bundle/{name}")
    info.size, info.mode = len(octets), 0o600
    tar.addfile(info, io.BytesIO(octets))
    return name


def _parts(context: Context) -> Iterator[tuple[str, str]]:
    yield (
        "system.json",
        _json(
            {
                "provd": metadata.version("provd"),
                "python": platform.python_version(),
                "system": platform.platform(),
                "packages": {one.name: one.version for one in metadata.distributions()},
            }
        ),
    )
    yield "provd.toml", _configuration(Path(context.config))
    yield from _answers(context)


def _configuration(file: Path) -> str:
    """The configuration with its secrets masked; comments are left out, for they may hold anything."""
    import tomlkit

    from provd.config import toml
    from provd.config.errors import ConfigError
    from provd.plugin.scrub import scrub_value

    try:
        return tomlkit.dumps(dict(scrub_value(toml.read(file))))  # type: ignore[call-overload]
    except ConfigError as error:
        return f"# {error}\n"


def _answers(context: Context) -> Iterator[tuple[str, str]]:
    from provd.api.client import ApiError, NotReachableError

    sessions: list[dict[str, Any]] = []
    for operation, arguments in _ASKED:
        try:
            told = context.client.call(operation, arguments)
        except (NotReachableError, click.ClickException) as error:
            # nobody answers, or the configuration that would say where is broken
            yield "not-asked.txt", f"{error}\n"
            return
        except ApiError as error:
            told = {"error": str(error)}
        if operation == "boots":
            sessions = told
        yield f"{operation}.json", _json(told)
    for one in sessions[:_TRACES]:
        try:
            told = context.client.call("trace", {"system": one["mac"], "session": one["session"]})
        except ApiError as error:
            told = {"error": str(error)}
        yield f"boots/{one['session']}.json", _json(told)


def _json(value: object) -> str:
    from provd.plugin.scrub import scrub_value

    return json.dumps(scrub_value(value), indent=1, sort_keys=True, default=str) + "\n"
