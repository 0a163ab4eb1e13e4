"""The form of an Agama profile as a JSON schema, written after Agama's reference of profiles.

https://agama-project.github.io/docs/user/reference/profile/

Only what profiles of provd hold, and what a site may write in ``answers.storage`` or a template of its own: iSCSI, DASD
and zFCP are left open, for they are not described here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TEXT: Final = {"type": "string"}
WORD: Final = {"type": "string", "minLength": 1}
YES: Final = {"type": "boolean"}
COUNT: Final = {"type": "integer", "minimum": 0}
TEXTS: Final = {"type": "array", "items": WORD}


def table(needed: Mapping[str, Any], further: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An object with these keys and no others."""
    keys = {**needed, **further}
    return {"type": "object", "properties": keys, "required": list(needed), "additionalProperties": False, **more}


def several(one: Mapping[str, Any]) -> dict[str, Any]:
    """A list."""
    return {"type": "array", "items": dict(one)}


KEYS: Final = {"anyOf": [TEXT, TEXTS]}
METHOD: Final = {"enum": ["auto", "manual", "dhcp", "link-local", "shared", "disabled"]}
ADDRESS: Final = {"type": "string", "pattern": "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$"}
HARDWARE: Final = {"type": "string", "pattern": "^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$"}
MODES: Final = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
CONNECTION: Final = table(
    {"id": WORD},
    {
        **dict.fromkeys(("interface", "customMacAddress", "gateway4", "gateway6"), WORD),
        "macAddress": HARDWARE, "mtu": COUNT, "method4": METHOD, "method6": METHOD,
        "addresses": several(ADDRESS), "nameservers": several(ADDRESS),
        "dnsSearchlist": TEXTS, "dnsSearchList": TEXTS, "ignoreAutoDns": YES, "autoconnect": YES, "persistent": YES,
        "status": {"enum": ["up", "down", "keep", "removed"]},
        "bond": table({"ports": TEXTS}, {"mode": {"enum": list(MODES)}, "options": TEXT}),
        "bridge": table(
            {"ports": TEXTS},
            {"stp": YES, "forwardDelay": COUNT, "priority": COUNT, "maxAge": COUNT, "helloTime": COUNT},
        ),
        "vlan": table(
            {"id": {**COUNT, "maximum": 4094}, "parent": WORD}, {"protocol": {"enum": ["802.1Q", "802.1ad"]}}
        ),
        "match": table({}, dict.fromkeys(("kernel", "interface", "driver", "path"), TEXTS)),
        "wireless": {"type": "object"}, "ieee-8021x": {"type": "object"},
    },
)  # fmt: skip

SIZE: Final = {
    "anyOf": [COUNT, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(\s*([KMGTPEZYkmgtpezy][iI]?)?[Bb])?$"}]
}
LIMIT: Final = {"anyOf": [SIZE, {"const": "current"}]}
SIZES: Final = {
    "anyOf": [
        SIZE,
        {"type": "array", "items": LIMIT, "minItems": 1, "maxItems": 2},
        table({"min": LIMIT}, {"max": LIMIT}),
    ]
}
_WAY: Final = {"enum": ["asc", "desc"]}
ORDER: Final = {
    "anyOf": [
        {"enum": ["name", "size", "number"]},
        table({}, {"name": _WAY, "size": _WAY, "number": _WAY}, minProperties=1, maxProperties=1),
    ]
}
CONDITION: Final = {
    "anyOf": [
        table({"name": WORD}, {}),
        table({"number": COUNT}, {}),
        table({"size": {"anyOf": [SIZE, *(table({word: SIZE}, {}) for word in ("equal", "greater", "less"))]}}, {}),
    ]
}
SEARCH: Final = {
    "anyOf": [
        WORD,
        table(
            {},
            {
                "condition": CONDITION, "sort": {"anyOf": [ORDER, several(ORDER)]}, "max": {**COUNT, "minimum": 1},
                "ifNotFound": {"enum": ["skip", "error", "create"]},
            },
        ),
    ]
}  # fmt: skip
FILE_SYSTEM: Final = table(
    {},
    {
        "path": WORD, "label": TEXT, "mkfsExtraArguments": TEXT, "mkfsOptions": TEXTS, "mountOptions": TEXTS,
        "reuseIfPossible": YES, "mountBy": {"enum": ["device", "id", "label", "path", "uuid"]},
        "type": {"anyOf": [WORD, table({"btrfs": table({}, {"snapshots": YES})}, {})]},
    },
)  # fmt: skip
ENCRYPTION: Final = {"anyOf": [WORD, {"type": "object", "minProperties": 1, "maxProperties": 1}]}
_VOLUME: Final = {"search": SEARCH, "alias": WORD, "size": SIZES, "encryption": ENCRYPTION, "filesystem": FILE_SYSTEM}
_GONE: Final = [
    table({"search": SEARCH, word: {"const": True}}, {"size": SIZES}) for word in ("delete", "deleteIfNeeded")
]
_OPEN: Final = {"type": "object"}
"""A section that is not described here."""
GENERATED: Final = table({"generate": {"anyOf": [{"enum": ["default", "mandatory"]}, {"type": "object"}]}}, {})
PARTITION: Final = {
    "anyOf": [
        GENERATED,
        *_GONE,
        table({}, {**_VOLUME, "id": {"enum": ["linux", "swap", "lvm", "raid", "esp", "prep", "bios_boot"]}}),
    ]
}
LOGICAL: Final = {
    "anyOf": [
        GENERATED,
        *_GONE,
        table({}, {**_VOLUME, "name": WORD, "stripes": COUNT, "stripeSize": SIZE, "pool": YES, "usedPool": WORD}),
    ]
}
_DEVICE: Final = {**_VOLUME, "partitions": several(PARTITION), "ptableType": {"enum": ["gpt", "msdos", "dasd"]}}
_DISK = {key: value for key, value in _DEVICE.items() if key != "size"}
_MADE: Final = table({"generate": {"type": ["array", "object"]}}, {})
STORAGE: Final = table(
    {},
    {
        "boot": table({"configure": YES}, {"device": WORD}),
        "drives": several(table({}, _DISK)),
        "volumeGroups": several(
            table(
                {"name": WORD},
                {
                    "search": SEARCH, "extentSize": SIZE, "logicalVolumes": several(LOGICAL),
                    "physicalVolumes": several({"anyOf": [WORD, _MADE]}),
                },
            )
        ),
        "mdRaids": several(
            table(
                {},
                {
                    **_DISK, "name": WORD, "level": {"enum": [f"raid{number}" for number in (0, 1, 5, 6, 10)]},
                    "parity": WORD, "chunkSize": SIZE, "devices": TEXTS,
                },
            )
        ),
    },
)  # fmt: skip

_CONTENT: Final = {"name": {"type": "string", "pattern": "^[^/]+$"}}
_ONE_OF: Final = [{"required": ["content"]}, {"required": ["url"]}]
SCRIPT: Final = table(_CONTENT, {"content": WORD, "url": WORD}, oneOf=_ONE_OF)
POST_SCRIPT: Final = table(_CONTENT, {"content": WORD, "url": WORD, "chroot": YES}, oneOf=_ONE_OF)
FILE: Final = table(
    {"destination": {"type": "string", "pattern": "^/"}},
    dict.fromkeys(("content", "url", "permissions", "user", "group"), TEXT),
    oneOf=_ONE_OF,
)
ACCESS: Final = {"password": WORD, "hashedPassword": YES, "sshPublicKey": KEYS, "sshPublicKeys": KEYS}
REPOSITORY: Final = table(
    {"alias": WORD, "url": WORD},
    {
        "name": TEXT, "priority": COUNT, "productDir": TEXT, "enabled": YES, "allowUnsigned": YES,
        "gpgFingerprints": several({"type": "string", "pattern": "^[0-9a-fA-F ]+$"}),
    },
)  # fmt: skip

SCHEMA: Final = table(
    {
        "product": table(
            {"id": WORD},
            {
                **dict.fromkeys(("mode", "registrationCode", "registrationEmail", "registrationUrl"), WORD),
                "addons": several(table({"id": WORD}, {"version": WORD, "registrationCode": WORD})),
            },
        ),
        "storage": STORAGE,
        "root": table({}, ACCESS),
    },
    {
        "$schema": TEXT,
        "user": table({"fullName": TEXT, "userName": WORD, "password": WORD}, ACCESS),
        "hostname": table({}, {"static": {**WORD, "maxLength": 64}, "transient": WORD}),
        "localization": table({}, dict.fromkeys(("language", "keyboard", "timezone"), WORD)),
        "l10n": table({}, dict.fromkeys(("locale", "keymap", "timezone"), WORD)),
        "network": table({}, {"connections": several(CONNECTION), "state": {"type": "object"}}),
        "software": table(
            {},
            {
                "packages": TEXTS, "onlyRequired": YES, "extraRepositories": several(REPOSITORY),
                "patterns": {"anyOf": [TEXTS, table({}, {"add": TEXTS, "remove": TEXTS})]},
            },
        ),
        "questions": table({}, {"policy": {"enum": ["auto", "user"]}, "answers": several({"type": "object"})}),
        "bootloader": table(
            {}, {"extraKernelParams": TEXT, "timeout": COUNT, "stopOnBootMenu": YES, "updateNvram": YES}
        ),
        "scripts": table(
            {},
            {
                "pre": several(SCRIPT), "postPartitioning": several(SCRIPT), "post": several(POST_SCRIPT),
                "init": several(SCRIPT),
            },
        ),
        "files": several(FILE),
        **dict.fromkeys(("proxy", "ntp", "security", "dasd", "zfcp", "iscsi", "access"), _OPEN),
    },
)  # fmt: skip
