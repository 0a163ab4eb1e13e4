"""In mounts of its own, with an /etc/pam.d of its own: what the plugin says of users, through the real libpam."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from provd.testing.runtime import FakeRuntime, run_now
from tests.fakes.shipped_plugins import shipped

#: pam_exec gives the password to a program on its standard input: "letmein" is right for everybody.
CHECK = '#!/bin/sh\n[ "$(cat | tr -d "\\0")" = "letmein" ] && [ "$PAM_TYPE" = auth ]\n'
SERVICES = {
    "provd": "auth required pam_exec.so expose_authtok quiet {check}\naccount required pam_permit.so\n",
    "open": "auth required pam_permit.so\naccount required pam_permit.so\n",
    "closed": "auth required pam_deny.so\naccount required pam_permit.so\n",
    "ended": "auth required pam_permit.so\naccount required pam_deny.so\n",
    "other": "auth required pam_deny.so\naccount required pam_deny.so\n",
}
ROLES = {"admin": ["daemon"], "operate": ["mail"], "read": ["*"]}


def asked(service: str, user: str, password: str, roles: dict[str, Any]) -> Any:
    """Role and groups, or None."""
    host = shipped("auth_pam", {"service": service, "roles": roles})
    host.start(FakeRuntime())
    found = run_now(host.authenticators["pam"].check(user, password))
    return None if found is None else [found.role, list(found.groups)]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        (place / "check").write_text(CHECK)
        (place / "check").chmod(0o755)
        (place / "pam.d").mkdir()
        for name, text in SERVICES.items():
            (place / "pam.d" / name).write_text(text.format(check=place / "check"))
        subprocess.run(["mount", "--bind", str(place / "pam.d"), "/etc/pam.d"], check=True)
        try:
            cases = json.loads(sys.argv[1])
            told = [asked(service, user, password, roles or ROLES) for service, user, password, roles in cases]
        finally:
            subprocess.run(["umount", "/etc/pam.d"], check=True)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
