"""The whole of ``provd.toml``: each key with its type, default, help, limits and what applies a change of it.

Tables on DHCP are in ``schema_dhcp``, on ports and files in ``schema_listeners``, on the APIs in ``schema_api``.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from provd.config.inherited import Inherited
from provd.config.keys import Table, key
from provd.config.schema_api import ApiConfig, CobblerConfig
from provd.config.schema_dhcp import ClassConfig, InterfaceConfig, RogueConfig, SubnetConfig
from provd.config.schema_listeners import HttpConfig, ListenConfig, SyslogConfig, TftpConfig

DEFAULT_PLUGINS: Final = (
    "gate_rules",
    "client_classes",
    "relay",
    "pxelinux",
    "grub_efi",
    "source_http",
    "source_iso",
    "source_mirror",
    "installer_image",
    "installer_preseed",
    "installer_kickstart",
    "installer_autoinstall",
    "installer_ignition",
    "installer_alpine",
    "installer_autoyast",
    "installer_agama",
    "installer_plain",
    "install_callbacks",
    "site_vars",
    "static_files",
    "trigger_script",
    "trigger_webhook",
)
"""Shipped plugins that a site needs or that do nothing until they are configured, in the order they are asked."""


class LogConfig(Table, frozen=True):
    """``[log]``: what is logged and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], key("Lowest level that is logged.", applies="restart")
    ] = "info"
    format: Annotated[
        Literal["text", "json"], key("`text` for people, `json` for one object per line.", applies="restart")
    ] = "text"


class SessionsConfig(Table, frozen=True):
    """``[sessions]``: how long boot sessions, their events, ended tokens and trigger runs are kept."""

    keep_days: Annotated[int, key("Days after which a session and its events are removed.", ge=1)] = 90
    keep_count: Annotated[int, key("Sessions that are kept at most; the oldest go first.", ge=1)] = 20000


class QueueConfig(Table, frozen=True):
    """``[queue]``: how many machines install at a time; the others are told by their boot loader to wait.

    A source is ``http://HOST``, ``iso:NAME``, ``mirror:NAME``, or ``provd`` for disk images that provd itself serves.
    """

    per_subnet: Annotated[int, key("In each subnet, where it says no number of its own; 0 for any number.", ge=0)] = 0
    per_source: Annotated[int, key("From each install source that `sources` does not name; 0: any number.", ge=0)] = 0
    sources: Annotated[
        dict[str, Annotated[int, msgspec.Meta(ge=0)]],
        key('By source: `"http://deb.example" = 20`; the sources are named in `provd queue list`.'),
    ] = msgspec.field(default_factory=dict)
    wait_s: Annotated[int, key("Seconds after which a waiting machine asks again.", ge=2, le=600)] = 30


class ServerConfig(Table, frozen=True):
    """The whole file. Relative paths are relative to the directory of the file."""

    data_dir: Annotated[str, key("Directory of the store, boot payloads, images and caches.", applies="restart")] = (
        "/var/lib/provd"
    )
    site_dir: Annotated[
        str, key("Directory of the site's `distros/`, `profiles/`, `systems/` and `templates/`.", applies="restart")
    ] = "/etc/provd"
    api_writes: Annotated[
        bool,
        key(
            "Whether distros and profiles may be changed through the API and the command line, in files of `site_dir`."
        ),
    ] = False
    socket: Annotated[str, key("Path of the local socket that the command line talks to.", applies="restart")] = (
        "/run/provd/provd.sock"
    )
    user: Annotated[
        str, key("User that provd becomes when it is started as root; empty to stay root.", applies="restart")
    ] = "provd"
    identity: Annotated[
        Literal["auto", "client-id"],
        key(
            "`auto`: a known system is its MACs or UUID, and the client identifiers of one boot are one binding; "
            "`client-id`: strict RFC 2131 and RFC 4361.",
            applies="restart",
        ),
    ] = "auto"
    plugin_dirs: Annotated[
        tuple[str, ...],
        key("Directories with further plugins, `distros/` and `profiles/`.", applies="restart"),
    ] = ()
    enabled: Annotated[
        tuple[str, ...], key("The plugins that run; the order is the order in which they are asked.", applies="restart")
    ] = DEFAULT_PLUGINS
    critical: Annotated[
        tuple[str, ...],
        key(
            "Gate plugins without which no machine is answered: if one fails, there is silence, and no NAK.",
            applies="restart",
        ),
    ] = ()
    interfaces: Annotated[tuple[InterfaceConfig, ...], key("Interfaces that DHCP is answered on.")] = msgspec.field(
        name="interface", default=()
    )
    listen: Annotated[ListenConfig, key("Where the listeners are bound.")] = ListenConfig()
    subnets: Annotated[tuple[SubnetConfig, ...], key("Subnets that provd answers for.")] = msgspec.field(
        name="subnet", default=()
    )
    defaults: Annotated[Inherited, key("What every distro, profile and system inherits.")] = Inherited()
    options: Annotated[
        dict[str, Any],
        key("DHCP options of all clients by name or number; subnets, classes, profiles and systems win."),
    ] = msgspec.field(default_factory=dict)
    classes: Annotated[tuple[ClassConfig, ...], key("Client classes.")] = msgspec.field(name="class", default=())
    tftp: Annotated[TftpConfig, key("Limits of the TFTP listener.")] = TftpConfig()
    http: Annotated[HttpConfig, key("Limits of the HTTP listener.")] = HttpConfig()
    rogue: Annotated[RogueConfig, key("The watch for other DHCP servers.")] = RogueConfig()
    api: Annotated[ApiConfig, key("JSON over HTTPS, live events, metrics.")] = ApiConfig()
    cobbler: Annotated[CobblerConfig, key("XML-RPC for Cobbler's clients.")] = CobblerConfig()
    log: Annotated[LogConfig, key("What is logged and how.")] = LogConfig()
    syslog: Annotated[SyslogConfig, key("Log lines of running installers.")] = SyslogConfig()
    queue: Annotated[QueueConfig, key("How many machines install at a time.")] = QueueConfig()
    sessions: Annotated[SessionsConfig, key("How long boot sessions are kept.")] = SessionsConfig()
    plugins: Annotated[
        dict[str, dict[str, Any]], key("One table per plugin, `[plugins.NAME]`; its manual says which keys it has.")
    ] = msgspec.field(default_factory=dict)
