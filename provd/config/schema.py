"""The keys of ``provd.toml``: each with its type, default, help, limits and what applies a change of it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Final, Literal

import msgspec

from provd.config.inherited import Inherited
from provd.config.keys import Table, key

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

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class InterfaceConfig(Table, frozen=True):
    """``[[interface]]``: a network interface that DHCP is answered on."""

    name: Annotated[str, key("Name of the interface, as in `eth1`.")]
    addresses: Annotated[
        tuple[IPv4Address, ...],
        key("Addresses of the interface that provd uses, in order of preference; empty for every address it has."),
    ] = ()


class ListenConfig(Table, frozen=True):
    """``[listen]``: where the listeners are bound."""

    addresses: Annotated[
        tuple[IPv4Address, ...],
        key("Addresses that TFTP and HTTP are bound to; empty for all.", applies="restart"),
    ] = ()
    dhcp_port: Annotated[Port, key("UDP port that DHCP requests arrive at.", applies="restart")] = 67
    dhcp_client_port: Annotated[Port, key("UDP port that DHCP replies to clients go to.", applies="restart")] = 68
    tftp_port: Annotated[Port, key("UDP port of the TFTP listener.", applies="restart")] = 69
    pxe_port: Annotated[
        Port,
        key(
            "UDP port of the PXE boot service; bound only where a subnet's mode is `proxy` or `combined`.",
            applies="restart",
        ),
    ] = 4011
    http_port: Annotated[
        Port, key("TCP port of the HTTP listener; URLs given to machines carry it.", applies="restart")
    ] = 80


class PoolTable(Table, frozen=True):
    """``pool = {first = "...", last = "..."}``."""

    first: str
    last: str


class SubnetConfig(Table, frozen=True):
    """``[[subnet]]``: one IPv4 subnet that provd answers for."""

    network: Annotated[IPv4Network, key("The subnet, as in `10.0.0.0/24`.")]
    name: Annotated[str, key("Unique name; empty for the network itself.")] = ""
    pool: Annotated[
        str | PoolTable | None,
        key(
            'Dynamic addresses, both ends included, as `"10.0.0.100-10.0.0.200"` or `{first, last}`; none for no pool.'
        ),
    ] = None
    interface: Annotated[
        str, key("Interface on whose link it is; empty for a subnet behind a relay or found by an interface's address.")
    ] = ""
    relays: Annotated[
        tuple[IPv4Address, ...], key("Relay addresses (giaddr) that mean this subnet though they lie outside it.")
    ] = ()
    routers: Annotated[tuple[IPv4Address, ...], key("Default routers (option 3).")] = ()
    dns: Annotated[
        tuple[IPv4Address, ...],
        key("Name servers (option 6); empty for provd's own address, because installers stop and ask without one."),
    ] = ()
    domain: Annotated[str, key("Domain name (option 15).")] = ""
    ntp: Annotated[tuple[IPv4Address, ...], key("Time servers (option 42).")] = ()
    lease_s: Annotated[int, key("Lease time in seconds (option 51) where the client asks for none.", ge=30)] = 3600
    min_lease_s: Annotated[int, key("Shortest lease time in seconds a client may ask for.", ge=30)] = 60
    max_lease_s: Annotated[int, key("Longest lease time in seconds a client may ask for.", le=0xFFFFFFFE)] = 86400
    offer_s: Annotated[int, key("Seconds an unconfirmed offer stays reserved.", ge=1, le=3600)] = 60
    decline_s: Annotated[int, key("Seconds a declined address stays in quarantine.", ge=1)] = 600
    server_address: Annotated[
        IPv4Address | None,
        key("provd's address for relayed clients (next server and URLs); none: the address of the route to the relay."),
    ] = None
    authoritative: Annotated[
        bool,
        key("Answer NAK to an unknown client that asks for a wrong address; RFC 2131 section 4.3.2 asks for silence."),
    ] = False
    unknown: Annotated[
        Literal["lease", "ignore"],
        key("Machines nobody assigned: `lease` gives them an address and no boot file, `ignore` no answer at all."),
    ] = "lease"
    options: Annotated[dict[str, Any], key("Further DHCP options by name or number.")] = msgspec.field(
        default_factory=dict
    )
    probe: Annotated[
        Literal["off", "icmp", "arp", "both"],
        key("Ask whether an address is in use before its first offer; ARP on local links only."),
    ] = "off"
    probe_ms: Annotated[int, key("Milliseconds a probe waits for an answer.", ge=50, le=5000)] = 500
    shared_network: Annotated[
        str,
        key(
            "Subnets with the same name here are on one link or behind one relay: a client gets an address of the "
            "first that has one to give, and a wrong address is judged by all of them (RFC 7969)."
        ),
    ] = ""
    new_per_port: Annotated[
        int, key("Clients without an address that one relay port may bring in a minute; 0 for any number.", ge=0)
    ] = 0
    new_per_subnet: Annotated[
        int, key("Clients without an address that are taken in a minute; 0 for any number. Systems do not count.", ge=0)
    ] = 0
    min_secs: Annotated[
        int,
        key("Answer a DISCOVER only from this value of its `secs` on: for a server that stands by.", ge=0, le=65535),
    ] = 0
    reply_delay_ms: Annotated[
        int, key("Milliseconds that an offer waits, so that another server's comes first.", ge=0, le=10000)
    ] = 0
    rapid_commit: Annotated[
        bool,
        key(
            "Acknowledge a DISCOVER with option 80 at once, without an offer (RFC 4039). Only where no other DHCP "
            "server answers: whoever loses the race keeps an address for nobody."
        ),
    ] = False
    allocation: Annotated[
        Literal["dynamic", "automatic", "manual"],
        key(
            "`dynamic`: addresses of ended leases go to others, the longest ended first; `automatic`: a client keeps "
            "its first address for ever; `manual`: reservations only (RFC 2131 section 1)."
        ),
    ] = "dynamic"
    max_installs: Annotated[
        int, key("Installations at a time; the others wait. 0: as `per_subnet` in `[queue]` says.", ge=0)
    ] = 0
    mode: Annotated[
        Literal["dhcp", "proxy", "combined"],
        key(
            "`dhcp`: provd gives addresses and boot files; `proxy`: another DHCP server gives the addresses, provd "
            "only boot files (proxyDHCP, PXE 2.1 section 2.2); `combined`: as `dhcp`, and PXE clients are told by "
            "option 60 that the PXE port is answered, for firmware that insists on it."
        ),
    ] = "dhcp"


class ClassConfig(Table, frozen=True):
    """``[[class]]``: clients that have something in common. All conditions must be met.

    A class without conditions is for the clients that a plugin gives a label of this name. Options of a class stand
    above those of the subnet and below those of profile and system; of two classes the later one wins.
    """

    name: Annotated[str, key("Unique name; also the label that plugins see.")]
    arch: Annotated[tuple[str, ...], key("Architectures (option 93), as in `x64-uefi`.")] = ()
    vendor_class: Annotated[str, key("Beginning of the vendor class (option 60), as in `PXEClient`.")] = ""
    user_class: Annotated[str, key("User class (option 77).")] = ""
    circuit_id: Annotated[str, key("Relay port (option 82, circuit-id), as text or as `0x` and hex digits.")] = ""
    remote_id: Annotated[str, key("Relay (option 82, remote-id), as text or as `0x` and hex digits.")] = ""
    mac_prefix: Annotated[str, key("First octets of the MAC, as in `52:54:00`.")] = ""
    options: Annotated[dict[str, Any], key("DHCP options by name or number.")] = msgspec.field(default_factory=dict)
    lease_s: Annotated[int, key("Lease time in seconds; 0 for the subnet's.", ge=0, le=0xFFFFFFFE)] = 0


class TftpConfig(Table, frozen=True):
    """``[tftp]``: limits of the TFTP listener."""

    blksize_max: Annotated[
        int,
        key("Largest block in octets (RFC 2348); 1468 fits one Ethernet frame.", applies="restart", ge=512, le=65464),
    ] = 1468
    windowsize_max: Annotated[int, key("Most blocks in flight (RFC 7440).", applies="restart", ge=1, le=65535)] = 64
    transfers_max: Annotated[int, key("Transfers at the same time.", applies="restart", ge=1)] = 4000
    transfers_per_client: Annotated[int, key("Transfers of one address at the same time.", applies="restart", ge=1)] = (
        32
    )
    single_port: Annotated[
        bool,
        key("Answer from the TFTP port itself, for firewalls that let no other port through.", applies="restart"),
    ] = False


class HttpConfig(Table, frozen=True):
    """``[http]``: limits of the HTTP listener."""

    connections_max: Annotated[int, key("Connections at the same time.", applies="restart", ge=1)] = 1024
    connections_per_client: Annotated[
        int, key("Connections of one address at the same time.", applies="restart", ge=1)
    ] = 64
    header_timeout_s: Annotated[
        int, key("Seconds in which a request's headers must arrive.", applies="restart", ge=1)
    ] = 10
    idle_timeout_s: Annotated[
        int, key("Seconds without progress after which a connection is closed.", applies="restart", ge=1)
    ] = 60
    body_max: Annotated[int, key("Longest posted body in octets.", applies="restart", ge=0)] = 1 << 20


class LogConfig(Table, frozen=True):
    """``[log]``: what is logged and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], key("Lowest level that is logged.", applies="restart")
    ] = "info"
    format: Annotated[
        Literal["text", "json"], key("`text` for people, `json` for one object per line.", applies="restart")
    ] = "text"


class SyslogConfig(Table, frozen=True):
    """``[syslog]``: log lines of running installers, for their timelines; of other machines nothing is taken."""

    enabled: Annotated[
        bool,
        key(
            "Take lines by UDP and TCP on the addresses of `[listen]`, and tell installers to send them. Where the "
            "port is taken, as by a syslog daemon of this machine, provd warns and goes on without.",
            applies="restart",
        ),
    ] = True
    port: Annotated[Port, key("UDP and TCP port.", applies="restart")] = 514
    lines_per_second: Annotated[
        int, key("Lines of one machine that are kept in a second, ten times as many at once.", ge=1)
    ] = 200
    lines_per_boot: Annotated[int, key("Lines of one boot that are kept.", ge=1, le=100000)] = 5000
    line_max: Annotated[int, key("Characters of a line that are kept.", ge=80, le=8192)] = 500


class SessionsConfig(Table, frozen=True):
    """``[sessions]``: how long boot sessions, their events, ended tokens and trigger runs are kept."""

    keep_days: Annotated[int, key("Days after which a session and its events are removed.", ge=1)] = 90
    keep_count: Annotated[int, key("Sessions that are kept at most; the oldest go first.", ge=1)] = 20000


class RogueConfig(Table, frozen=True):
    """``[rogue]``: the watch for other DHCP servers on the interfaces."""

    interval_s: Annotated[
        int,
        key(
            "Seconds between two looks for other servers, the first one at start; 0 for never. A look is a DISCOVER "
            "that is not followed up, so a server that answers keeps one address back for a while.",
            le=604800,
        ),
    ] = 900
    wait_s: Annotated[int, key("Seconds that answers are waited for.", ge=1, le=30)] = 4
    allow: Annotated[
        tuple[str, ...],
        key("Servers that are no surprise, each by its address (option 54) or by its MAC."),
    ] = ()


class CobblerConfig(Table, frozen=True):
    """``[cobbler]``: XML-RPC for Cobbler's clients."""

    enabled: Annotated[
        bool, key("Answer Cobbler's command and Ansible's modules for Cobbler (XML-RPC).", applies="restart")
    ] = False
    addresses: Annotated[
        tuple[IPv4Address, ...],
        key(
            "Addresses of the plain listener; empty for loopback, because passwords and tokens go over it.",
            applies="restart",
        ),
    ] = ()
    port: Annotated[Port, key("TCP port of the plain listener, where Cobbler's command looks.", applies="restart")] = (
        25151
    )
    tls_certificate: Annotated[
        str,
        key("PEM file with the certificate of a listener with TLS, chain included; empty for none.", applies="restart"),
    ] = ""
    tls_key: Annotated[str, key("PEM file with its private key.", applies="restart")] = ""
    tls_addresses: Annotated[
        tuple[IPv4Address, ...], key("Addresses of the listener with TLS; empty for all.", applies="restart")
    ] = ()
    tls_port: Annotated[Port, key("TCP port of the listener with TLS.", applies="restart")] = 25152
    secret_file: Annotated[
        str,
        key(
            "File with the secret of local commands, written anew at every start, readable by root and provd; "
            "Cobbler's command reads `/var/lib/cobbler/web.ss`. Empty for `web.ss` in `data_dir`.",
            applies="restart",
        ),
    ] = ""
    secret_group: Annotated[
        str, key("Group that may read the secret too, which makes its members administrators.", applies="restart")
    ] = ""
    task_log: Annotated[
        str,
        key(
            "File that Cobbler's command follows while a task runs: `/var/log/cobbler/cobbler.log`; empty for none.",
            applies="restart",
        ),
    ] = ""
    anonymous_read_from: Annotated[
        tuple[IPv4Network, ...],
        key("Networks whose machines may read without logging in, besides this machine; secrets are masked."),
    ] = ()


class ApiConfig(Table, frozen=True):
    """``[api]``: every operation as JSON over HTTPS, live events, metrics."""

    enabled: Annotated[bool, key("Answer the JSON API over TCP.", applies="restart")] = False
    addresses: Annotated[
        tuple[IPv4Address, ...],
        key("Addresses of the listener; empty for loopback, `0.0.0.0` for all.", applies="restart"),
    ] = ()
    port: Annotated[Port, key("TCP port, always with TLS.", applies="restart")] = 8443
    tls_certificate: Annotated[
        str,
        key(
            "PEM file with the certificate, chain included; empty for one that provd makes for itself, whose "
            "fingerprint is in the log.",
            applies="restart",
        ),
    ] = ""
    tls_key: Annotated[str, key("PEM file with its private key.", applies="restart")] = ""


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
            "Gate plugins without which no machine is answered: if one fails, the request is refused.",
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
