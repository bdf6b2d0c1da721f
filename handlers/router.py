"""Which dialogue a cue belongs to; the one place that knows them all."""

from collections.abc import Sequence
from dataclasses import replace

from content.everything import Content
from content.model import Language
from handlers.ask import HAND, Ask
from handlers.choices import Picker
from handlers.dialogue import Chose, Cue, Dialogue, Said, SaidTooMuch, SentFile, Started, Step, Tapped, View
from handlers.effects import KeepState, Outcome, Query
from handlers.hearing import Hearing
from handlers.home import GREETING, Home
from handlers.messages import Message
from handlers.people import Person, State, StateUnreadable, load_state

TO_STAFF = "talk_to_staff"


class Router:
    """Leads every cue to its dialogue and is itself as pure as they are."""

    def __init__(self, content: Content, hearing: Hearing, others: Sequence[Dialogue] = ()) -> None:
        self._say = content.say
        self.home = Home(content)
        self.picker = Picker(content.menu.picking)
        self._ask = Ask(content, hearing)
        known: list[Dialogue] = [self.home, self._ask, *others]
        self._dialogues = {one.name: one for one in known}

    def needs(self, cue: Cue, stored: str | None) -> tuple[Query, ...]:
        """What must be read before `step` is called with the same cue and state."""
        state, _ = self._load(stored, "vi")
        if isinstance(cue, Tapped):
            return self._owner(cue.value).needs(cue, state)
        # Whoever may take it is asked; to find out who does would cost more than a row too many.
        needed = self._ask.needs(cue, state)
        current = self._dialogues[state.dialogue]
        return needed if current is self._ask else (*current.needs(cue, state), *needed)

    def step(self, cue: Cue, stored: str | None, view: View) -> Step:
        """Decide what the cue changes; `stored` is the state as text, None for a newcomer.

        `view.state` is not read: what a stored state means is decided here.
        """
        person, language = self._speaking(cue, view.person)
        state, unreadable = self._load(stored, language)
        view = replace(view, person=person, state=state, language=language)
        if unreadable:
            return self._recovered(stored or "", unreadable, view)
        dialogue, cue = self._receiver(cue, state)
        step = self._stale(view) if self._is_stale(cue, state, dialogue) else dialogue.step(cue, view)
        return self._introduced(cue, view, step)

    def _load(self, stored: str | None, language: Language) -> tuple[State, str | None]:
        """The state, and the reason why it could not be read."""
        if stored is None:
            return self.home.start(language), None
        try:
            state = load_state(stored)
        except StateUnreadable as reason:
            return self.home.start(language), str(reason)
        known = self._dialogues.get(state.dialogue)
        if known is None or known.version != state.version:
            return self.home.start(language), f"{state.dialogue} {state.version}"
        return state, None

    def _receiver(self, cue: Cue, state: State) -> tuple[Dialogue, Cue]:
        """The dialogue that takes the cue, and the cue as it is given to it."""
        match cue:
            case Outcome():
                return self._dialogues[state.dialogue], cue
            case Tapped(value):
                return self._owner(value), self._chosen(value, state)
            case Said(text):
                return self._said(text, cue, state)
            case Started() | SaidTooMuch() | SentFile():
                return self.home, cue
            case _:
                return self._dialogues[state.dialogue], cue

    def _said(self, text: str, cue: Said, state: State) -> tuple[Dialogue, Cue]:
        if picked := self.picker.pick(state.screen, text):
            return self._owner(picked[0]), Chose(picked)
        if command := self.home.command(text):
            return self.home, Chose((command,))
        if cue.understood.service == TO_STAFF and any(choice.value == HAND for choice in state.screen):
            return self._ask, Chose((HAND,))
        if cue.understood.service:
            return self.home, cue
        if self.home.is_unknown_command(text):
            return self.home, Chose(("home:unknown",))
        if state.dialogue not in (self.home.name, self._ask.name):
            return self._dialogues[state.dialogue], cue
        if self.picker.numbers(text):
            return self.home, Chose(("home:number",))
        return (self.home if cue.understood.topic == GREETING else self._ask), cue

    def _owner(self, value: str) -> Dialogue:
        return self._dialogues.get(value.partition(":")[0], self.home)

    def _chosen(self, value: str, state: State) -> Cue:
        """A tap on what is on the screen is a choice; any other stays a tap."""
        return Chose((value,)) if any(choice.value == value for choice in state.screen) else Tapped(value)

    def _is_stale(self, cue: Cue, state: State, dialogue: Dialogue) -> bool:
        return isinstance(cue, Tapped) and not dialogue.anytime(cue.value)

    def _stale(self, view: View) -> Step:
        """A button of an earlier message: say so kindly and show what is asked now, or the menu."""
        sentence = self._say(view.language, "stale_button")
        state = view.state if view.state.screen else self.home.start(view.language)
        return Step(view.person, state, (Message(sentence, state.screen),))

    def _recovered(self, stored: str, reason: str, view: View) -> Step:
        language = view.language
        message = Message(self._say(language, "state_lost"), self.home.menu(language))
        return Step(view.person, self.home.start(language), (message,), (KeepState(stored, reason),))

    def _speaking(self, cue: Cue, person: Person) -> tuple[Person, Language]:
        """Who speaks, and in what language: a clear sentence's own, remembered unless the person chose one."""
        if not (isinstance(cue, Said) and cue.understood.language_is_clear):
            return person, person.language
        language = cue.understood.language
        if not person.language_chosen and person.language != language:
            person = replace(person, language=language)
        return person, language

    def _introduced(self, cue: Cue, view: View, step: Step) -> Step:
        """Whoever was never greeted is told first that a machine answers."""
        if view.person.greeted or not step.replies:
            return step
        step = replace(step, person=replace(step.person, greeted=True))
        if view.shows_greeting or step.replies[0] == self.home.greeting(view.language):
            return step
        return step.after(self.home.introduction(view.language))
