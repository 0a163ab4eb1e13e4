"""The registry of Cobbler's methods: none without a permission; the page of the methods is fresh."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.api.cobbler.absent import ABSENT
from provd.api.cobbler.call import Call, Secret
from provd.api.cobbler.matrix import PAGE, page
from provd.api.cobbler.methods import every_method
from provd.api.cobbler.registry import CLASSES, NOBODY, Registry
from provd.service.operations import ANONYMOUS_READ

OPEN = {"login", "logout", "ping", "token_check"}
WRITES = ("new_", "write_", "modify_", "save_", "remove_", "copy_", "rename_", "xapi_", "background_", "sync", "register_",
          "disable_", "upload_", "run_", "power_", "auto_", "transaction_")  # fmt: skip


async def nothing(_call: Call) -> object:
    return True


@pytest.mark.parametrize("permission", ["", "none", "root"])
def test_C02_no_method_is_registered_without_a_permission(permission: str) -> None:
    with pytest.raises(ValueError, match="permission"):
        Registry().add("x", permission, nothing)


def test_C02_no_private_name_is_registered() -> None:
    with pytest.raises(ValueError, match="private"):
        Registry().add("_new_event", "read", nothing)


def test_C02_every_method_has_a_permission_and_writes_have_more_than_anonymous_read() -> None:
    methods = every_method().methods
    assert {one.permission for one in methods.values()} <= set(CLASSES)
    assert {name for name, one in methods.items() if one.permission == NOBODY} == OPEN
    for name, one in methods.items():
        if name.startswith(WRITES) and name != "background_validate_autoinstall_files":
            assert one.permission in {"operate", "admin"}, name
    reads = {name for name, one in methods.items() if one.permission == ANONYMOUS_READ}
    assert not [name for name in reads if not name.startswith(("get_", "find_", "has_", "generate_", "version",
                                                               "extended_", "last_", "xmlrpc_"))]  # fmt: skip


def test_every_method_with_a_permission_takes_a_token_unless_it_only_reads() -> None:
    for name, one in every_method().methods.items():
        if one.permission not in {NOBODY, ANONYMOUS_READ}:
            assert any(parameter.name == "token" for parameter in one.parameters()), name


def test_the_methods_that_are_absent_are_not_there() -> None:
    assert not set(ABSENT) & set(every_method().methods)


def test_the_page_is_fresh() -> None:
    assert Path(PAGE).read_text() == page(), "run python -m provd.api.cobbler.matrix"


def test_the_sixty_methods_and_those_of_the_real_clients_are_there() -> None:
    wanted = [
        "login",
        "logout",
        "token_check",
        "ping",
        "version",
        "extended_version",
        "get_user_from_token",
        "get_distro",
        "get_profile",
        "get_system",
        "get_repo",
        "get_image",
        "get_menu",
        "get_distros",
        "get_profiles",
        "get_systems",
        "get_repos",
        "get_images",
        "get_menus",
        "get_item",
        "get_items",
        "get_item_names",
        "has_item",
        "find_distro",
        "find_profile",
        "find_system",
        "find_items",
        "get_distro_handle",
        "get_profile_handle",
        "get_system_handle",
        "get_item_handle",
        "new_distro",
        "new_profile",
        "new_system",
        "modify_distro",
        "modify_profile",
        "modify_system",
        "save_distro",
        "save_profile",
        "save_system",
        "remove_distro",
        "remove_profile",
        "remove_system",
        "copy_item",
        "rename_item",
        "get_blended_data",
        "get_system_as_rendered",
        "get_profile_as_rendered",
        "get_item_resolved_value",
        "generate_autoinstall",
        "generate_ipxe",
        "background_import",
        "background_sync",
        "background_power_system",
        "background_reposync",
        "get_task_status",
        "get_events",
        "get_event_log",
        "sync",
        "sync_dhcp",
        "disable_netboot",
        "run_install_triggers",
        "upload_log_data",
        "register_new_system",
        "get_status",
        "get_settings",
        "get_signatures",
        "get_valid_archs",
        "transaction_begin",
        "transaction_commit",
        "transaction_abort",
        "xapi_object_edit",
        "generate_profile_autoinstall",
        "generate_system_autoinstall",
        "check",
        "modify_setting",
        "auto_add_repos",
        "background_signature_update",
    ]
    assert len(wanted) == 71 + 7
    assert set(wanted) <= set(every_method().methods)


def test_C01_a_secret_is_a_type_and_has_a_length() -> None:
    for octets in (b"", b"-1", b"\x00" * 8):
        with pytest.raises(ValueError, match="32 octets"):
            Secret(octets)
    assert "xxxx" not in repr(Secret(b"x" * 40))
