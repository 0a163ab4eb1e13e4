"""Judges answer files that are JSON: by a JSON Schema, and by the rules that a schema cannot say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from provd.plugin.contract_install import Finding

_MOST_FAULTS: Final = 20
"""Remarks of the schema that are told of one document."""


def nobody_else() -> Iterable[Finding]:
    """Where no program of the installer's own judges as well."""
    return ()


def judged_json(
    document: str,
    text: str,
    *,
    schema: Mapping[str, Any],
    said: Callable[[Any], str],
    rules: Callable[[Any], Iterable[str]],
    program: Callable[[], Iterable[Finding]] = nobody_else,
) -> Iterator[Finding]:
    """What is wrong with one document.

    Args:
        document: its name.
        text: all of it.
        schema: a JSON Schema (draft 2020-12).
        said: a sentence for a ``jsonschema.ValidationError``; the library's own may hold values that are secret.
        rules: sentences on a document that the schema has nothing against.
        program: what the installer's own program says, asked where the text is JSON.
    """
    try:
        whole = json.loads(text)
    except ValueError as error:
        yield Finding("error", document, f"no JSON: {error}", getattr(error, "lineno", 0))
        return
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        yield Finding("warning", document, "not judged: jsonschema is not installed here (pip install 'provd[lint]')")
        return
    yield from program()
    faults = sorted(Draft202012Validator(schema).iter_errors(whole), key=lambda one: one.json_path)
    for fault in faults[:_MOST_FAULTS]:
        yield Finding("error", document, f"{fault.json_path.removeprefix('$.')}: {said(fault)}")
    if not faults:
        yield from (Finding("error", document, sentence) for sentence in rules(whole))
