"""Switches the rules off one by one and sees that their tests notice: ``python -m tests.conformance.mutate [ID ...]``.

Works on copies of the tree in a temporary directory, never on the tree itself. With ``--record`` the outcome is kept for
docs/conformance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.conformance.ids import ids_to_tests
from tests.conformance.mutations import ROOT, Mutation, content_hash, mutations

RESULTS: Final = Path(__file__).with_name("mutation_results.json")
PLAIN: Final = "not netns and not qemu and not build"
CAUGHT: Final = "caught"
SURVIVED: Final = "survived"
_TIMEOUT_S: Final = 300
_WORKERS: Final = 2
_FAILED: Final = 1
_PASSED: Final = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mutation.

    Attributes:
        rule: id of the rule.
        result: ``caught``, ``survived``, or a sentence that says why it could not be tried.
        seconds: how long its tests ran.
    """

    rule: str
    result: str
    seconds: float


def copy_tree(target: Path) -> None:
    """The files of the repository as they are now, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def try_one(mutation: Mutation, tests: Sequence[tuple[str, str]], tree: Path) -> Outcome:
    """Apply a mutation to a copy, run its tests, and put the copy right again."""
    began = time.monotonic()
    path = tree / mutation.file
    if fault := mutation.fault(tree):
        return Outcome(mutation.rule, fault, 0.0)
    if not tests:
        return Outcome(mutation.rule, "no test bears its id", 0.0)
    sound = path.read_text()
    try:
        mutation.apply(tree)
        result = _run(tests, tree)
    finally:
        path.write_text(sound)
    return Outcome(mutation.rule, result, time.monotonic() - began)


def _run(tests: Iterable[tuple[str, str]], tree: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", PLAIN]
    command += [f"tests/{file}::{name}" for file, name in tests]
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(tree / ".hypothesis"),
    }
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, check=False, capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return CAUGHT
    if done.returncode == _FAILED:
        return CAUGHT
    if done.returncode == _PASSED:
        return SURVIVED
    lines = (done.stdout + done.stderr).strip().splitlines() or ["nothing was printed"]
    # A program that cannot even be imported says nothing about the rule.
    return f"pytest ended with {done.returncode}: {lines[-1]}"


def try_all(chosen: Sequence[Mutation], report: Callable[[Outcome], None], workers: int = _WORKERS) -> list[Outcome]:
    """Every mutation, some at a time; ``report`` hears of each as it is done.

    Raises:
        RuntimeError: the tests fail in a copy that nothing was changed in.
    """
    tests = ids_to_tests()
    waiting: queue.SimpleQueue[Mutation] = queue.SimpleQueue()
    for mutation in chosen:
        waiting.put(mutation)
    outcomes: list[Outcome] = []
    lock = threading.Lock()

    def work(tree: Path) -> None:
        while True:
            try:
                mutation = waiting.get_nowait()
            except queue.Empty:
                return
            outcome = try_one(mutation, tests.get(mutation.rule, ()), tree)
            with lock:
                outcomes.append(outcome)
                report(outcome)

    with tempfile.TemporaryDirectory(prefix="provd-mutations-") as scratch:
        trees = [Path(scratch) / str(number) for number in range(workers)]
        for tree in trees:
            copy_tree(tree)
        # A test that fails anyhow notices nothing.
        sound = _run(sorted({test for mutation in chosen for test in tests.get(mutation.rule, ())}), trees[0])
        if sound != SURVIVED:
            raise RuntimeError(f"the tests do not pass while every rule is kept: {sound}")
        threads = [threading.Thread(target=work, args=(tree,)) for tree in trees]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sorted(outcomes, key=lambda outcome: outcome.rule)


def kept() -> dict[str, Any]:
    """The outcome of earlier runs: by rule, result, date and hash of what was tried."""
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return found


def record(outcomes: Iterable[Outcome]) -> None:
    """Keep the outcome."""
    every, tests, today = mutations(), ids_to_tests(), datetime.now(UTC).date().isoformat()
    results = {rule: row for rule, row in kept().items() if rule in every}
    for outcome in outcomes:
        fingerprint = content_hash(every[outcome.rule], tests.get(outcome.rule, []))
        results[outcome.rule] = {"result": outcome.result, "date": today, "hash": fingerprint}
    lines = [f"{json.dumps(rule)}: {json.dumps(row)}" for rule, row in sorted(results.items())]
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main(arguments: list[str]) -> int:
    """Run from the command line; the exit code is 1 where a rule's tests did not notice."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.mutate", description=__doc__)
    parser.add_argument("rules", nargs="*", metavar="ID", help="rules, all where none is named")
    parser.add_argument("--record", action="store_true", help="keep the outcome for docs/conformance.md")
    parser.add_argument("--workers", type=int, default=_WORKERS)
    given = parser.parse_args(arguments)
    every = mutations()
    if unknown := [rule for rule in given.rules if rule not in every]:
        parser.error(f"no mutation for {', '.join(unknown)}")
    chosen = [every[rule] for rule in given.rules or every]
    done: list[Outcome] = []

    def report(outcome: Outcome) -> None:
        done.append(outcome)
        print(f"{len(done):4}/{len(chosen)} {outcome.rule} {outcome.result} ({outcome.seconds:.1f} s)", flush=True)

    outcomes = try_all(chosen, report, given.workers)
    if given.record:
        record(outcomes)
    wrong = [outcome for outcome in outcomes if outcome.result != CAUGHT]
    print(f"{len(outcomes) - len(wrong)} of {len(outcomes)} mutations are caught")
    for outcome in wrong:
        print(f"  {outcome.rule}: {outcome.result}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
