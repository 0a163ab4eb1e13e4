"""The command ``provd simulate``."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provd.cli.context import REFUSED, Context, config_option, example, output_option, pass_context
from provd.cli.output import show, tell_faults

if TYPE_CHECKING:
    from provd.simulate.actions import Driver
    from provd.simulate.boot import Transcript

# As in provd.simulate.boot, which is not imported for every command's help.
ARCHS = ("bios", "x64-uefi", "x64-uefi-http", "x64-uefi-ipxe", "arm64-uefi", "arm64-uefi-http")
PORT = click.IntRange(1, 65535)
_NOBODY = (
    " of the files; machines that were added by commands are known to the running service: --server, provd explain"
)
_ASK = "the server's timeline may say why: provd trace {}"
_EXAMPLES = (
    "provd simulate --profile debian-12-server",
    "provd simulate --arch x64-uefi --mac 52:54:00:12:34:56 --config ./provd.toml",
    "provd simulate --server 10.0.0.1 --relay 10.0.0.9 --mac 52:54:00:12:34:56 --finish",
)


@click.command(epilog=example(*_EXAMPLES))
@click.option("--arch", type=click.Choice(ARCHS), default="bios", show_default=True, help="Firmware of the machine.")
@click.option("--mac", default="02:00:00:00:00:01", show_default=True, help="Its hardware address.")
@click.option("--uuid", default="", help="Its SMBIOS UUID; made from the hardware address where there is none.")
@click.option("--profile", default="", help="Without --server: let the machine be a system with this profile.")
@click.option("--server", default="", help="Ask a running server at this address, through --relay.")
@click.option("--relay", default="", help="Address of this machine that stands for the relay's, in one of the subnets.")
@click.option("--dhcp-port", type=PORT, default=67, show_default=True, help="UDP port of the server's DHCP.")
@click.option("--tftp-port", type=PORT, default=69, show_default=True, help="UDP port of its TFTP.")
@click.option("--http-port", type=click.IntRange(0, 65535), default=0, help="TCP port where URLs name none; 0: 80.")
@click.option("--choose", default="", help="Choose this profile where the machine is shown a menu.")
@click.option("--finish", is_flag=True, help="Report started and finished, as an installer does at its end.")
@config_option
@output_option
@pass_context
def simulate(
    context: Context, arch: str, mac: str, uuid: str, profile: str, server: str, relay: str, dhcp_port: int,
    tftp_port: int, http_port: int, output: str, choose: str, *, finish: bool,
) -> None:  # fmt: skip
    """Boot a simulated machine: DHCP, loader, its configuration, kernel and initial RAM disk, answers, reports.

    Without --server a provd in memory answers with this configuration: nothing is sent, stored or changed. With it a
    running server is asked, without root where its ports are high. It takes the boot for a real one: it counts as an
    attempt of that machine, and --finish makes it an installed one.
    """
    from provd.simulate.boot import simulate as run

    machine = _machine(mac, uuid, choose)
    if server:
        from provd.simulate.sockets import SocketDriver

        if not relay:
            raise click.UsageError("--server needs --relay: an address of this machine that the server answers to")
        server, relay = _address(server, "--server"), _address(relay, "--relay")
        driver: Driver = SocketDriver(server, relay, dhcp_port=dhcp_port, tftp_port=tftp_port, http_port=http_port)
    else:
        driver = _in_memory(Path(context.config), mac, profile)
    try:
        transcript = run(driver, machine, arch, reports=("started", "finished") if finish else ())  # type: ignore[arg-type]
    except OSError as error:
        raise click.ClickException(f"from {relay} to {server}: {error.strerror or error}") from error
    if output == "table":
        click.echo(transcript.text())
    else:
        show(_told(transcript), output)
    ended = transcript.outcome in {"installed", "started", "local"}
    held = _why_not(driver, mac, ended=ended) if not server else "" if ended else _ASK.format(mac)
    if held:
        click.echo(f"provd: {held}", err=True)
    if held or not ended:
        sys.exit(REFUSED)


def _why_not(server: Any, mac: str, *, ended: bool) -> str:
    """Why the server in memory gave this machine nothing to install, though it may have meant to; or empty.

    Where a boot did not come to its end it is what `provd trace` finds: the cause and what to do.
    """
    from provd.app.operations import diagnoser_of
    from provd.model.boot import Action
    from provd.model.mac import Mac

    boot = server.services.sessions.of_mac(str(Mac.parse(mac)))
    if boot is None or boot.plan is None:
        return ""
    if boot.plan.action in {Action.HOLD, Action.NONE}:
        return f"{boot.plan.reason}{'' if boot.plan.system else _NOBODY}"
    events = server.store.sessions.events(boot.session.id)
    held = next((event.fields for event in reversed(events) if event.kind == "boot.held"), None)
    if held is not None:
        return str(held["reason"])
    if ended:
        return ""
    found = diagnoser_of(server.services).findings(boot.session, events)
    return f"{found[0].cause}. Try: {found[0].advice}" if found else ""


def _address(text: str, flag: str) -> str:
    from ipaddress import AddressValueError, IPv4Address

    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise click.BadParameter(f"{text!r} is not an IPv4 address, as in 10.0.0.1", param_hint=flag) from None


def _machine(mac: str, uuid: str, choice: str) -> Any:
    from uuid import NAMESPACE_OID, UUID, uuid5

    from provd.model.mac import Mac
    from provd.simulate.firmware import Machine

    try:
        return Machine(Mac.parse(mac).octets, UUID(uuid) if uuid else uuid5(NAMESPACE_OID, mac), choice)
    except ValueError as error:
        raise click.ClickException(f"--mac or --uuid: {error}") from error


def _in_memory(file: Path, mac: str, profile: str) -> Any:
    """A provd of this configuration; the machine is a system of it where a profile is named."""
    from provd.config.decode import near_miss
    from provd.config.errors import ConfigError
    from provd.model.mac import Mac
    from provd.model.system import Interface, System
    from provd.testing.world import MemoryServer

    try:
        from provd.config.settings import load

        config = load(file)
        if not config.subnets:
            raise click.ClickException(f"{file}: there is no [[subnet]], so no machine gets an address")
        subnet = config.subnets[0]
        here = next(subnet.network.hosts())
        card = subnet.interface or (config.interfaces[0].name if config.interfaces else "eth0")
        server = MemoryServer(file, str(here), card)
        server.listen_to_logs()
    except (ConfigError, OSError) as error:
        raise click.ClickException(str(error)) from error
    tell_faults(server.services.host.faults)
    if profile:
        known = server.services.current.catalogue.profiles
        if profile not in known:
            raise click.ClickException(
                f"no profile that can be installed is {profile}{near_miss(profile, list(known))}"
            )
        if server.services.systems.of_mac(Mac.parse(mac).octets) is not None:
            raise click.ClickException(f"{mac} belongs to a system already: leave --profile away")
        server.services.systems.add(System("simulated", profile, (Interface("eth0", Mac.parse(mac)),)))
        server.turn()
    return server


def _told(transcript: Transcript) -> dict[str, object]:
    """The transcript as plain values; answer files by their hash, because they hold secrets."""
    installed = transcript.installed
    documents = installed.documents if installed else {}
    return {
        "outcome": transcript.outcome,
        "error": transcript.error,
        "address": transcript.address,
        "installer_address": transcript.installer_address,
        "boot_file": transcript.boot_file,
        "kernel_sha256": transcript.kernel_sha256,
        "initrd_sha256": list(transcript.initrd_sha256),
        "steps": [{"name": step.name, "detail": step.detail} for step in transcript.steps],
        "documents": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in documents.items()},
        "reported": dict(installed.reported) if installed else {},
    }
