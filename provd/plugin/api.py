"""The public door: everything a plugin imports from provd.

A plugin file imports this module and libraries, nothing else of provd. What is listed here keeps its meaning within one
``api`` number.
"""

from __future__ import annotations

import msgspec

from provd.core.naming import pattern_fault
from provd.model.arch import ARCHS, Arch
from provd.model.boot import NOTHING_INSTALLED, Action, BootFile, BootPlan, Location, Payload
from provd.model.client import ClientFacts, RelayInfo
from provd.model.content import AwaitedBody, Content, FileBody, FileRequest, NotFound, StreamBody
from provd.model.dhcp import Allow, Destination, DhcpRequest, GateVerdict, Ignore, OptionSet, Refuse, Reply
from provd.model.distro import Distro
from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.mac import Mac
from provd.model.media_types import media_type
from provd.model.menu import LOCAL, Menu, MenuEntry, PasswordHashes
from provd.model.origin import Origin
from provd.model.profile import BootPolicy, Profile
from provd.model.scrub import scrub_line
from provd.model.subnet import Pool, Subnet
from provd.model.system import InstallState, Interface, System
from provd.plugin.answers import COMMON_ANSWERS, LogSettings, no_source, nobody_logs_in
from provd.plugin.beneath import file_beneath, open_body
from provd.plugin.command_line import check_length, command_line, quoted_argument, screen_line
from provd.plugin.connection import connect
from provd.plugin.connections import (
    Connection,
    beneath_first,
    bond_options,
    bridge_options,
    connections,
    kernel_options,
    named_cards,
    netplan_options,
    parts,
    plain_names,
    with_booting,
)
from provd.plugin.contract import (
    API_VERSION,
    Adoption,
    Authenticator,
    BootLoader,
    Change,
    Daemon,
    GiveUpError,
    InstallSource,
    Inventory,
    Operation,
    Plugin,
    Trigger,
    Veto,
    Vouched,
)
from provd.plugin.contract_install import Answer, Callback, CallbackCall, CallbackResult, Document, Finding, Installer
from provd.plugin.filters import to_yaml
from provd.plugin.hookimpl import hookimpl
from provd.plugin.installer_plugin import installer_plugin
from provd.plugin.json_judge import judged_json
from provd.plugin.login import check_login
from provd.plugin.machines import Machine
from provd.plugin.power import POWER_ACTIONS, PowerCall, PowerDriver
from provd.plugin.roles import RoleGroups
from provd.plugin.runtime import HttpStream, Listening, ProcessResult, Runtime, Task
from provd.plugin.scrub import scrub, scrub_value
from provd.plugin.signatures import Signature, SignatureRule, read_signatures
from provd.plugin.text_template import TextTemplate
from provd.plugin.triggering import Delivery, KeepsRuntime, wants
from provd.plugin.waking import wake_on_lan
from provd.wire.magic_packet import magic_packet


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of a plugin's settings: unknown keys are refused with file and key path."""


__all__ = [
    "API_VERSION",
    "ARCHS",
    "COMMON_ANSWERS",
    "LOCAL",
    "NOTHING_INSTALLED",
    "POWER_ACTIONS",
    "Action",
    "Adoption",
    "Allow",
    "Answer",
    "Arch",
    "Authenticator",
    "AwaitedBody",
    "BootFile",
    "BootLoader",
    "BootPlan",
    "BootPolicy",
    "Callback",
    "CallbackCall",
    "CallbackResult",
    "Change",
    "ClientFacts",
    "Connection",
    "Content",
    "Daemon",
    "Delivery",
    "Destination",
    "DhcpRequest",
    "Distro",
    "Document",
    "Event",
    "FileBody",
    "FileRequest",
    "Finding",
    "GateVerdict",
    "GiveUpError",
    "HttpStream",
    "Ignore",
    "InstallSource",
    "InstallState",
    "Installer",
    "Interface",
    "Inventory",
    "KeepsRuntime",
    "Lease",
    "Listening",
    "Location",
    "LogSettings",
    "Mac",
    "Machine",
    "Menu",
    "MenuEntry",
    "NotFound",
    "Operation",
    "OptionSet",
    "Origin",
    "PasswordHashes",
    "Payload",
    "Plugin",
    "Pool",
    "PowerCall",
    "PowerDriver",
    "ProcessResult",
    "Profile",
    "Refuse",
    "RelayInfo",
    "Reply",
    "RoleGroups",
    "Runtime",
    "Settings",
    "Signature",
    "SignatureRule",
    "StreamBody",
    "Subnet",
    "System",
    "Task",
    "TextTemplate",
    "Trigger",
    "Veto",
    "Vouched",
    "beneath_first",
    "bond_options",
    "bridge_options",
    "check_length",
    "check_login",
    "command_line",
    "connect",
    "connections",
    "file_beneath",
    "hookimpl",
    "installer_plugin",
    "judged_json",
    "kernel_options",
    "magic_packet",
    "media_type",
    "named_cards",
    "netplan_options",
    "no_source",
    "nobody_logs_in",
    "open_body",
    "parts",
    "pattern_fault",
    "plain_names",
    "quoted_argument",
    "read_signatures",
    "screen_line",
    "scrub",
    "scrub_line",
    "scrub_value",
    "to_yaml",
    "wake_on_lan",
    "wants",
    "with_booting",
]
