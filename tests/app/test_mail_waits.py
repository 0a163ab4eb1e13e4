"""A real service whose mail server is down: the mail waits over a restart, and the commands tell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.app.running_server import RunningServer, wait_until
from tests.fakes.mail_server import MailServer, mail_server

MAIL = """
[plugins.trigger_mail]
host = "127.0.0.1"
port = {port}
tls = "none"
from = "provd@example.org"
backoff_s = 0.5

[[plugins.trigger_mail.mails]]
name = "ops"
on = ["system.changed"]
to = ["ops@example.org"]
subject = "{{{{ system }}}} {{{{ fields.change | default('') }}}}"
"""


class Site(RunningServer):
    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, MAIL.format(port=port))
        self.config.write_text(self.config.read_text().replace('"relay",', '"relay", "trigger_mail",', 1))

    def provd(self, *words: str) -> str:
        command = [sys.executable, "-m", "provd", "--socket", str(self.folder / "run" / "provd.sock"), *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def rows(self, *words: str) -> Any:
        return json.loads(self.provd(*words, "-o", "json"))

    def newest(self) -> Any:
        return next(iter(self.rows("trigger", "runs")), {"waiting": False, "attempt": 0})


def test_a_mail_waits_for_its_server_over_a_restart(tmp_path: Path) -> None:
    taken = MailServer()
    with mail_server(taken):
        pass
    site = Site(tmp_path, taken.port)
    site.start()
    try:
        site.provd("system", "add", "web1", "--mac", "52:54:00:00:00:11")
        wait_until(lambda: site.newest()["attempt"] > 0, 20, site.text)
        run = site.newest()
        assert (run["trigger"], run["system"], run["ok"], run["waiting"]) == ("ops", "web1", False, True)
        assert "Connection refused" in run["output"]
        assert site.stop() == 0
        with mail_server(taken):
            site.start()
            wait_until(lambda: bool(taken.taken), 20, site.text)
            wait_until(lambda: not site.newest()["waiting"], 20, site.text)
            (listed,) = site.rows("trigger", "list")
            assert (listed["name"], listed["ok"], listed["output"]) == ("ops", True, "sent to ops@example.org")
            assert [letter["Subject"] for letter in map(taken.letter, range(len(taken.taken)))] == ["web1 added"]
            number = str(site.newest()["id"])
            site.provd("trigger", "replay", "--id", number)
            site.provd("trigger", "test", "ops", "--system", "web1")
        assert [taken.letter(at)["Subject"] for at in range(3)] == ["web1 added", "web1 added", "web1"]
        assert taken.letter(0)["Message-ID"] == taken.letter(1)["Message-ID"] != taken.letter(2)["Message-ID"]
    finally:
        assert site.stop() == 0
