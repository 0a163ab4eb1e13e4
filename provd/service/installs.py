"""Answers and callbacks of running installs: ``answer/TOKEN/DOCUMENT`` and ``callback/TOKEN/NAME``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.logger import Logger

from provd.core.boot_policy import after_failed, after_fetched, after_finished
from provd.core.token_rules import Denied
from provd.model.content import Content, FileRequest, NotFound
from provd.model.scrub import scrub_path
from provd.model.token import InstallToken
from provd.plugin.contract_install import CALLBACK_FAILED, CallbackCall, CallbackResult
from provd.service.answers import AnswerError, Answers
from provd.service.ports import AnswerHost, InstallStates
from provd.service.sessions import Boot, Sessions
from provd.service.tokens import Tokens

ANSWER = "answer/"
CALLBACK = "callback/"


class Installs:
    """Serves what a running installer asks and hears what it reports."""

    def __init__(
        self,
        *,
        host: AnswerHost,
        tokens: Tokens,
        answers: Answers,
        sessions: Sessions,
        states: InstallStates,
        installed: Callable[[str, str], None],
        wall: Callable[[], float],
    ) -> None:
        """Take collaborators.

        Args:
            host: the plugin host.
            tokens: token checks.
            answers: renders documents.
            sessions: running boots.
            states: install state by system name.
            installed: clears ``netboot`` of the system with this name (policy ``once``); with the profile chosen at it.
            wall: seconds since the epoch.
        """
        self._host = host
        self._tokens = tokens
        self._answers = answers
        self._sessions = sessions
        self._states = states
        self._installed = installed
        self._wall = wall
        self._logger = Logger(namespace="provd.installs")

    def answer(self, request: FileRequest) -> Content | NotFound:
        """An answer file: rendered once per token, so that a repeat gets identical bytes."""
        text, _, document = request.path.removeprefix(ANSWER).partition("/")
        found = self._tokens.check_fetch(text, document, request.peer)
        if isinstance(found, Denied):
            return self._refuse(document, request, found)
        token, boot = found
        assert boot.plan is not None  # noqa: S101  check_fetch has seen it
        try:
            content = self._answers.document(replace(boot.plan, token=text), document, token, request.protocol)
        except AnswerError as error:
            self._sessions.note(boot, "answer.failed", {"document": document, "error": scrub_path(str(error))})
            self._logger.error("{error}", error=error)
            return NotFound(str(error), status=error.status)
        if request.method == "HEAD":
            return content

        def sent(octets: int) -> None:
            self._tokens.count(text, document)
            self._begun(token, boot)
            self._sessions.reach(boot, "answers")
            self._sessions.note(boot, "answer.served", {"document": document, "bytes": octets, "peer": request.peer})

        return replace(content, on_sent=sent)

    def tidy(self) -> None:
        """Answers of tokens that ended without a report (a newer boot, expiry) leave the memory, and their secrets."""
        for token in self._answers.tokens():
            if self._tokens.is_over(token):
                self._answers.forget(token)

    def revoke(self, system: str) -> None:
        """A system was removed: what its machine installs now is no longer ours to answer."""
        self._tokens.revoke(system)
        self.tidy()

    def _refuse(self, what: str, request: FileRequest, denied: Denied) -> NotFound:
        what = scrub_path(what)
        self._logger.warn("{what} refused to {peer}: {reason}", what=what, peer=request.peer, reason=denied.reason)
        boot = self._sessions.of_address(request.peer)
        if boot is not None:
            self._sessions.note(boot, "answer.refused", {"what": what, "peer": request.peer, "reason": denied.reason})
        return NotFound(denied.reason, status=denied.status)

    def callback(self, request: FileRequest) -> Content | NotFound:
        """A report of a running installer, or of the first boot of what it installed."""
        text, _, name = request.path.removeprefix(CALLBACK).partition("/")
        callback = self._host.callbacks.get(name)
        if callback is None:
            return NotFound(f"no callback {name!r}: an enabled plugin must register it")
        if request.method != "POST":
            return NotFound(f"callback {name} was asked for by {request.method}: a callback is posted", status=405)
        if len(request.body) > callback.max_bytes:
            return NotFound(f"callback {name} takes at most {callback.max_bytes} octets", status=413)
        found = self._tokens.check_callback(text, name, request.peer)
        if isinstance(found, Denied):
            return self._refuse(f"callback {name}", request, found)
        token, boot = found
        assert boot.plan is not None  # noqa: S101  check_callback has seen it
        try:
            result = callback.run(CallbackCall(name=name, body=request.body, plan=boot.plan, peer=request.peer))
        except Exception:  # noqa: BLE001  the plugin's fault; the installer is told, the service goes on
            self._logger.failure("callback {name} raised", name=name)
            return NotFound(f"callback {name} failed", status=500)
        if result.event == CALLBACK_FAILED:
            # The plugin raised or rests: an installer that heard success would never report again.
            self._sessions.note(boot, result.event, result.fields)
            return NotFound(f"callback {name} could not be taken", status=503)
        # Whoever reports its end again did not hear that it was taken; a refusal would stop it with an error.
        if not token.ended_at or result.outcome != token.end_reason:
            self._outcome(result, token, boot)
            self._sessions.note(boot, result.event, result.fields)
        return Content.text(result.reply, secret=True)

    def _begun(self, token: InstallToken, boot: Boot) -> None:
        """An installer that asks or reports has fetched everything, whatever the end of those transfers looked like."""
        state = self._states.get(token.system)
        if state.last_session != boot.session.id:
            self._states.put(token.system, after_fetched(state, boot.session.id))

    def _summary(self, boot: Boot) -> None:
        """How much the installer fetched from its source, once it has ended."""
        if boot.packages:
            self._sessions.note(boot, "package.summary", {"files": boot.packages, "bytes": boot.package_bytes})

    def _outcome(self, result: CallbackResult, token: InstallToken, boot: Boot) -> None:
        state = self._states.get(token.system)
        match result.outcome:
            case "started":
                self._begun(token, boot)
                self._sessions.reach(boot, "installing")
            case "finished":
                self._finished(token, boot)
            case "failed" if not token.ended_at:
                self._summary(boot)
                self._sessions.end(boot, "failed")
                self._states.put(token.system, after_failed(state))
                self._tokens.end(boot.session, "failed")
                self._answers.forget(token.token)
            case "firstboot":
                if not token.ended_at:
                    self._finished(token, boot)
                    self._sessions.note(boot, "install.finished", {"text": "told by the first boot"})
                self._sessions.reach(boot, "firstboot")
            case _ if not token.ended_at:
                self._sessions.reach(boot, "installing")

    def _finished(self, token: InstallToken, boot: Boot) -> None:
        """The system is on its disk: its installer says so, or the system itself where that report was lost."""
        # First what must be on the disk: if that fails the installer hears an error and reports again. What it said
        # counts all the same, as long as provd runs: the machine is not installed a second time.
        self._states.put(token.system, after_finished(self._states.get(token.system), self._wall()))
        self._installed(token.system, boot.session.choice)
        self._states.sync(token.system)
        self._summary(boot)
        self._sessions.reach(boot, "finished")
        self._sessions.end(boot, "finished")
        self._tokens.end(boot.session, "finished")
        self._answers.forget(token.token)
