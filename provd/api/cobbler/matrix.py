"""``python -m provd.api.cobbler.matrix``: writes ``docs/cobbler-compatibility.md`` from the registry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from provd.api.cobbler.absent import ABSENT
from provd.api.cobbler.methods import every_method

PAGE: Final = Path("docs/cobbler-compatibility.md")
_HEAD: Final = """\
# Compatibility with Cobbler

This page is generated (`python -m provd.api.cobbler.matrix`); a test keeps it fresh. It names every method of the
XML-RPC of Cobbler 3.3, and the transactions of 4.0. How to switch it on, and how to bring your data over:
[migrating-from-cobbler.md](migrating-from-cobbler.md).

What holds for all of them:

- Attributes that provd has no key for (`gateway`, `netmask`, `virt_ram`, ...) are kept under
  `vars.cobbler` by Cobbler's names. They come back as they were given, and templates can use them.
- `power_type`, `power_address`, `power_user`, `power_pass` and `power_id` are kept there too, and used where a system
  has no `[power]` table of its own ([power.md](power.md)).
- `autoinstall` of a profile or system names a template of the site, which replaces the installer's main answer file;
  what the site has no template of comes back as it was given, and does nothing. Templates are Jinja.
- Secrets are answered as `***`, to everybody. Writing `***` back leaves the secret as it is.
- A change is seen when it is saved, and it is saved whole or not at all.
- Faults have code 1 and begin with the class that Cobbler names, as in `<class 'cobbler.cexceptions.CX'>:'...'`.
- *anonymous-read*: no token is needed from this machine and from `[cobbler] anonymous_read_from`; others log in.

| method | permission | compared with Cobbler |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = {
        method.name: (method.permission, f"differs: {method.differs}" if method.differs else "same")
        for method in every_method().methods.values()
    }
    rows |= {name: ("", f"absent: {reason}") for name, reason in ABSENT.items()}
    counts = {word: sum(told.startswith(word) for _, told in rows.values()) for word in ("same", "differs", "absent")}
    lines = [f"| `{name}` | {permission} | {told} |\n" for name, (permission, told) in sorted(rows.items())]
    total = ", ".join(f"{number} {word}" for word, number in counts.items())
    return f"{_HEAD}{''.join(lines)}\n{len(rows)} methods: {total}.\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
