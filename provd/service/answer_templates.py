"""The templates of each installer with the site's overrides before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from provd.plugin.templates import Templates


class AnswerTemplates:
    """Finds and renders them; each installer's are compiled once.

    Args:
        site_dir: the site's directory, whose ``templates/INSTALLER`` and ``templates`` are looked in first.
        clock: monotonic seconds.
    """

    def __init__(self, site_dir: Callable[[], str], clock: Callable[[], float]) -> None:
        self._site_dir, self._clock = site_dir, clock
        self._kept: dict[tuple[Path, ...], Templates] = {}

    def of(self, installer: str, folder: Path | None) -> Templates:
        """The templates of an installer.

        Args:
            installer: its name.
            folder: its own templates, if it brings any.
        """
        site = Path(self._site_dir()) / "templates"
        folders = (site / installer, site, *((folder,) if folder is not None else ()))
        templates = self._kept.get(folders)
        if templates is None:
            templates = self._kept[folders] = Templates(folders, clock=self._clock)
        return templates

    def render(self, installer: str, folder: Path | None, template: str, variables: Mapping[str, object]) -> str:
        """The text of one template.

        Args:
            installer: name of the installer.
            folder: its own templates, if it brings any.
            template: the template's key.
            variables: plain data by name.

        Raises:
            TemplateError: as :meth:`provd.plugin.templates.Templates.render`.
        """
        return self.of(installer, folder).render(template, variables)
