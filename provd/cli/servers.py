"""Commands for remote servers: their profiles, and logging in and out."""

from __future__ import annotations

import hashlib
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click

from provd.cli.context import Context, example, output_option, pass_context, sentences, service_parameters
from provd.cli.groups import Group
from provd.cli.output import show
from provd.cli.server_profiles import (
    complete_server,
    default_file,
    profile_of,
    profiles,
    remote_client,
    write_private,
)

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_WAIT_S: Final = 10.0


@click.group(cls=Group, epilog=example("provd server add prod https://provd.example.org:8443 --ca-file provd.pem"))
def server() -> None:
    """Remote servers that --server can name; a file of yours, not of the service."""


@server.command("list", epilog=example("provd server list"))
@output_option
def list_(output: str) -> None:
    """List the servers, and whether there is a login."""
    rows = [
        {"name": one.name, "url": one.url, "ca_file": one.ca_file, "login": one.token_file.exists()}
        for one in profiles().values()
    ]
    show(rows, output, noun="server")


@server.command(
    "add",
    epilog=example(
        "provd server add prod https://provd.example.org:8443",
        "provd server add lab https://10.0.0.1:8443 --ca-file certificate.pem",
        "provd server add lab https://10.0.0.1:8443 --fingerprint 5F:0A:...",
    ),
)
@click.argument("name")
@click.argument("url")
@click.option("--ca-file", type=click.Path(dir_okay=False), help="Certificates to trust (PEM); copied.")
@click.option("--fingerprint", help="SHA-256 of the server's own certificate, as its log tells it; then it is trusted.")
def add(name: str, url: str, ca_file: str | None, fingerprint: str | None) -> None:
    """Add the server NAME at URL, or change it."""
    from provd.api.remote import endpoint

    if not _NAME.fullmatch(name):
        raise click.UsageError(f"{name!r} is no name: letters, digits, hyphens and underscores are expected")
    if ca_file and fingerprint:
        raise click.UsageError("--ca-file and --fingerprint say the same in two ways; give one of them")
    try:
        host, port = endpoint(url)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    table = {"url": url}
    if ca_file or fingerprint:
        text = _read(Path(ca_file)) if ca_file else _shown(host, port, str(fingerprint))
        write_private(default_file().with_name(f"{name}.pem"), text)
        table["ca_file"] = f"{name}.pem"
    before = profiles().get(name)
    _change(name, table)
    if before is not None and before.url != url:
        before.token_file.unlink(missing_ok=True)  # it is for the server that had this name
    click.echo(f"{name}: {url}; log in with: provd --server {name} login")


@server.command("remove", epilog=example("provd server remove prod"))
@click.argument("name", shell_complete=complete_server)
def remove(name: str) -> None:
    """Forget the server NAME and its login; the token itself ends with: provd --server NAME logout."""
    profile = profile_of(name)
    _change(name, None)
    profile.token_file.unlink(missing_ok=True)
    default_file().with_name(f"{name}.pem").unlink(missing_ok=True)


def _change(name: str, table: dict[str, str] | None) -> None:
    """Write the file anew, with comments and order kept."""
    import tomlkit

    profiles()  # a file that is wrong is not written over
    file = default_file()
    document: Any = tomlkit.parse(file.read_text(encoding="utf-8") if file.exists() else "")
    servers = document.setdefault("server", tomlkit.table(is_super_table=True))
    if table is None:
        servers.remove(name)
    else:
        servers[name] = table
    write_private(file, tomlkit.dumps(document))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from error


def _shown(host: str, port: int, fingerprint: str) -> str:
    """The certificate that a server shows, if it is the one that is meant.

    Raises:
        click.ClickException: it does not answer, or shows another one.
    """
    import socket
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the fingerprint is what is verified
    try:
        with socket.create_connection((host, port), _WAIT_S) as plain, context.wrap_socket(plain) as secure:
            octets = secure.getpeercert(binary_form=True) or b""
    except OSError as error:
        raise click.ClickException(f"{host}:{port} does not answer: {error}") from error
    found = hashlib.sha256(octets).hexdigest()
    if found != re.sub(r"[^0-9a-f]", "", fingerprint.lower()):
        raise click.ClickException(f"{host}:{port} shows a certificate with another fingerprint: {found}")
    return ssl.DER_cert_to_PEM_cert(octets)


@click.command(epilog=example("provd login --server prod", "provd login --server prod --user ann --password -"))
@click.option("--user", help="Name of the user; asked for where it is not given.")
@click.option("--password", metavar="-", help="-: the first line of standard input; else it is asked for.")
@pass_context
@sentences
def login(context: Context, user: str | None, password: str | None) -> None:
    """Log in at the server that --server names; the token is kept for later commands."""
    name = _named(context)
    if password not in {None, "-"}:
        raise click.UsageError("a password in the command line could be seen by others; use --password -")
    client = remote_client(name)
    user = user or str(click.prompt("User", err=True))
    typed = sys.stdin.readline().rstrip("\r\n") if password else click.prompt("Password", hide_input=True, err=True)
    with closing(client):
        told = client.login(user, typed)
    write_private(profile_of(name).token_file, f"{told['token']}\n")
    click.echo(f"{user} is logged in at {name} as {told['role']}")


@click.command(epilog=example("provd logout --server prod"))
@pass_context
@sentences
def logout(context: Context) -> None:
    """End the login at the server that --server names."""
    name = _named(context)
    profile = profile_of(name)
    if not profile.token():
        click.echo(f"there is no login at {name}", err=True)
        return
    from provd.api.client import ApiError

    try:
        with closing(remote_client(name)) as client:
            client.logout()
    except ApiError as error:
        click.echo(str(error), err=True)  # the token counts for nothing any more; it goes all the same
    profile.token_file.unlink(missing_ok=True)


def _named(context: Context) -> str:
    if not context.server:
        raise click.UsageError("this is about a remote server: provd --server NAME login")
    return context.server


for _command in (login, logout):
    _command.params.extend(service_parameters())
