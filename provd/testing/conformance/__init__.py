"""The conformance kit: what every plugin has to keep, looked at one rule at a time."""

from __future__ import annotations

from provd.testing.conformance.kit import Verdict, examine, found_at, rules

__all__ = ["Verdict", "examine", "found_at", "rules"]
