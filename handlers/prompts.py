"""Composes what a form asks: the question in its words, the choices, the ways around it, the controls a channel may draw."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from content.catalogue import Catalogue
from content.forms import ChoiceRow, Row
from content.model import Language, Menu
from handlers.fills import Fill
from handlers.messages import Choice, Control, Message
from handlers.showing import Showing
from handlers.taking import line_head
from handlers.walk import Place, Prompt, Walk

FEW = 12  # choices are listed up to here; of a longer autocomplete list the person types a part

LISTED = 3  # numbers in one line, from which on what they count is listed

Aside = str  # the name of a way around: skip, unknown, why, back, later, keep


class Prompts:
    """Says each prompt of a form in one language or the other."""

    def __init__(self, say: Catalogue, menu: Menu) -> None:
        self._say = say
        self._words = menu.form
        # The ways around a question, and its choices, are the same for everybody.
        self._same_asides = lru_cache(maxsize=4096)(self._named)
        self._same_choices = lru_cache(maxsize=1024)(self._choices)

    def showing(self, language: Language) -> Showing:
        """How answers are shown in that language."""
        return Showing(self._say, language)

    def ask(
        self,
        walk: Walk,
        prompt: Prompt,
        language: Language,
        *,
        lead: Iterable[str] = (),
        picked: str | None = None,
        own: Mapping[str, str] | None = None,
    ) -> Message:
        """The prompt as a message; `lead` are lines said before it, `picked` the names ticked so far, joined with «+».

        `own` are the person's own values, by question: what stands already is shown to nobody else.
        """
        showing = Showing(self._say, language, own)
        lines = [*lead, *(showing.label(walk, note) for note in walk.notes_before(prompt))]
        match prompt.kind:
            case "card":
                return self._card(walk, prompt, showing, lines)
            case "line":
                return self._line(walk, prompt, showing, lines)
            case "question":
                return self._question(walk, prompt, showing, lines, picked)

    def _question(
        self, walk: Walk, prompt: Prompt, showing: Showing, lines: list[str], picked: str | None
    ) -> Message:
        place, language = prompt.place, showing.language
        row = place.question.row
        lines.append(showing.label(walk, place))
        lines += self._standing(walk, prompt, showing)
        if row.hint:
            lines.append(showing.words(walk, place, row.hint))
        offered = walk.choices(place)
        several = place.question.kind == "select_multiple"
        names = _ticked(walk, place, picked) if several else ()
        choices = () if self._is_typed(place) else self._offered(place, offered, language)
        control = self._ticks(place, offered, names, language) if several else self._contact(row, language)
        asides = self._asides(walk, prompt, language, done=len(names) if picked else 0)
        return self.counted(
            walk, prompt, language, Message("\n".join(lines), choices + asides, control=control)
        )

    def _is_typed(self, place: Place) -> bool:
        question = place.question
        return question.row.appearance == "autocomplete" and len(question.choices) > FEW

    def _offered(
        self, place: Place, offered: tuple[ChoiceRow, ...], language: Language
    ) -> tuple[Choice, ...]:
        if offered is place.question.choices:
            return self._same_choices(place, None, language)
        return self._choices(place, offered, language)

    def _choices(
        self, place: Place, offered: Iterable[ChoiceRow] | None, language: Language
    ) -> tuple[Choice, ...]:
        """`offered` of its choices (None: all), and «I do not know» where that is one."""
        kind = "pick" if place.question.kind == "select_multiple" else "a"
        rows = place.question.choices if offered is None else offered
        found = [Choice(one.label[language], f"form:{kind}:{place.name}:{one.name}") for one in rows]
        if found and place.question.row.unknown:
            found.append(self.aside("unknown", place.name, language, numbered=True))
        return tuple(found)

    def _ticks(
        self, place: Place, offered: Iterable[ChoiceRow], picked: tuple[str, ...], language: Language
    ) -> Control:
        return Control(
            "several",
            f"form:pick:{place.name}:",
            picked=picked,
            typed=self._say(language, "form_several_typed"),
            alone=tuple(one.name for one in offered if one.exclusive),
            sends=f"form:set:{place.name}:",
            done=f"form:done:{place.name}",
        )

    def _contact(self, row: Row, language: Language) -> Control | None:
        """A channel may let the person share their own number instead of typing it."""
        if row.format != "phone_or_email":
            return None
        return Control("contact", labels=(self._say(language, "send_contact"),))

    def _line(self, walk: Walk, prompt: Prompt, showing: Showing, lines: list[str]) -> Message:
        language = showing.language
        group = prompt.group
        assert group
        if group.row.label:
            lines.append(showing.words(walk, prompt.place, group.row.label))
        lines += self._standing(walk, prompt, showing)
        labels = self.labels(walk, prompt, showing)
        unknown = any(place.question.row.unknown for place in prompt.places)
        example = (
            " ".join(("12", "3", "?" if unknown else "5", "8", "2")[: len(labels)])
            if len(labels) > 1
            else "12"
        )
        typed = self._line_typed(labels, example, language)
        if unknown:
            typed = self._say(language, "form_line_unknown", line=typed)
        control = Control(
            "numbers",
            f"form:set:{prompt.key}:{line_head(prompt)}",
            labels=labels,
            picked=tuple(_stepper(walk.fills.get(place.name)) for place in prompt.places),
            typed=typed,
        )
        if group.row.hint:
            lines.append(showing.words(walk, prompt.place, group.row.hint))
        asides = self._asides(walk, prompt, language)
        return self.counted(
            walk, prompt, language, Message("\n".join(lines) or typed, asides, control=control)
        )

    def _line_typed(self, labels: tuple[str, ...], example: str, language: Language) -> str:
        """How a line is typed; from three numbers on, what they count stands in lines with the place of each."""
        if len(labels) < LISTED:
            key = "form_line_one" if len(labels) == 1 else "form_line"
            return self._say(language, key, labels=", ".join(labels), count=len(labels), example=example)
        lines = (
            self._say(language, "form_review_line", number=number, line=label)
            for number, label in enumerate(labels, 1)
        )
        return self._say(
            language, "form_line_many", labels="\n".join(lines), count=len(labels), example=example
        )

    def labels(self, walk: Walk, prompt: Prompt, showing: Showing) -> tuple[str, ...]:
        """What each number of a line counts: the instances of a repeat, or the questions of a group."""
        return tuple(
            showing.instance(place, walk)
            or showing.words(walk, place, place.question.row.short or place.question.row.label)
            for place in prompt.places
        )

    def _card(self, walk: Walk, prompt: Prompt, showing: Showing, lines: list[str]) -> Message:
        """What is known already, on one card."""
        language = showing.language
        known = Walk(walk.form, {**walk.fills, **walk.known}, walk.today)
        lines.append(self._say(language, "form_card"))
        lines += [self.line(known, (place,), showing) for place in prompt.places]
        choices = (
            Choice(
                self._say(language, "form_card_right"), f"form:right:{prompt.key}", also=self._words["yes"]
            ),
            Choice(
                self._say(language, "form_card_wrong"), f"form:wrong:{prompt.key}", also=self._words["no"]
            ),
            self.aside("later", prompt.key, language),
        )
        return self.counted(walk, prompt, language, Message("\n".join(lines), choices))

    def line(
        self, walk: Walk, places: Iterable[Place], showing: Showing, personal: Mapping[str, str] | None = None
    ) -> str:
        """Places with what stands there, as one line: «Lĩnh vực: Khối lượng; Nhiệt độ»."""
        every = list(places)
        if len(every) == 1:
            what, value = showing.short(walk, every[0]), showing.value(walk, every[0], personal)
        else:
            group = every[0].question.line
            words = group.row.short or group.row.label if group else None
            what = showing.words(walk, every[0], words)
            parts = []
            for place in every:
                name = showing.instance(place, walk) or showing.words(
                    walk, place, place.question.row.short or place.question.row.label
                )
                parts.append(
                    self._say(
                        showing.language, "form_part", what=name, value=showing.value(walk, place, personal)
                    )
                )
            value = "; ".join(parts)
        return self._say(showing.language, "form_answer", what=what.rstrip(" ?:."), value=value)

    def _standing(self, walk: Walk, prompt: Prompt, showing: Showing) -> list[str]:
        """The answer that stands already, when a question is asked again; or the one of before, when it is known."""
        language = showing.language
        given = [place for place in prompt.places if place.name in walk.fills]
        if given:
            values = "; ".join(filter(None, (showing.value(walk, place) for place in given)))
            return [self._say(language, "form_standing", value=values)]
        if self.offers(walk, prompt):
            known = Walk(walk.form, {**walk.fills, **walk.known}, walk.today)
            values = "; ".join(filter(None, (showing.value(known, place) for place in prompt.places)))
            return [
                self._say(
                    language, "form_default" if _by_default(walk, prompt) else "form_known", value=values
                )
            ]
        return []

    def offers(self, walk: Walk, prompt: Prompt) -> bool:
        """Whether an answer of before stands ready for the whole prompt, and still fits."""
        if any(place.name not in walk.known for place in prompt.places):
            return False
        known = Walk(walk.form, {**walk.fills, **walk.known}, walk.today)
        return walk.is_open(prompt) and all(
            known.fits(place, walk.known[place.name]) for place in prompt.places
        )

    # Ways around a question

    def _asides(self, walk: Walk, prompt: Prompt, language: Language, *, done: int = 0) -> tuple[Choice, ...]:
        names: list[Aside] = []
        row = prompt.places[0].question.row
        if not walk.is_open(prompt):
            names.append("keep")
        elif self.offers(walk, prompt):
            names.append("default" if _by_default(walk, prompt) else "same")
        if not any(place.question.row.required for place in prompt.places):
            names.append("skip" if walk.is_open(prompt) else "clear")
        is_listed = (
            prompt.kind == "question" and prompt.place.question.choices and not self._is_typed(prompt.place)
        )
        if prompt.kind == "question" and row.unknown and not is_listed:
            names.append("unknown")
        if self.why(prompt):
            names.append("why")
        if walk.before(prompt):
            names.append("back")
        names.append("later")
        asides = self._same_asides(tuple(names), prompt.key, language)
        if not done:
            return asides
        label = self._say(language, "form_done", count=done)
        return (Choice(label, f"form:done:{prompt.key}", also=self._words["done"], aside=True), *asides)

    def around(self, walk: Walk, prompt: Prompt, language: Language) -> tuple[Choice, ...]:
        """The ways around a prompt that stand below whatever is asked back about it."""
        names = ("back", "later") if walk.before(prompt) else ("later",)
        return self._same_asides(names, prompt.key, language)

    def _named(self, names: tuple[Aside, ...], key: str, language: Language) -> tuple[Choice, ...]:
        return tuple(self.aside(name, key, language) for name in names)

    def aside(self, name: Aside, key: str, language: Language, *, numbered: bool = False) -> Choice:
        """A way around the question of that key."""
        label = self._say(language, f"form_aside_{name}")
        act = "skip" if name == "clear" else name  # an answer that stands is passed over by taking it away
        return Choice(label, f"form:{act}:{key}", also=self._words.get(act, ()), aside=not numbered)

    def why(self, prompt: Prompt) -> tuple[Place, ...]:
        """The places of a prompt that can say why they are asked."""
        return tuple(place for place in prompt.places if place.question.row.why)[:1]

    def counted(self, walk: Walk, prompt: Prompt, language: Language, message: Message) -> Message:
        """The message with how far it is; nobody counts what comes after submitting."""
        number, total = walk.position(prompt)
        counted = self._say(language, "form_counted", number=number, total=total)
        return Message(
            message.text, message.choices, message.attachments, message.control, (number, total), counted
        )


def _by_default(walk: Walk, prompt: Prompt) -> bool:
    """Whether what stands ready is the form's own default."""
    row = prompt.place.question.row
    return row.default is not None and str(walk.known[prompt.place.name].value) == row.default


def _ticked(walk: Walk, place: Place, picked: str | None) -> tuple[str, ...]:
    """The names ticked so far: those of this moment, or the answer that stands."""
    if picked is not None:
        return tuple(filter(None, picked.split("+")))
    fill = walk.fills.get(place.name)
    return fill.value if fill and isinstance(fill.value, tuple) else ()


def _stepper(fill: Fill | None) -> str:
    """What a stepper shows for an answer: a number, «?», or nothing."""
    if fill is None:
        return ""
    return "?" if fill.mark == "?" else str(fill.value)
