"""The one error of the payload floor: a sentence for people."""

from __future__ import annotations


class PayloadError(Exception):
    """A payload could not be obtained; the text is one sentence that says what is missing and what to do."""
