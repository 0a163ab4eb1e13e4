"""Commands on leases."""

from __future__ import annotations

import click

from provd.cli.context import Context, binding_output_option, example, output_option, pass_context, sentences
from provd.cli.output import show

_COLUMNS = ("address", "mac", "system", "hostname", "subnet", "state", "expires_at", "relay", "circuit_id")
_STATES = ("bound", "expired", "released", "declined")


@click.command(
    "list",
    epilog=example(
        "provd lease list -o csv",
        "provd lease list --circuit-id ge-0/0/7 --state bound",
        "provd lease list --abandoned",
    ),
)
@click.option("--subnet", default="", help="Only those of one subnet.")
@click.option("--mac", default="", help="Only that of one hardware address.")
@click.option("--system", default="", help="Only those of one machine.")
@click.option("--state", default="", type=click.Choice(["", *_STATES]), help="Only those in one state.")
@click.option("--relay", default="", help="Only those through one relay, by its address (giaddr).")
@click.option("--circuit-id", default="", help="Only those through one relay port, as the table shows it.")
@click.option("--remote-id", default="", help="Only those with one remote-id, as the table shows it.")
@click.option("--abandoned", is_flag=True, help="Addresses that somebody else uses, and when they are tried again.")
@binding_output_option
@pass_context
@sentences
def list_(context: Context, /, subnet: str, *, abandoned: bool, output: str, **filters: str) -> None:
    """List leases: who has which address, through which relay port.

    JSON and CSV have every field. Relay port (circuit-id) and remote-id are shown as text where they are printable,
    else as 0x and hex digits.
    """
    if not abandoned:
        show(context.client.call("lease.list", {"subnet": subnet, **filters}), output, _COLUMNS)
        return
    if any(filters.values()):
        raise click.UsageError("--abandoned goes with --subnet only")
    show(context.client.call("lease.abandoned", {"subnet": subnet}), output)


@click.command("show", epilog=example("provd lease show 10.0.0.100"))
@click.argument("address")
@output_option
@pass_context
@sentences
def show_(context: Context, address: str, output: str) -> None:
    """Show the lease of ADDRESS with all that the relay said."""
    show(context.client.call("lease.show", {"address": address}), output)


@click.command("release", epilog=example("provd lease release 10.0.0.100"))
@click.argument("address")
@output_option
@pass_context
@sentences
def release(context: Context, address: str, output: str) -> None:
    """Free ADDRESS: end its lease, or its quarantine, before its time.

    The machine is not told: it may use the address until its own lease ends, and gets it back when it asks before
    another machine has it.
    """
    show(context.client.call("lease.release", {"address": address}), output)
