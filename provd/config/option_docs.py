"""Writes ``docs/dhcp-options.md`` from the table of options: ``python -m provd.config.option_docs [FILE]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from provd.wire.option_nested import CODECS
from provd.wire.options import OPTIONS, REFUSED

PAGE: Final = Path("docs/dhcp-options.md")

_HEAD: Final = """\
# DHCP options

The tables below are generated (`python -m provd.config.option_docs`); a test compares the two.

Options stand in tables of `provd.toml`, profiles and systems, by name or by number:

```toml
[[interface]]
name = "eth1"

[options]                                  # all clients
ntp-servers = ["10.0.0.2"]

[[subnet]]
network = "10.0.0.0/24"
pool = "10.0.0.100-10.0.0.200"
routers = ["10.0.0.1"]                     # most common options have a key of their own

[subnet.options]
domain-search = ["lab.example", "example"]
classless-static-route = ["10.9.0.0/16 via 10.0.0.9"]
"252" = "http://10.0.0.1/wpad.dat"
"224" = {hex = "00:ff:10"}                 # any option in any type

[[class]]
name = "access-points"
vendor_class = "Cisco AP"

[class.options.vendor-encapsulated-options.suboptions]   # option 43: octets, or sub-options by number
241 = {ips = ["10.0.0.5", "10.0.0.6"]}
```

Levels from general to particular; the later one wins, option by option:

1. `[options]`: all clients
2. the subnet: `routers`, `dns` and so on, then `[subnet.options]`
3. classes, in the order of the file
4. the profile (an option replaces that of its parent whole)
5. the system
6. the boot loader that was chosen for a boot client: options 66 and 67, and what else that loader needs
7. plugins; of two that disagree the first in the list `enabled` wins, and the log says so

`"!name" = true` takes away what more general levels say. `provd explain SYSTEM` shows every option with its value and
the file and key, or the plugin, that it came from.

A configured option is sent whether the client asked for it or not, but for `v6-only-preferred` and `auto-config`
(RFC 8925 section 3.3, RFC 2563 section 2). Where a reply has no room, options move into the `file` and `sname` fields
that are free (option 52); then those go that matter least. Nothing is cut. A file name over 127 octets stands in option
67 alone. `dhcp-renewal-time` and `dhcp-rebinding-time` count where they are in order and shorter than the lease.

For PXE clients alone, `[options.pxe]` writes option 43 as PXE wants it: control bits, boot servers, menu, prompt.
"""


def page() -> str:
    """The whole page."""
    types = [f"| `{kind}` | {codec.wants} |" for kind, codec in CODECS.items()]
    rows = [f"| {row.code} | `{row.name}` | {row.codec.kind} |" for row in OPTIONS.values() if row.code not in REFUSED]
    refused = [f"| {code} | `{OPTIONS[code].name}` | {REFUSED[code]} |" for code in sorted(REFUSED)]
    return "\n".join(
        [
            _HEAD,
            "## Types\n",
            "`{TYPE = value}` writes any option in any of them.\n",
            "| type | what to write |\n|---|---|",
            *types,
            "\n## Options by number\n",
            "Any other number from 1 to 254 takes a text, or `{TYPE = value}`.\n",
            "| number | name | type |\n|---|---|---|",
            *rows,
            "\n## What cannot be configured\n",
            "| number | name | why: it |\n|---|---|---|",
            *refused,
            "",
        ]
    )


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE).write_text(page())
