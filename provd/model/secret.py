"""References to secrets, which stand in the place of values: a table with one of these keys."""

from __future__ import annotations

from typing import Final

SECRET_KINDS: Final = ("file", "env", "credential")
"""Where a secret is: in a file, in a variable of the environment, in a credential of systemd."""
NO_REFERENCE: Final = f"a secret is a table with one of the keys {', '.join(SECRET_KINDS)}"
"""What is said of anything else; it does not hold the value, which may be the secret itself."""
