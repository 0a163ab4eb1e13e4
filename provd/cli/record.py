"""The command ``provd record``: a machine's packets in a file that ``provd replay`` and Wireshark read."""

from __future__ import annotations

import os
import time
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from provd.cli.context import Context, example, output_option, pass_context, sentences
from provd.cli.names import name_completer
from provd.cli.output import show

_LOOK_S = 1.0
_AFTER_S = 3.0
"""Seconds that are still recorded after the end of a boot."""


@click.command(epilog=example("provd record web1", "provd record 52:54:00:12:34:56 boot.pcapng --seconds 120"))
@click.argument("system", shell_complete=name_completer("system"))
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--seconds", default=1800, show_default=True, type=click.IntRange(1, 86400), help="End after so long.")
@output_option
@pass_context
@sentences
def record(context: Context, system: str, file: Path | None, seconds: int, output: str) -> None:
    """Keep the DHCP packets and TFTP requests of SYSTEM (name or MAC) in FILE, until its boot ends or you press Ctrl-C.

    The file (pcapng) can be looked at with Wireshark, and run against a changed configuration: provd replay FILE.
    """
    target = file or Path(f"{system.replace(':', '-').replace('/', '-')}-{time.strftime('%Y%m%d-%H%M%S')}.pcapng")
    if target.exists():
        raise click.ClickException(f"{target} is there already")
    if not os.access(target.parent, os.W_OK):
        raise click.ClickException(f"{target.parent} is no directory that can be written to")
    begun = context.client.call("recording.begin", {"system": system, "seconds": seconds})
    click.echo(f"recording {', '.join(begun['macs'])}; boot the machine; Ctrl-C ends", err=True)
    name = {"name": begun["name"]}
    with suppress(KeyboardInterrupt):
        _wait(context, name, seconds)
    told = context.client.call("recording.end", name)
    try:
        with target.open("xb") as opened:
            opened.write(b64decode(told["pcapng"]))
    except OSError as error:
        raise click.ClickException(f"{target}: {error.strerror or error}") from error
    if told["full"]:
        click.echo("there were more packets than a recording keeps; the last ones are missing", err=True)
    show({"file": str(target), "packets": told["packets"]}, output)


def _wait(context: Context, name: dict[str, Any], seconds: int) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(_LOOK_S)
        if context.client.call("recording.show", name)["over"]:
            time.sleep(_AFTER_S)
            return
