"""Which dialogue a cue belongs to; the one place that knows them all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from zoneinfo import ZoneInfo

from content.everything import Content
from content.model import Language
from handlers.ask import HAND, Ask
from handlers.choices import Picker, whole
from handlers.dialogue import (
    Chose,
    Cue,
    Dialogue,
    Edited,
    InGroup,
    NotUnderstood,
    Said,
    SaidTooMuch,
    SentFile,
    SentOther,
    Started,
    Step,
    Tapped,
    Unreadable,
    View,
)
from handlers.effects import KeepState, Outcome, Query
from handlers.filling import Filling
from handlers.hearing import Hearing
from handlers.home import GREETING, Home
from handlers.messages import Message
from handlers.notice import Notices
from handlers.people import CONTACT, Person, State, StateUnreadable, load_state
from handlers.privacy import Privacy
from handlers.staff import Staff
from handlers.survey import Survey

TO_STAFF = "talk_to_staff"
SURVEY_FORM = "demand_survey"


_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def _local(payload: str) -> str:
    return f"http://127.0.0.1:8080/?start={payload}"


def _local_desk(token: str) -> str:
    return f"http://127.0.0.1:8080/desk/in/{token}"


@dataclass(frozen=True)
class Place:
    """Where the service runs, as far as a dialogue needs to know.

    `zone`: the office's; `link` makes the address that carries a deep link's payload, `desk` the one that leads an
    officer in; `demo`: everything is open, also without the office's contact and retention.
    """

    zone: tzinfo = _ZONE
    link: Callable[[str], str] = _local
    demo: bool = False
    desk: Callable[[str], str] = _local_desk


class Router:
    """Leads every cue to its dialogue and is itself as pure as they are."""

    def __init__(
        self,
        content: Content,
        hearing: Hearing,
        others: Sequence[Dialogue] = (),
        place: Place | None = None,
    ) -> None:
        self._say = content.say
        place = place or Place()
        self.picker = Picker(content.menu.picking)
        form, notices = content.forms[SURVEY_FORM], Notices(content)
        self._is_trial = place.demo
        is_open = place.demo or may_ask(content)
        self.home = Home(content, has_survey=is_open)
        self._ask = Ask(content, hearing)
        self._filling = Filling(
            content, self.picker, notices, self._elsewhere, self.home.command, place.zone, place.link
        )
        self._survey = Survey(
            content, form, self._filling, notices, self._elsewhere, place.zone, is_open=is_open
        )
        self._privacy = Privacy(content, notices, self._elsewhere)
        self._staff = Staff(content.say, self._elsewhere, place.desk)
        known: list[Dialogue] = [
            self.home,
            self._ask,
            self._filling,
            self._survey,
            self._privacy,
            self._staff,
            *others,
        ]
        self._dialogues = {one.name: one for one in known}

    def route(self, cue: Cue, stored: str | None, person: Person) -> "Route":
        """Whose it is, and what must be read first; `stored` is the state as text, None for a newcomer."""
        state, unreadable = self._load(stored, person)
        if isinstance(cue, Tapped):
            cue = Tapped(whole(cue.value, state.screen))
        dialogue, given = self._receiver(cue, state, person)
        queries = (*dialogue.needs(given, state, person), *self._staff.queries(cue))
        if isinstance(cue, Said):
            for other, handed in self._handed_on(cue, state, dialogue):
                queries = tuple(dict.fromkeys((*queries, *other.needs(handed, state, person))))
        return Route(queries, self, cue, stored, state, unreadable, dialogue, given)

    def _handed_on(self, cue: Said, state: State, dialogue: Dialogue) -> list[tuple[Dialogue, Cue]]:
        """Who else may take it, and as what, because the dialogue it belongs to gives it away."""
        found: list[tuple[Dialogue, Cue]] = []
        if dialogue is not self._privacy and self._privacy.claims(cue):
            found.append((self._privacy, cue))
        if dialogue is self._filling and self._has_strange(state):
            picked = self.picker.pick(state.screen, cue.text)
            found += [(self._owner(value), Chose((value,))) for value in picked]
        return found

    def step(self, route: "Route", view: View) -> Step:
        """Decide what a cue that was led here changes."""
        person, language = self._speaking(route.cue, route.state, view.person)
        view = view.at(person, route.state, language)
        if isinstance(route.cue, Unreadable):
            raise NotUnderstood(route.cue.reason)
        if route.unreadable:
            return self._recovered(route.stored or "", route.unreadable, view)
        if opened := self._staff.opened(view):
            return self._put_away(view, self._introduced(view, opened))
        is_stale = isinstance(route.given, Tapped) and not route.dialogue.anytime(route.given.value)
        step = self._stale(view) if is_stale else route.dialogue.step(route.given, view)
        step = self._put_away(view, self._introduced(view, step))
        if isinstance(route.cue, Said) and route.cue.beside:
            return _with_last(step, self._say(view.language, "file_beside"))
        return step

    def _load(self, stored: str | None, person: Person) -> tuple[State, str | None]:
        """The state, and the reason why it could not be read."""
        if stored is None:
            return self.home.start(person.language, person), None
        try:
            state = load_state(stored)
        except StateUnreadable as reason:
            return self.home.start(person.language, person), str(reason)
        known = self._dialogues.get(state.dialogue)
        if known is None or known.version != state.version:
            return self.home.start(person.language, person), f"{state.dialogue} {state.version}"
        return state, None

    def _receiver(self, cue: Cue, state: State, person: Person) -> tuple[Dialogue, Cue]:
        """The dialogue that takes the cue, and the cue as it is given to it."""
        match cue:
            case Outcome():
                return self._dialogues[state.dialogue], cue
            case Tapped(value):
                is_strange = value.partition(":")[0] not in self._dialogues
                owner = self._filling if is_strange and self._is_filling(state) else self._owner(value)
                return owner, self._chosen(value, state)
            case Said(text):
                return self._said(text, cue, state, person)
            case SaidTooMuch() | SentFile() | SentOther() | Edited():
                return (self._filling if self._is_filling(state) else self.home), cue
            case Started():
                claiming: list[Dialogue] = [one for one in (self._survey, self._staff) if one.claims(cue)]
                return next(iter(claiming), self.home), cue
            case InGroup():
                return self.home, cue
            case _:
                return self._dialogues[state.dialogue], cue

    def _said(self, text: str, cue: Said, state: State, person: Person) -> tuple[Dialogue, Cue]:
        if self._is_filling(state):
            return self._filling, cue
        if picked := self.picker.pick(state.screen, text):
            return self._owner(picked[0]), Chose(picked)
        if command := self.home.command(text):
            return self.home, Chose((command,))
        if person.draft and self._filling.claims(text):
            return self._filling, cue
        if cue.understood.service == TO_STAFF and any(choice.value == HAND for choice in state.screen):
            return self._ask, Chose((HAND,))
        if self._privacy.claims(cue):
            return self._privacy, cue
        if self._survey.claims(cue) or (state.dialogue == self._survey.name and state.get("stage")):
            return self._survey, cue
        return self._home_or_ask(text, cue, state)

    def _home_or_ask(self, text: str, cue: Said, state: State) -> tuple[Dialogue, Cue]:
        if cue.understood.service:
            return self.home, cue
        if self.home.is_unknown_command(text):
            return self.home, Chose(("home:unknown",))
        if state.dialogue not in (self.home.name, self._ask.name, self._survey.name, self._privacy.name):
            return self._dialogues[state.dialogue], cue
        if self.picker.numbers(text):
            return self.home, Chose(("home:number",))
        return (self.home if cue.understood.topic == GREETING else self._ask), cue

    def _is_filling(self, state: State) -> bool:
        return state.dialogue == self._filling.name

    def _elsewhere(self, cue: Cue, view: View) -> Step:
        """What a dialogue gives away: a wish that is another's to fulfil."""
        match cue:
            case Chose((value,)):
                dialogue: Dialogue = self._owner(value)
                return dialogue.step(cue, view)
            case Said() if self._privacy.claims(cue):
                return self._privacy.step(cue, view)
            case Said() if self._survey.claims(cue):
                return self._survey.step(cue, view)
            case _:
                return self.home.step(cue, view)

    def _has_strange(self, state: State) -> bool:
        """Whether a choice on a form's screen is another's."""
        own = f"{self._filling.name}:"
        return not all(one.value.startswith(own) for one in state.screen)

    def _owner(self, value: str) -> Dialogue:
        return self._dialogues.get(value.partition(":")[0], self.home)

    def _chosen(self, value: str, state: State) -> Cue:
        """A tap on what is on the screen is a choice; any other stays a tap."""
        return Chose((value,)) if any(choice.value == value for choice in state.screen) else Tapped(value)

    def _stale(self, view: View) -> Step:
        """A button of an earlier message: say so kindly and show what is asked now, or the menu."""
        sentence = self._say(view.language, "stale_button")
        state = view.state if view.state.screen else self.home.start(view.language, view.person)
        return Step(view.person, state, (Message(sentence, state.screen),))

    def _recovered(self, stored: str, reason: str, view: View) -> Step:
        language = view.language
        message = Message(self._say(language, "state_lost"), self.home.menu(language, view.person))
        state = self.home.start(language, view.person)
        return Step(view.person, state, (message,), (KeepState(stored, reason),))

    def _speaking(self, cue: Cue, state: State, person: Person) -> tuple[Person, Language]:
        """Who speaks, and in what language: a clear sentence's own, remembered unless the person chose one.

        An answer to a form is no such sentence: an enterprise may have an English name.
        """
        if not (isinstance(cue, Said) and cue.understood.language_is_clear) or self._is_filling(state):
            return person, person.language
        language = cue.understood.language
        if not person.language_chosen and person.language != language:
            person = replace(person, language=language)
        return person, language

    def _introduced(self, view: View, step: Step) -> Step:
        """Whoever was never greeted is told first that a machine answers."""
        if view.person.greeted or not step.replies:
            return step
        step = replace(step, person=replace(step.person, greeted=True))
        if view.shows_greeting:
            return step
        if step.replies[0] != self.home.greeting(view.language, step.person):
            step = step.after(self.home.introduction(view.language))
        return self._on_trial(view.language, step) if self._is_trial else step

    def _put_away(self, view: View, step: Step) -> Step:
        """The same; a keyboard that shares one's number does not stay beside whatever is said next."""
        if not view.state.get(CONTACT) or step.state.get(CONTACT):
            return step
        if not step.replies:  # an outcome will say something
            data = (*step.state.data, (CONTACT, "1"))
            return replace(step, state=replace(step.state, data=data))
        first, *others = step.replies
        first = replace(first, withdraws=self._say(view.language, "contact_over"))
        return replace(step, replies=(first, *others))

    def _on_trial(self, language: Language, step: Step) -> Step:
        """The same, with the line that a page has as its banner."""
        first, *others = step.replies
        text = f"{first.text}\n{self._say(language, 'page_demo_banner')}"
        return replace(step, replies=(replace(first, text=text), *others))


def _with_last(step: Step, sentence: str) -> Step:
    """The same step with this said before its last message, in one with it: what answers comes last."""
    *first, last = step.replies or (Message(""),)
    text = "\n".join(filter(None, (sentence, last.text)))
    return replace(step, replies=(*first, replace(last, text=text)))


@dataclass(frozen=True, slots=True)
class Route:
    """Where one cue leads, decided once a turn: `queries` is what must be read before the step.

    `given` is the cue as `dialogue` takes it; `unreadable` says why the stored state could not be read.
    """

    queries: tuple[Query, ...]
    router: Router
    cue: Cue
    stored: str | None
    state: State
    unreadable: str | None
    dialogue: Dialogue
    given: Cue

    def step(self, view: View) -> Step:
        """Decide what the cue changes; `view.state` is not read: what a stored state means was decided before.

        Raises NotUnderstood for what the channel could not read.
        """
        return self.router.step(self, view)


def may_ask(content: Content) -> bool:
    """Whether a form may ask for what is personal: the office said how it is reached and how long it keeps that."""
    office = content.office
    return bool((office.phone or office.email) and office.retention)
