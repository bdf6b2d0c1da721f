"""What every step of filling in a form has around it, and the one way in which it ends."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from content.catalogue import Catalogue
from content.model import Language
from handlers.choices import Picker
from handlers.dialogue import Cue, Step, View
from handlers.effects import Effect
from handlers.fills import PERSONAL
from handlers.messages import Choice, Message
from handlers.notice import Notices
from handlers.people import CONTACT, Person, State
from handlers.prompts import Prompts
from handlers.responses import Draft
from handlers.showing import Showing
from handlers.taking import Taker
from handlers.walk import Place, Prompt, Walk

NAME, VERSION = "form", 1
OWN_DATA = ("my_data", "delete_my_data")  # the services that are a person's right at any moment
ASKING = ("ask", "line", "specify", "tax", "gate")  # modes in which something about a prompt is open

Elsewhere = Callable[[Cue, View], Step]


@dataclass(frozen=True)
class Tools:
    """What the dialogue was built with.

    `elsewhere` answers what is not the form's; `command` tells the typed commands that mean the same everywhere, such
    as «English»; `link` makes an address of a deep link's payload.
    """

    say: Catalogue
    words: Mapping[str, tuple[str, ...]]
    picker: Picker
    taker: Taker
    prompts: Prompts
    notices: Notices
    elsewhere: Elsewhere
    command: Callable[[str], str | None]
    zone: tzinfo
    link: Callable[[str], str]


@dataclass(frozen=True)
class Here:
    """One step's surroundings: the view, the response, the way through it, and what has been decided so far.

    `lead` are lines to be said before the next message, `own` what this person said of themselves in the response,
    `spared` the open places that are not asked of them because they said no to the notice.
    """

    tools: Tools
    view: View
    draft: Draft
    walk: Walk
    person: Person
    effects: tuple[Effect, ...] = ()
    lead: tuple[str, ...] = ()
    own: Mapping[str, str] = field(default_factory=dict)
    spared: tuple[str, ...] = ()

    @property
    def language(self) -> Language:
        """The language to answer in."""
        return self.view.language

    @property
    def showing(self) -> Showing:
        """How answers are shown in it."""
        return self.tools.prompts.showing(self.language)

    @property
    def prompt(self) -> Prompt | None:
        """The prompt on the screen."""
        at = self.get("at")
        return self.walk.prompt(at) if at else None

    @property
    def ticked(self) -> str:
        """What was ticked on the screen and is not stored yet: names joined with «+», "" where nothing was touched."""
        prompt = self.prompt
        is_ticking = prompt and prompt.kind == "question" and prompt.place.question.kind == "select_multiple"
        return self.get("pending") if is_ticking and self.get("mode") == "ask" else ""

    @property
    def missing(self) -> int:
        """How many questions that are asked before sending are open."""
        return sum(self.walk.is_open(prompt) for prompt in self.walk.prompts(later=False))

    @property
    def is_gone(self) -> bool:
        """Whether what was asked is asked no more, because somebody else changed what it hangs on."""
        return bool(self.get("at")) and self.get("mode") in ASKING and self.prompt is None

    @property
    def is_submitted(self) -> bool:
        """Whether the response was sent."""
        return self.draft.status == "submitted"

    def get(self, key: str) -> str:
        """One value of the state's data."""
        return self.view.state.get(key) or ""

    def tell(self, key: str, **values: object) -> str:
        """A sentence of the catalogue."""
        return self.tools.say(self.language, key, **values)

    def saying(self, *lines: str) -> "Here":
        """The same, with these lines said before the next message."""
        return replace(self, lead=(*self.lead, *lines)) if lines else self

    def doing(self, *effects: Effect) -> "Here":
        """The same, with these things to be done."""
        return replace(self, effects=(*self.effects, *effects)) if effects else self

    def text(self, *lines: str) -> str:
        """These lines behind those that lead."""
        return "\n".join((*self.lead, *lines))

    def choice(self, key: str, value: str, *words: str, **values: object) -> Choice:
        """A choice with its label, and the words that pick it as well."""
        also = tuple(word for name in words for word in self.tools.words[name])
        return Choice(self.tell(key, **values), value, also=also)

    def retype(self, prompt: Prompt) -> Choice:
        """The choice to answer a prompt anew."""
        return self.choice("form_retype", f"form:retype:{prompt.key}", "no")

    def title(self) -> str:
        """What the form is called, and whose it is where that was said."""
        title = self.draft.form.file.settings.title[self.language]
        enterprise = self.walk.fills.get("enterprise")
        if enterprise is None or enterprise.mark:
            return self.tell("form_title", title=title, year=self.draft.year)
        return self.tell("form_title_of", title=title, year=self.draft.year, enterprise=enterprise.value)

    def is_anothers(self, places: Iterable[Place]) -> bool:
        """Whether somebody else said there who they are."""
        fills = self.walk.fills
        return any(
            place.name in fills and fills[place.name].mark == PERSONAL and place.question.name not in self.own
            for place in places
        )

    def show(
        self,
        message: Message,
        prompt: Prompt | None,
        *,
        mode: str = "ask",
        pending: str = "",
        back: str | None = None,
    ) -> Step:
        """Say it and remember what is on the screen.

        `mode` says what about the prompt is open, `pending` what was said and is not stored yet, `back` where the
        person returns to after it (as before, when None).
        """
        if prompt and message.progress is None and mode in ASKING:
            message = self.tools.prompts.counted(self.walk, prompt, self.language, message)
        kept = {
            "mode": mode,
            "at": prompt.key if prompt else "",
            "pending": pending,
            "back": self.get("back") if back is None else back,
            "part": "later" if prompt and prompt.later else self.get("part"),
            "tax": self._tax(prompt) if prompt else "",
            "own": "1" if prompt and self._is_near_the_end(prompt) else "",
            CONTACT: "1" if message.control and message.control.kind == CONTACT else "",
            "opened": self.get("opened") if prompt and prompt.place.question.card else "",
        }
        data = tuple((key, value) for key, value in kept.items() if value)
        code = self.draft.code
        person = self.person if self.person.draft == code else replace(self.person, draft=code)
        return Step(person, State(NAME, VERSION, data, message.choices), (message,), self.effects)

    def with_opened(self, card: str) -> "Here":
        """The same, with that card taken apart into its questions."""
        data = (*((key, value) for key, value in self.view.state.data if key != "opened"), ("opened", card))
        view = replace(self.view, state=replace(self.view.state, data=data))
        return replace(self, view=view, walk=self.walk.with_opened(card))

    def _tax(self, prompt: Prompt) -> str:
        """What must be known to look for others with the tax code that is about to be typed."""
        is_code = prompt.place.question.row.format == "tax_code"
        return f"{self.draft.form.id} {self.draft.year}" if is_code else ""

    def _is_near_the_end(self, prompt: Prompt) -> bool:
        """Whether the review may follow right after this prompt, with what the person said of themselves."""
        if prompt.later or prompt.place.question.row.personal:
            return True
        after = self.walk.next_but(prompt.key)
        return after is None or after.place.question.row.personal
