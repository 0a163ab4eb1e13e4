"""``provd lease list``: one command for the binding table and for what is in quarantine."""

from __future__ import annotations

import click

from provd.cli.context import Context, example, output_option, pass_context, sentences
from provd.cli.names import name_completer
from provd.cli.output import show

COLUMNS = ("address", "mac", "system", "hostname", "subnet", "state", "expires_at", "relay", "circuit_id")
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
@click.option("--system", default="", shell_complete=name_completer("system"), help="Only those of one machine.")
@click.option("--state", default="", type=click.Choice(["", *_STATES]), help="Only those in one state.")
@click.option("--relay", default="", help="Only those through one relay, by its address (giaddr).")
@click.option("--circuit-id", default="", help="Only those through one relay port, as the table shows it.")
@click.option("--remote-id", default="", help="Only those with one remote-id, as the table shows it.")
@click.option("--abandoned", is_flag=True, help="Addresses that somebody else uses, and when they are tried again.")
@output_option
@pass_context
@sentences
def list_(context: Context, /, subnet: str, *, abandoned: bool, output: str, **filters: str) -> None:
    """List leases: who has which address, through which relay port.

    Relay port (circuit-id) and remote-id are shown as text where they are printable,
    else as 0x and hex digits.
    """
    if not abandoned:
        show(context.client.call("lease.list", {"subnet": subnet, **filters}), output, COLUMNS, noun="lease")
        return
    if any(filters.values()):
        raise click.UsageError("--abandoned goes with --subnet only")
    show(context.client.call("lease.abandoned", {"subnet": subnet}), output, noun="lease")
