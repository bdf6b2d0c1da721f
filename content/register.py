"""The shape of content/register.yaml: how lists of enterprises look."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from content.model import Frozen, Source, Text

HeadingOf = Literal[
    "number",
    "name",
    "tax_code",
    "kind",
    "address",
    "commune",
    "district",
    "phone",
    "email",
    "person",
    "sector",
    "employees",
    "note",
    "confirm",
    "reason",
    "personal",
    "contacts",
]


class Syllables(Frozen):
    """What a Vietnamese syllable is made of, without its tone."""

    onsets: tuple[Text, ...]
    rhymes: Text  # by white space


class OldFont(Frozen):
    """Letters as they show without an old font, and the letters meant, in the same order."""

    shown: Text
    meant: Text

    @property
    def pairs(self) -> Mapping[str, str]:
        """What is shown, and what is meant by it."""
        by_word = " " in self.shown.strip()
        shown = self.shown.split() if by_word else list(self.shown)
        meant = self.meant.split() if by_word else list(self.meant)
        return dict(zip(shown, meant, strict=True))

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        try:
            _ = self.pairs
        except ValueError:
            raise ValueError("as many letters must be shown as are meant") from None
        return self


class Kind(Frozen):
    """A legal form and the words that name it."""

    code: Text
    words: tuple[Text, ...]


class PlaceWords(Frozen):
    """What stands before the name of a place."""

    commune: tuple[Text, ...]
    district: tuple[Text, ...]
    province: tuple[Text, ...]


class District(Frozen):
    """A district that is no more, and the communes there now."""

    name: Text
    also: tuple[Text, ...]
    now: tuple[Text, ...]


class RegisterWords(Frozen):
    """What is known of lists of enterprises."""

    syllables: Syllables
    tcvn3: OldFont
    vni: OldFont
    headings: Mapping[HeadingOf, tuple[Text, ...]]
    confirm_new: tuple[Text, ...]
    confirm_same: tuple[Text, ...]
    nothing: tuple[Text, ...]
    footers: tuple[Text, ...]
    kinds: tuple[Kind, ...]
    short_forms: Mapping[Text, Text]
    common: tuple[Text, ...]
    place_words: PlaceWords
    provinces: tuple[Text, ...]
    districts: tuple[District, ...]
    districts_unknown: tuple[Text, ...]
    districts_source: Source
