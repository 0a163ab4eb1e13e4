"""The list of mutations: for each rule, the line of the program that keeps it and what switches the rule off.

``mutations.toml`` has one line per rule: file, text that stands in it exactly once, and what is written in its place.
The tests that bear the rule's id must fail then (:mod:`tests.conformance.mutate`).
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from provd.config import toml
from tests.conformance.ids import TESTS

ROOT: Final = TESTS.parent
LIST: Final = Path(__file__).with_name("mutations.toml")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One rule switched off.

    Attributes:
        rule: its id.
        file: path in the repository.
        old: text of the program.
        new: what stands there instead.
    """

    rule: str
    file: str
    old: str
    new: str

    def fault(self, root: Path = ROOT) -> str:
        """Why it cannot be applied, or an empty text."""
        path = root / self.file
        if not path.is_file():
            return f"{self.rule}: there is no {self.file}"
        found = path.read_text().count(self.old)
        if found != 1:
            return f"{self.rule}: the text stands {found} times in {self.file}, not once: {self.old!r}"
        return f"{self.rule}: the mutation changes nothing" if self.old == self.new else ""

    def apply(self, root: Path) -> None:
        """Change the file in a copy of the tree.

        Raises:
            ValueError: it does not apply.
        """
        if fault := self.fault(root):
            raise ValueError(fault)
        path = root / self.file
        path.write_text(path.read_text().replace(self.old, self.new))


def mutations() -> dict[str, Mutation]:
    """Every mutation by rule."""
    return {rule: Mutation(rule, *row) for rule, row in toml.read(LIST).items()}


def content_hash(mutation: Mutation, tests: list[tuple[str, str]]) -> str:
    """Changes when the mutation, the function it is in, or one of the rule's tests changes."""
    digest = hashlib.sha256(f"{mutation.old}\0{mutation.new}\0".encode())
    source = (ROOT / mutation.file).read_text()
    digest.update(_around(source, source.find(mutation.old)).encode())
    for file, name in sorted(tests):
        digest.update(f"\0{file}\0".encode())
        digest.update(_function(str(TESTS / file), name).encode())
    return digest.hexdigest()[:12]


def _around(source: str, at: int) -> str:
    """The smallest function or statement of the module that holds this place."""
    line = source.count("\n", 0, at) + 1
    best = source
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.Assign | ast.AnnAssign) and node.lineno <= line <= (
            node.end_lineno or 0
        ):
            text = ast.get_source_segment(source, node) or ""
            best = text if len(text) < len(best) and "def " in text else best
    return best


def _function(path: str, name: str) -> str:
    return _functions(Path(path).read_text()).get(name, "")


@cache
def _functions(source: str) -> dict[str, str]:
    """Kept by the text and not by its file, which may be written to meanwhile."""
    return {
        node.name: ast.get_source_segment(source, node) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
