"""Changes to the site's templates in memory, beside those to its objects."""

from __future__ import annotations

from pathlib import Path

from provd.config.site_templates import FOLDER, MOST_OCTETS, read_template, revision_of
from provd.config.site_templates import NAME as TEMPLATE_NAME


class DraftError(ValueError):
    """A change is not possible; the sentence says why.

    Attributes:
        field: argument that is wrong, or empty.
        missing: the object does not exist.
        denied: whoever asks may not change it.
    """

    def __init__(self, sentence: str, *, field: str = "", missing: bool = False, denied: bool = False) -> None:
        super().__init__(sentence)
        self.field, self.missing, self.denied = field, missing, denied


class TemplateDraft:
    """What the templates would be.

    Args:
        site: directory of the site.
        changes: takes folder and name of what is changed, with its new octets; None where it goes.

    Attributes:
        before: what changed templates were, None for new ones.
    """

    def __init__(self, site: Path, changes: dict[tuple[str, str], bytes | None]) -> None:
        self._site, self._changes = site, changes
        self.before: dict[str, bytes | None] = {}

    def content(self, name: str) -> bytes:
        """Content of a template of the site, with the changes so far.

        Raises:
            DraftError: there is none.
        """
        at = (FOLDER, name)
        raw = self._changes[at] if at in self._changes else read_template(self._site, name)
        if raw is None:
            raise DraftError(f"there is no template {name!r}", field="name", missing=True)
        return raw

    def add(self, name: str, content: bytes) -> None:
        """A new template.

        Raises:
            DraftError: the name is taken or none, or the content is too long.
        """
        if not TEMPLATE_NAME.fullmatch(name):
            raise DraftError(
                f"{name!r} is not the name of a template: NAME or INSTALLER/NAME is expected", field="name"
            )
        try:
            self.content(name)
        except DraftError:
            self._put(name, content)
            return
        raise DraftError(f"template {name} exists already", field="name")

    def edit(self, name: str, content: bytes | None, *, expected: str = "") -> None:
        """Another content for a template, None to take it away.

        Raises:
            DraftError: unknown, stale, or too long.
        """
        now = revision_of(self.content(name))
        if expected and expected != now:
            rule = f"template {name} was changed meanwhile (revision {now}, not {expected})"
            raise DraftError(rule, field="revision")
        self._put(name, content)

    def _put(self, name: str, content: bytes | None) -> None:
        if content is not None and len(content) > MOST_OCTETS:
            raise DraftError(f"template {name} has more than {MOST_OCTETS} octets", field="content")
        self.before.setdefault(name, read_template(self._site, name))
        self._changes[FOLDER, name] = content
