"""What an edit of a table comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provd.config.merge import REMOVE


def changed(table: Mapping[str, Any], changes: Mapping[str, Any], *, merge: bool) -> dict[str, Any]:
    """A table with changes applied; None takes a key out.

    Args:
        table: the values so far.
        changes: key to new value.
        merge: tables in ``changes`` change single keys of tables, at every depth.
    """
    result = dict(table)
    for key, value in changes.items():
        old = result.get(key)
        if value is None:
            result.pop(key, None)
        elif merge and isinstance(value, Mapping) and (isinstance(old, Mapping) or old is None):
            result[key] = changed(old or {}, value, merge=True)
            # A key that is set again is no longer one that must not be inherited.
            for name in value:
                result[key].pop(f"{REMOVE}{name}", None) if not name.startswith(REMOVE) else None
        else:
            result[key] = value
    return result
