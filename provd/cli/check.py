"""The command ``provd check``: files and ports, firewall rules, other DHCP servers."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from provd.cli.context import (
    REFUSED,
    Context,
    config_option,
    example,
    local_only,
    output_option,
    pass_context,
    sentences,
)
from provd.cli.groups import Group
from provd.cli.output import show, waiting

_ROGUE_COLUMNS = ("interface", "server", "mac", "how", "offers", "verdict", "last_at")


@click.group(
    cls=Group,
    invoke_without_command=True,
    epilog=example("provd check", "provd check --config ./provd.toml", "provd check service", "provd check rogue"),
)
@config_option
@output_option
@click.pass_context
def check(ctx: click.Context, output: str) -> None:
    """Check configuration, plugins, distros, profiles, declared systems, boot files and ports, without a service.

    Systems that were added by commands are checked by the running service: provd check service.
    """
    if ctx.invoked_subcommand is not None:
        return
    local_only(ctx.ensure_object(Context), "provd check")
    from provd.cli.preflight import preflight

    findings = preflight(Path(ctx.ensure_object(Context).config))
    show([{"level": one.level, "text": one.text} for one in findings], output, noun="check")
    if any(one.level == "error" for one in findings):
        sys.exit(REFUSED)


@check.command("service", epilog=example("provd check service", "provd check service -o json"))
@output_option
@pass_context
@sentences
def check_service(context: Context, output: str) -> None:
    """List what is wrong in the running service; exit code 1 where something is."""
    found = context.client.call("check")
    if output == "table":
        click.echo("\n".join(found["problems"]) or "nothing is wrong")
    else:
        show(found, output)
    if not found["ok"]:
        sys.exit(REFUSED)


@check.command("firewall", epilog=example("provd check firewall > provd.nft", "provd check firewall --selinux"))
@click.option("--table", default="inet filter", show_default=True, help="Family and table that the rules go to.")
@click.option("--chain", default="input", show_default=True, help="Chain that the rules are put in front of.")
@click.option("--selinux", is_flag=True, help="Print semanage commands instead of nftables rules.")
@config_option
@output_option
@pass_context
def check_firewall(context: Context, table: str, chain: str, output: str, *, selinux: bool) -> None:
    """Print firewall rules for the configured interfaces and ports, ready to load with nft.

    Table and chain are made where they are missing; the rules stand in front of what is there. SELinux and a firewall
    can stay on: these ports are all that machines must reach.
    """
    from provd.cli.firewall import nftables, openings, semanage

    local_only(context, "provd check firewall")

    config = context.server_config()
    if output != "table":
        rows = [
            {
                "service": one.service,
                "port": one.port,
                "protocol": one.protocol,
                "interfaces": list(one.interfaces),
                "selinux_type": one.selinux_type,
            }
            for one in openings(config)
        ]
        show({"ports": rows, "nftables": nftables(config, table, chain), "selinux": semanage(config)}, output)
    elif selinux:
        click.echo("\n".join(semanage(config)))
    else:
        click.echo(nftables(config, table, chain), nl=False)


@check.command("rogue", epilog=example("provd check rogue", "provd check rogue -o json"))
@config_option
@output_option
@pass_context
@sentences
def check_rogue(context: Context, output: str) -> None:
    """Ask every interface for other DHCP servers; exit code 1 where one is a surprise.

    The running service asks; where none runs, this command does (root). A server that answers keeps the address it
    offered back for a while; nothing else happens to it. Servers in `allow` of `[rogue]` and the one that gives the
    addresses of a subnet of mode `proxy` are no surprise.
    """
    from provd.api.client import NotReachableError

    try:
        with waiting("asking every interface"):
            found = context.client.call("rogue.check")
    except NotReachableError:
        local_only(context, "provd check rogue")
        found = _ask_here(context)
    if output != "table":
        show(found, output)
    else:
        click.echo(f"asked on {', '.join(found['interfaces']) or 'no interface'}", err=True)
        show(found["servers"], output, _ROGUE_COLUMNS)
    if any(row["verdict"] == "rogue" for row in found["servers"]):
        sys.exit(REFUSED)


def _ask_here(context: Context) -> dict[str, Any]:
    """Ask from this process.

    Raises:
        click.ClickException: no interface can be asked.
    """
    from provd.config.checks import allowed_servers
    from provd.core.rogue import KnownServers, Peers
    from provd.net.dhcp_kernel import LinuxKernel
    from provd.net.rogue import ask_once
    from provd.service.rogue import row

    config = context.server_config()
    names = [interface.name for interface in config.interfaces]
    with closing(LinuxKernel()) as kernel:
        links = [link for name in names if (link := kernel.link(name)) is not None]
    own = {address for link in links for address in link.addresses}
    proxied = [subnet.network for subnet in config.subnets if subnet.mode == "proxy"]
    known = KnownServers(Peers(own, *allowed_servers(config), proxied))
    click.echo(f"no service runs; waiting {config.rogue.wait_s} s for answers", err=True)
    sightings, faults = ask_once(names, config.rogue.wait_s)
    if faults and len(faults) == len(names):
        raise click.ClickException("; ".join(faults))
    for fault in faults:
        click.echo(fault, err=True)
    now = time.monotonic()
    for sighting in sightings:
        known.saw(sighting, now)
    wall = time.time  # noqa: TID251  a command has the clock of its own process
    asked = [name for name in names if not any(f"interface {name} " in fault for fault in faults)]
    return {"interfaces": asked, "servers": [row(seen, wall, now) for seen in known.rows()]}
