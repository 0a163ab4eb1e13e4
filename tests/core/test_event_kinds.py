"""The list of event kinds has every kind that the sources publish."""

from __future__ import annotations

import re
from pathlib import Path

from provd.model.event_kinds import EVENT_KINDS
from provd.service.dhcp_outcomes import NAMES
from provd.service.inspect import _WORDS

ROOT = Path(__file__).parents[2]
PUBLISHED = re.compile(
    r'(?:\bEvent|_seen|\.seen|\.note|on_event|CallbackResult|\btell|_told|_publish)\(\s*(?:kind=)?(?:\w+, )?"([a-z]+\.[a-z_-]+)"'
)


def test_every_kind_that_is_published_is_listed() -> None:
    sources = [path for top in ("provd", "plugins") for path in (ROOT / top).rglob("*.py")]
    sources = [path for path in sources if not {"testing", "planning", "_compiled"} & set(path.parts)]
    found = {kind for path in sources for kind in PUBLISHED.findall(path.read_text())}
    assert {"menu.chosen", "system.changed", "dhcp.rogue", "answer.served", "queue.waiting"} <= found
    assert found - set(EVENT_KINDS) == set()
    assert set(_WORDS) - set(EVENT_KINDS) == set()
    # Two that no client may send are dropped.
    assert {f"dhcp.{name}" for name in NAMES.values()} - {*EVENT_KINDS} == {"dhcp.forcerenew", "dhcp.leasequery"}
    assert len(set(EVENT_KINDS)) == len(EVENT_KINDS)


def test_the_page_on_triggers_lists_them() -> None:
    page = (ROOT / "docs/triggers.md").read_text().partition("\n## Events\n")[2]
    assert re.findall(r"`([a-z]+\.[a-z_-]+)`", page) == [
        kind
        for part in dict.fromkeys(kind.partition(".")[0] for kind in EVENT_KINDS)
        for kind in EVENT_KINDS
        if kind.startswith(f"{part}.")
    ]
