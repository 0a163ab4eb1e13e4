"""The configuration of nfs-ganesha (ganesha-config(8), ganesha-export-config(8), ganesha-core-config(8))."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOUNT_PORT: Final = 20048
"""Port of the mount protocol of version 3, the one that is registered with IANA."""


@dataclass(frozen=True, slots=True)
class Export:
    """A directory and the name that machines see."""

    name: str
    path: Path


def configuration(
    exports: Sequence[Export],
    *,
    port: int,
    versions: Iterable[int],
    clients: Sequence[str],
    plugins_dir: str,
    state_dir: Path,
) -> str:
    """The whole file.

    Nothing can be written, everybody is the anonymous user, there are no locks and no period of grace to wait for.

    Args:
        exports: what is exported; the place in the list is the export's number, so handles outlive restarts.
        port: TCP port.
        versions: 3, 4 or both; 3 makes ganesha register with rpcbind.
        clients: networks that may mount, empty for all.
        plugins_dir: ganesha's own, empty for the one it was built with.
        state_dir: where it writes what it must remember.
    """
    spoken = ", ".join(str(version) for version in sorted(versions))
    plugins = f'    Plugins_Dir = "{plugins_dir}";\n' if plugins_dir else ""
    core = (
        "NFS_CORE_PARAM {\n"
        f"    Protocols = {spoken};\n    NFS_Port = {port};\n    MNT_Port = {MOUNT_PORT};\n"
        f"    Enable_NLM = false;\n    Enable_RQUOTA = false;\n    Enable_UDP = false;\n"
        # Version 3 shall see the names that version 4 sees, not where the directories lie here.
        f"    Mount_Path_Pseudo = true;\n{plugins}}}\n"
    )
    # Names of owners say nothing to an installer, and looking them up needs files of the host's.
    version_4 = (
        "NFSV4 {\n"
        f'    Graceless = true;\n    RecoveryBackend = fs;\n    RecoveryRoot = "{state_dir}";\n'
        "    Only_Numeric_Owners = true;\n    UseGetpwnam = true;\n}\n"
    )
    kerberos = "NFS_KRB5 {\n    Active_krb5 = false;\n}\n"
    blocks = [_export(number, one, spoken, clients) for number, one in enumerate(exports, 1)]
    return "\n".join([core, version_4, kerberos, "LOG {\n    Default_Log_Level = EVENT;\n}\n", *blocks])


def _export(number: int, export: Export, versions: str, clients: Sequence[str]) -> str:
    listed = ", ".join(clients)
    # An export block's own access holds for whoever is in none of its client blocks.
    access = "NONE" if clients else "RO"
    block = f"    CLIENT {{\n        Clients = {listed};\n        Access_Type = RO;\n    }}\n" if clients else ""
    return (
        "EXPORT {\n"
        f'    Export_Id = {number};\n    Path = "{export.path}";\n    Pseudo = "/{export.name}";\n'
        f"    Access_Type = {access};\n    Squash = All_Squash;\n    SecType = sys;\n    Transports = TCP;\n"
        f"    Protocols = {versions};\n{block}"
        "    FSAL {\n        Name = VFS;\n    }\n}\n"
    )
