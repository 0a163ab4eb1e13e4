"""The form of an Ignition file as a JSON schema, written after the text of the configuration specification 3.0 to 3.5.

https://coreos.github.io/ignition/specs/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TEXT: Final = {"type": ["string", "null"]}
YES: Final = {"type": ["boolean", "null"]}
NUMBER: Final = {"type": ["integer", "null"], "minimum": 0}
TEXTS: Final = {"type": "array", "items": {"type": "string"}}
ABSOLUTE: Final = {"type": "string", "pattern": "^/"}
MODE: Final = {"type": ["integer", "null"], "minimum": 0, "maximum": 0o7777}
OWNER: Final = {
    "type": "object",
    "properties": {"id": NUMBER, "name": TEXT},
    "additionalProperties": False,
}


def table(needed: Mapping[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """An object with these keys and no others."""
    keys = {**needed, **further}
    return {"type": "object", "properties": keys, "required": list(needed), "additionalProperties": False}


def several(one: Mapping[str, Any]) -> dict[str, Any]:
    """A list."""
    return {"type": "array", "items": dict(one)}


HEADERS: Final = several(table({"name": {"type": "string"}}, {"value": TEXT}))
HASH: Final = {
    "type": ["string", "null"],
    "pattern": "^(sha512-[0-9a-f]{128}|sha256-[0-9a-f]{64})$",
}
SOURCE: Final = {"type": "string", "pattern": "^(https?|tftp|s3|arn|gs|data):"}
_RESOURCE: Final = {
    "compression": {"enum": ["", "gzip", None]},
    "httpHeaders": HEADERS,
    "verification": table({}, {"hash": HASH}),
}
RESOURCE: Final = table({}, {"source": SOURCE, **_RESOURCE})
NEEDED_RESOURCE: Final = table({"source": SOURCE}, _RESOURCE)

_NODE: Final = {"overwrite": YES, "user": OWNER, "group": OWNER}
_PARTITION: Final = table(
    {},
    {
        "label": {"type": ["string", "null"], "maxLength": 36, "pattern": "^[^:]*$"},
        "number": NUMBER,
        "sizeMiB": NUMBER,
        "startMiB": NUMBER,
        "typeGuid": TEXT,
        "guid": TEXT,
        "wipePartitionEntry": YES,
        "shouldExist": YES,
        "resize": YES,
    },
)
_CLEVIS: Final = table(
    {},
    {
        "tang": several(table({"url": {"type": "string"}}, {"thumbprint": TEXT, "advertisement": TEXT})),
        "tpm2": YES,
        "threshold": NUMBER,
        "custom": table({}, {"pin": TEXT, "config": TEXT, "needsNetwork": YES}),
    },
)
_NAME: Final = {"name": {"type": "string", "minLength": 1}}
STORAGE: Final = table(
    {},
    {
        "disks": several(table({"device": ABSOLUTE}, {"wipeTable": YES, "partitions": several(_PARTITION)})),
        "raid": several(
            table(
                {**_NAME, "level": {"type": "string"}, "devices": several(ABSOLUTE)},
                {"spares": NUMBER, "options": TEXTS},
            )
        ),
        "filesystems": several(
            table(
                {"device": ABSOLUTE, "format": {"enum": ["ext4", "btrfs", "xfs", "vfat", "swap", "none", None]}},
                {
                    "path": ABSOLUTE, "wipeFilesystem": YES, "label": TEXT, "uuid": TEXT, "options": TEXTS,
                    "mountOptions": TEXTS,
                },
            )
        ),
        "files": several(
            table({"path": ABSOLUTE}, {**_NODE, "contents": RESOURCE, "append": several(RESOURCE), "mode": MODE})
        ),
        "directories": several(table({"path": ABSOLUTE}, {**_NODE, "mode": MODE})),
        "links": several(table({"path": ABSOLUTE, "target": {"type": "string"}}, {**_NODE, "hard": YES})),
        "luks": several(
            table(
                {**_NAME, "device": ABSOLUTE},
                {
                    "keyFile": RESOURCE, "label": TEXT, "uuid": TEXT, "options": TEXTS, "discard": YES,
                    "openOptions": TEXTS, "wipeVolume": YES, "clevis": _CLEVIS, "cex": table({}, {"enabled": YES}),
                },
            )
        ),
    },
)  # fmt: skip
_UNIT_NAME: Final = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9:_.\\@-]+\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$",
}
SYSTEMD: Final = table(
    {},
    {
        "units": several(
            table(
                {"name": _UNIT_NAME},
                {
                    "enabled": YES,
                    "mask": YES,
                    "contents": TEXT,
                    "dropins": several(table({"name": {"type": "string", "pattern": r"\.conf$"}}, {"contents": TEXT})),
                },
            )
        )
    },
)
PASSWD: Final = table(
    {},
    {
        "users": several(
            table(
                _NAME,
                {
                    "passwordHash": TEXT, "sshAuthorizedKeys": {**TEXTS, "uniqueItems": True}, "uid": NUMBER,
                    "gecos": TEXT, "homeDir": TEXT, "noCreateHome": YES, "primaryGroup": TEXT, "groups": TEXTS,
                    "noUserGroup": YES, "noLogInit": YES, "shell": TEXT, "shouldExist": YES, "system": YES,
                },
            )
        ),
        "groups": several(
            table(_NAME, {"gid": NUMBER, "passwordHash": TEXT, "shouldExist": YES, "system": YES})
        ),
    },
)  # fmt: skip
IGNITION: Final = table(
    {"version": {"type": "string", "pattern": r"^3\.[0-5]\.0$"}},
    {
        "config": table({}, {"merge": several(NEEDED_RESOURCE), "replace": RESOURCE}),
        "timeouts": table({}, {"httpResponseHeaders": NUMBER, "httpTotal": NUMBER}),
        "security": table({}, {"tls": table({}, {"certificateAuthorities": several(NEEDED_RESOURCE)})}),
        "proxy": table({}, {"httpProxy": TEXT, "httpsProxy": TEXT, "noProxy": TEXTS}),
    },
)
SCHEMA: Final[Mapping[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **table(
        {"ignition": IGNITION},
        {
            "storage": STORAGE,
            "systemd": SYSTEMD,
            "passwd": PASSWD,
            "kernelArguments": table({}, {"shouldExist": TEXTS, "shouldNotExist": TEXTS}),
        },
    ),
}
SINCE: Final[Mapping[str, int]] = {"kernelArguments": 3, "storage.luks": 2}
"""Tables by the minor version that brought them."""
