"""The notice shown before anybody is asked for anything of their own: who collects, what for, for how long."""

from content.catalogue import placeholders
from content.everything import Content
from content.model import Language


class Notices:
    """Composes the notice; a line whose fact the office has not given yet is left out."""

    def __init__(self, content: Content) -> None:
        self._notice = content.notice
        self._office = content.office

    @property
    def version(self) -> str:
        """Which wording this is, for the evidence of consent."""
        return self._notice.version

    def short(self, language: Language, year: int) -> str:
        """The notice before the question whether the person agrees."""
        return self._filled(self._notice.short[language], language, year)

    def full(self, language: Language, year: int) -> str:
        """Everything about the person's data and rights."""
        return self._filled(self._notice.full[language], language, year)

    def _filled(self, lines: tuple[str, ...], language: Language, year: int) -> str:
        facts = self._facts(language, year)
        kept = (line for line in lines if all(facts.get(name, "") for name in placeholders(line)))
        return "\n".join(line.format_map(facts) for line in kept)

    def _facts(self, language: Language, year: int) -> dict[str, str]:
        office = self._office
        return {
            "office": office.name_en if language == "en" else office.name,
            "contact": ", ".join(filter(None, (office.phone, office.email))),
            "retention": office.retention or "",
            "use_limit": office.use_limit or "",
            "year": str(year),
        }
