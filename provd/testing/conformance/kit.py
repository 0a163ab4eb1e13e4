"""Runs the rules over one plugin."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provd.plugin.discovery import discover
from provd.plugin.loading import Found, FoundFile
from provd.shipped import shipped_dir
from provd.testing.conformance import hooks, shape, values
from provd.testing.conformance.examined import Examined

Rule = Callable[[Examined], Iterator[str]]

FIRST: Final[tuple[Rule, ...]] = (
    shape.loads,
    shape.settings_fit,
    shape.hooks_fit,
)
"""What everything else builds on, in order: after the first of them that is not kept, nothing more is tried."""
THEN: Final[tuple[Rule, ...]] = (
    shape.has_a_manual,
    shape.imports_the_door_alone,
    shape.keeps_no_state_in_the_module,
    hooks.survives_strange_requests,
    hooks.answers_alike,
    hooks.serves_no_secrets_to_strangers,
    values.loaders_keep_their_contract,
    values.installers_keep_their_contract,
    values.sources_keep_their_contract,
    values.triggers_keep_their_contract,
    values.callbacks_keep_their_contract,
    values.operations_keep_their_contract,
    values.inventories_keep_their_contract,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one rule.

    Attributes:
        rule: its name.
        promise: what a plugin keeps, in a sentence.
        ok: whether it was kept.
        text: what was seen where it was not, in a sentence each.
    """

    rule: str
    promise: str
    ok: bool
    text: str = ""

    def __str__(self) -> str:
        return self.rule


def rules() -> Mapping[str, str]:
    """Every rule with its sentence."""
    return {rule.__name__: _promise(rule) for rule in (*FIRST, *THEN)}


def found_at(where: str) -> Found:
    """A plugin by the path of its file or folder, or by name: shipped, or announced by an installed package.

    Raises:
        LookupError: there is none.
    """
    path = Path(where)
    if path.exists():
        folder = path.parent if path.name == "__init__.py" else path
        if folder.is_dir() and not (folder / "__init__.py").is_file():
            raise LookupError(f"{folder} is no plugin: it has no __init__.py; name the file of the plugin")
        return FoundFile(folder.stem if folder.is_file() else folder.name, str(folder.parent), folder, trusted=True)
    known = discover(shipped_dir("plugins"), [])
    if where not in known:
        raise LookupError(f"there is no plugin {where}: a path, or one of {', '.join(sorted(known))}")
    return known[where]


def examine(found: Found, table: Mapping[str, object] | None = None) -> list[Verdict]:
    """Every rule over one plugin.

    Args:
        found: the plugin.
        table: its ``[plugins.NAME]``; None for the one in its manual.
    """
    with tempfile.TemporaryDirectory(prefix="provd-plugin-") as folder:
        one = Examined(found, table, Path(folder))
        verdicts: list[Verdict] = []
        for rule in FIRST:
            verdicts.append(_verdict(rule, one))
            if not verdicts[-1].ok:
                return verdicts
        return [*verdicts, *(_verdict(rule, one) for rule in THEN)]


def _verdict(rule: Rule, one: Examined) -> Verdict:
    try:
        seen = [*dict.fromkeys(rule(one)), *one.failures()]
    except Exception as error:  # noqa: BLE001  whatever a stranger's plugin raises is what was seen
        seen = [f"{type(error).__name__}: {error}"]
    return Verdict(rule.__name__, _promise(rule), not seen, "; ".join(seen))


def _promise(rule: Rule) -> str:
    return (rule.__doc__ or "").strip().splitlines()[0]
