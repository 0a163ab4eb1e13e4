"""Methods of Cobbler 3.3 that are not here, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provd.api.cobbler.reading import EMPTY

_LOGS: Final = "boots and what installers report are kept with their sessions: provd trace"

ABSENT: Final[Mapping[str, str]] = {
    **{
        name: f"provd keeps no items of the kind {kind}"
        for kind in EMPTY
        for name in (
            *(f"{verb}_{kind}" for verb in ("new", "modify", "save", "remove", "copy", "rename")),
            f"get_{kind}_handle",
        )
    },
    "background_load_items": "objects are read at the start and when their files change",
    "clear_system_logs": _LOGS,
    "dump_vars": "get_blended_data and get_system_as_rendered tell the same",
    "generate_bootcfg": "provd boots no ESX",
    "generate_script": "scripts are documents of an installer, fetched with the install token",
    "get_authn_module_name": "several authenticators may be there; provd plugin list names them",
    "get_config_data": "configuration management is left to its own tools",
    "get_template_file_for_profile": "documents of an installer are fetched with the install token",
    "get_template_file_for_system": "documents of an installer are fetched with the install token",
}
"""Method to the reason."""
