"""Values as people may see them."""

from __future__ import annotations

from collections.abc import Mapping

from provd.config.secrets import is_reference
from provd.model.scrub import HIDDEN
from provd.plugin.scrub import scrub_value


def masked(value: object, key: str) -> object:
    """The value as it may be shown: secrets and references to them are hidden, tokens cut."""
    if is_reference(value):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(name): masked(child, str(name)) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [masked(child, key) for child in value]
    return scrub_value(value, key)
