"""What authors of plugins test with: a whole provd in memory, simulated machines, sample values, the conformance kit.

A test of a plugin in a package begins with the kit::

    @pytest.mark.parametrize("verdict", examined("acme"), ids=str)
    def test_it_keeps_the_rules(verdict):
        assert verdict.ok, verdict.text

With provd installed, pytest has the fixtures of :mod:`provd.testing.fixtures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provd.testing.conformance import Verdict


def examined(where: str, table: Mapping[str, object] | None = None) -> list[Verdict]:
    """A verdict for every rule of the conformance kit.

    Args:
        where: name of an installed plugin, or path of its file or folder.
        table: its ``[plugins.NAME]``; None for the one in its manual.

    Raises:
        LookupError: there is no such plugin.
    """
    from provd.testing.conformance import examine, found_at

    return examine(found_at(where), table)
