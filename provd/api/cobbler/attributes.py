"""Attributes of Cobbler 3.3's items: their types and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

INHERIT: Final = "<<inherit>>"
NOTHING: Final = "~"
"""How Cobbler writes None on the wire."""

Field = tuple[str, Any]
"""Type (``str``, ``int``, ``float``, ``bool``, ``list``, ``dict``) and default."""

_COMMON: Final[Mapping[str, Field]] = {
    "name": ("str", ""),
    "comment": ("str", ""),
    "owners": ("list", INHERIT),
    "kernel_options": ("dict", {}),
    "kernel_options_post": ("dict", {}),
    "autoinstall_meta": ("dict", {}),
    "boot_files": ("dict", {}),
    "fetchable_files": ("dict", {}),
    "template_files": ("dict", {}),
    "boot_loaders": ("list", INHERIT),
    "mgmt_classes": ("list", []),
    "mgmt_parameters": ("dict", {}),
    "redhat_management_key": ("str", INHERIT),
}

_DESCRIBED: Final[Mapping[str, Field]] = {name: _COMMON[name] for name in ("name", "comment", "owners")}

_VIRTUAL: Final[Mapping[str, Field]] = {
    "virt_auto_boot": ("bool", INHERIT),
    "virt_cpus": ("int", INHERIT),
    "virt_disk_driver": ("str", INHERIT),
    "virt_file_size": ("float", INHERIT),
    "virt_path": ("str", INHERIT),
    "virt_ram": ("int", INHERIT),
    "virt_type": ("str", INHERIT),
}

_BOOTED: Final[Mapping[str, Field]] = {
    "autoinstall": ("str", INHERIT),
    "enable_ipxe": ("bool", INHERIT),
    "filename": ("str", INHERIT),
    "name_servers": ("list", []),
    "name_servers_search": ("list", []),
    "next_server_v4": ("str", INHERIT),
    "next_server_v6": ("str", INHERIT),
    "proxy": ("str", INHERIT),
    "server": ("str", INHERIT),
}

FIELDS: Final[Mapping[str, Mapping[str, Field]]] = {
    "distro": {
        **_COMMON,
        "arch": ("str", "x86_64"),
        "breed": ("str", ""),
        "initrd": ("str", ""),
        "kernel": ("str", ""),
        "os_version": ("str", ""),
        "remote_boot_initrd": ("str", ""),
        "remote_boot_kernel": ("str", ""),
        "remote_grub_initrd": ("str", ""),
        "remote_grub_kernel": ("str", ""),
        "source_repos": ("list", []),
        "tree_build_time": ("float", 0.0),
    },
    "profile": {
        **_COMMON,
        **_BOOTED,
        **_VIRTUAL,
        "dhcp_tag": ("str", "default"),
        "distro": ("str", ""),
        "enable_menu": ("bool", INHERIT),
        "menu": ("str", ""),
        "parent": ("str", ""),
        "repos": ("list", []),
        "virt_bridge": ("str", INHERIT),
    },
    "system": {
        **_COMMON,
        **_BOOTED,
        **_VIRTUAL,
        "gateway": ("str", ""),
        "hostname": ("str", ""),
        "image": ("str", ""),
        "ipv6_autoconfiguration": ("bool", False),
        "ipv6_default_device": ("str", ""),
        "netboot_enabled": ("bool", True),
        "power_address": ("str", ""),
        "power_id": ("str", ""),
        "power_identity_file": ("str", ""),
        "power_options": ("str", ""),
        "power_pass": ("str", ""),
        "power_type": ("str", ""),
        "power_user": ("str", ""),
        "profile": ("str", ""),
        "repos_enabled": ("bool", False),
        "serial_baud_rate": ("int", -1),
        "serial_device": ("int", -1),
        "status": ("str", "production"),
        "virt_pxe_boot": ("bool", False),
    },
    "repo": {
        **_DESCRIBED,
        "apt_components": ("list", []),
        "apt_dists": ("list", []),
        "arch": ("str", "none"),
        "breed": ("str", "none"),
        "createrepo_flags": ("str", INHERIT),
        "environment": ("dict", {}),
        "keep_updated": ("bool", True),
        "mirror": ("str", ""),
        "mirror_locally": ("bool", True),
        "mirror_type": ("str", "baseurl"),
        "os_version": ("str", ""),
        "priority": ("int", 0),
        "proxy": ("str", INHERIT),
        "rpm_list": ("list", []),
        "rsyncopts": ("dict", {}),
        "yumopts": ("dict", {}),
    },
    "image": {
        **_DESCRIBED,
        **_VIRTUAL,
        "arch": ("str", "x86_64"),
        "autoinstall": ("str", INHERIT),
        "autoinstall_meta": ("dict", {}),
        "boot_loaders": ("list", INHERIT),
        "breed": ("str", ""),
        "file": ("str", ""),
        "image_type": ("str", "direct"),
        "kernel_options": ("dict", {}),
        "kernel_options_post": ("dict", {}),
        "menu": ("str", ""),
        "network_count": ("int", 1),
        "os_version": ("str", ""),
        "virt_bridge": ("str", INHERIT),
    },
    "menu": {
        **_DESCRIBED,
        "display_name": ("str", ""),
        "parent": ("str", ""),
    },
}
"""By kind; a system's ``interfaces`` are :data:`INTERFACE`."""

INTERFACE: Final[Mapping[str, Field]] = {
    "bonding_opts": ("str", ""),
    "bridge_opts": ("str", ""),
    "cnames": ("list", []),
    "connected_mode": ("bool", False),
    "dhcp_tag": ("str", ""),
    "dns_name": ("str", ""),
    "if_gateway": ("str", ""),
    "interface_master": ("str", ""),
    "interface_type": ("str", "na"),
    "ip_address": ("str", ""),
    "ipv6_address": ("str", ""),
    "ipv6_default_gateway": ("str", ""),
    "ipv6_mtu": ("str", ""),
    "ipv6_prefix": ("str", ""),
    "ipv6_secondaries": ("list", []),
    "ipv6_static_routes": ("list", []),
    "mac_address": ("str", ""),
    "management": ("bool", False),
    "mtu": ("str", ""),
    "netmask": ("str", ""),
    "static": ("bool", False),
    "static_routes": ("list", []),
    "virt_bridge": ("str", INHERIT),
}
