"""The words for people: one catalogue a language, the same keys and placeholders in each."""

from pathlib import Path
from string import Formatter

from content.load import ContentError, line_of, read_text_map, short
from content.model import Language

LANGUAGES: tuple[Language, ...] = ("vi", "en")


class Catalogue:
    """Says a sentence by its key in the person's language."""

    def __init__(self, texts: dict[Language, dict[str, str]]) -> None:
        self._texts = texts

    def __call__(self, language: Language, key: str, /, **values: object) -> str:
        """The sentence `key` in `language`; raises KeyError for a key or placeholder that is not there."""
        return self._texts[language][key].format_map(values)

    def keys(self) -> frozenset[str]:
        """Every key, for the check that each is used."""
        return frozenset(self._texts["vi"])


def load_catalogue(folder: Path) -> Catalogue:
    """Read `*.vi.yaml` and `*.en.yaml`; raises ContentError where keys or placeholders differ or stand twice."""
    texts: dict[Language, dict[str, str]] = {language: {} for language in LANGUAGES}
    for path in sorted(folder.glob("*.vi.yaml")):
        pages = {
            language: path.with_name(path.name.replace(".vi.", f".{language}.")) for language in LANGUAGES
        }
        read = {language: read_text_map(page) for language, page in pages.items()}
        _check_same(pages, read)
        for language, page in pages.items():
            _check_new(page, read[language], texts[language])
            texts[language].update(read[language])
    return Catalogue(texts)


def placeholders(text: str) -> set[str]:
    """The names in braces of one text; raises ValueError where the braces do not match."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _check_same(pages: dict[Language, Path], read: dict[Language, dict[str, str]]) -> None:
    for language, page in pages.items():
        for key in read["vi"].keys() ^ read[language].keys():
            raise ContentError(short(page), (key,), line_of(page, (key,)), "stands in one language only")
        for key, text in read[language].items():
            _check_placeholders(page, key, text, read["vi"][key])


def _check_placeholders(page: Path, key: str, text: str, vietnamese: str) -> None:
    try:
        different = placeholders(text) ^ placeholders(vietnamese)
    except ValueError as error:
        raise ContentError(short(page), (key,), line_of(page, (key,)), str(error)) from None
    if different:
        names = ", ".join(sorted(different))
        raise ContentError(
            short(page), (key,), line_of(page, (key,)), f"placeholders differ between the languages: {names}"
        )


def _check_new(page: Path, new: dict[str, str], known: dict[str, str]) -> None:
    for key in new.keys() & known.keys():
        raise ContentError(short(page), (key,), line_of(page, (key,)), "stands in another file too")
