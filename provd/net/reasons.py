"""Why a connection failed, in words: Twisted's exceptions say less, or more than is understood."""

from __future__ import annotations


def reason(error: BaseException) -> str:
    """A few words, without a dot at the end."""
    # Twisted wraps what happened in lists of failures, which say nothing about it as text.
    wrapped = getattr(error, "reasons", None)
    error = wrapped[0].value if wrapped else error
    kind, text = type(error).__name__, str(error)
    if kind == "VerificationError":
        return "its certificate is that of another name"
    if kind == "Error" and "SSL routines" in text and "certificate verify failed" not in text:
        return f"it speaks no TLS that is known here ({text.rpartition(', ')[2].strip(chr(39) + ')]')})"
    if "certificate verify failed" in text:
        return "its certificate is not signed by an authority that is trusted here"
    if kind == "DNSLookupError":
        return "its name has no address"
    # Twisted's text begins with a sentence that says less than the system's own.
    return text.rstrip(".").rpartition(": ")[2] or kind
