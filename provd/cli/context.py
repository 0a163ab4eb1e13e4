"""What every command shares: the configuration it looks at, the client, and how errors end."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from provd.config.schema import ServerConfig

OK: Final = 0
REFUSED: Final = 1
NOT_REACHABLE: Final = 3
CODES: Final[Mapping[int, str]] = {
    OK: "done",
    REFUSED: "refused or failed, one sentence on standard error says why",
    2: "wrong usage; of plan and replay also: something would differ",
    NOT_REACHABLE: "no service answers at the socket, or at --server",
}
"""What the exit codes mean."""

EXIT_CODES: Final = f"Exit codes: {'; '.join(f'{code} {meaning}' for code, meaning in CODES.items())}."
DEFAULT_CONFIG: Final = "/etc/provd/provd.toml"
DEFAULT_SOCKET: Final = "/run/provd/provd.sock"

F = TypeVar("F", bound=Callable[..., Any])


class Client(Protocol):
    """The local API."""

    def call(self, operation: str, given: Mapping[str, object] | None = None, /, **arguments: object) -> Any:
        """Run an operation."""
        ...

    def operations(self) -> list[dict[str, Any]]:
        """Describe every operation."""
        ...


@dataclass
class Context:
    """State of one invocation.

    Attributes:
        config: path of ``provd.toml``.
        socket: path of the local socket, empty for the configuration's.
        run: runs the service with a configuration and returns the exit code.
        make_client: makes a client for a socket path.
        server: name of a remote server, empty for the local socket.
        in_memory: makes a client of a provd in memory with a configuration, for what can be said without a service.
    """

    config: str
    socket: str
    run: Callable[[Path], int]
    make_client: Callable[[str], Client]
    server: str = ""
    in_memory: Callable[[Path], Client] | None = field(default=None, repr=False)
    _client: Client | None = field(default=None, repr=False)
    _operations: dict[str, dict[str, Any]] | None = field(default=None, repr=False)

    def server_config(self) -> ServerConfig:
        """The configuration; its defaults where the default file does not exist.

        Raises:
            click.ClickException: it has an error, or a file that was named does not exist.
        """
        from provd.config.errors import ConfigError
        from provd.config.settings import from_table, load

        path = Path(self.config)
        try:
            if self.config == DEFAULT_CONFIG and not path.exists():
                return from_table({}, path)
            return load(path)
        except (ConfigError, OSError) as error:
            raise click.ClickException(str(error)) from error

    def socket_path(self) -> str:
        """The configured socket, without checking everything else: most commands need no more of the file.

        Raises:
            click.ClickException: the file cannot be read, is no TOML, or names a socket that is no text.
        """
        from provd.config import toml
        from provd.config.errors import ConfigError

        path = Path(self.config)
        if self.config == DEFAULT_CONFIG and not path.exists():
            return DEFAULT_SOCKET
        try:
            found = toml.read(path).get("socket", DEFAULT_SOCKET)
        except ConfigError as error:
            raise click.ClickException(str(error)) from error
        return str(path.absolute().parent / found) if isinstance(found, str) else self.server_config().socket

    @property
    def client(self) -> Client:
        """The client of the service this configuration belongs to."""
        if self._client is None:
            if self.server:
                from provd.cli.server_profiles import remote_client

                remote = remote_client(self.server)
                if (ctx := click.get_current_context(silent=True)) is not None:
                    ctx.find_root().call_on_close(remote.close)
                self._client = remote
            else:
                self._client = self.make_client(self.socket or self.socket_path())
        return self._client

    def operations(self) -> Mapping[str, dict[str, Any]]:
        """Operations of the service by name, asked once.

        Raises:
            provd.api.client.ApiError: it refused.
            provd.api.client.NotReachableError: it does not answer.
        """
        if self._operations is None:
            self._operations = {str(one["name"]): one for one in self.client.operations()}
        return self._operations

    def take(self, options: Mapping[str, Any]) -> None:
        """Use the options that say which service is meant, where they were given."""
        for name in ("config", "socket", "server"):
            value = options.get(name)
            if value and value != getattr(self, name):
                setattr(self, name, value)
                self._client = self._operations = None


def local_client(socket: str) -> Client:
    """The real client."""
    from provd.api.client import LocalClient

    return LocalClient(socket)


pass_context = click.make_pass_decorator(Context)


class NotReachable(click.ClickException):
    """No service answers."""

    exit_code = NOT_REACHABLE


def _hint(kind: str, text: str) -> str:
    """How to log in, where that is what is missing."""
    ctx = click.get_current_context(silent=True)
    context = ctx.find_object(Context) if ctx is not None else None
    if context is None or not context.server or kind != "denied" or "token" not in text:
        return ""
    if os.environ.get("PROVD_TOKEN"):
        return "; it is the one in PROVD_TOKEN, which counts before a login"
    return f"; log in with: provd --server {context.server} login"


def sentences(function: F) -> F:
    """Turn the errors of provd into one sentence and the documented exit code."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        from provd.api.client import ApiError, NotReachableError

        try:
            return function(*args, **kwargs)
        except ApiError as error:
            raise click.ClickException(f"{error}{_hint(error.kind, str(error))}") from error
        except NotReachableError as error:
            raise NotReachable(str(error)) from error

    return wrapper  # type: ignore[return-value]


OUTPUTS: Final = ("table", "json", "ndjson", "toml", "csv")
"""How results are printed."""


def output_parameter() -> click.Option:
    """``-o table|json|ndjson|toml|csv``."""
    return click.Option(
        ["-o", "--output"], type=click.Choice(OUTPUTS), default="table", show_default=True,
        help="How to print; all but tables have every field.",
    )  # fmt: skip


def output_option(function: F) -> F:
    """``-o table|json|ndjson|toml|csv``."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(OUTPUTS),
        default="table",
        show_default=True,
        help="How to print; all but tables have every field.",
    )(function)


def service_parameters() -> list[click.Parameter]:
    """``--config``, ``--socket`` and ``--server`` after a command as well; they mean the same as before it."""

    def remember(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
        context = ctx.find_object(Context)
        if value is not None and context is not None:
            context.take({str(parameter.name): value})

    return [
        click.Option([f"--{name}"], expose_value=False, hidden=True, callback=remember, default=None)
        for name in ("config", "socket", "server")
    ]


def local_only(context: Context, command: str) -> None:
    """Refuse to do something here that was meant for another machine.

    Raises:
        click.UsageError: a remote server was named.
    """
    if context.server:
        raise click.UsageError(f"{command} works on this machine; it cannot be done at --server {context.server}")


def for_machines() -> None:
    """Let everybody read what is made from here on: a strict umask of root would keep boot files from provd's user."""
    os.umask(0o022)


def config_option(function: F) -> F:
    """``--config`` after the command, for commands that read the file themselves."""

    def remember(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        context = ctx.find_object(Context)
        if context is not None and not ctx.command_path.startswith("provd check"):
            local_only(context, ctx.command_path)
        if value is not None and context is not None:
            context.config = value

    return click.option(
        "--config", expose_value=False, callback=remember, type=click.Path(), help="Configuration file."
    )(function)


def example(*lines: str) -> str:
    """An epilog with command lines."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)
