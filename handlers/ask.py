"""Questions about the plan: the answer with its clause, or a plain «the plan does not say»."""

import re
from dataclasses import replace

from content.catalogue import LANGUAGES
from content.everything import Content
from content.knowledge import DOCUMENT_ITEMS
from content.model import Language
from handlers.answers import Answer, answer, item_text, offer
from handlers.dialogue import Chose, Cue, Said, Step, Tapped, View
from handlers.effects import (
    HandedQuestion,
    HandToStaff,
    Query,
    QuestionByTicket,
    QuestionHanded,
    StoreQuestion,
)
from handlers.fold import fold
from handlers.following import About, Following, about
from handlers.hearing import Hearing
from handlers.messages import Choice, Message
from handlers.people import Person, State
from handlers.understand import Understood

_TICKET = re.compile(r"q\s?(\d{1,12})")
_LONGEST_TICKET = 20  # characters, white space included
HAND = "ask:hand"  # the choice that hands the last question to staff


class Ask:
    """Answers from the plan; everything somebody types that is nothing else is a question."""

    name = "ask"
    version = 1

    def __init__(self, content: Content, hearing: Hearing) -> None:
        self._content = content
        self._say = content.say
        self._following = Following(content)
        self._examples = {
            language: [hearing(question) for question in questions]
            for language, questions in content.menu.examples.items()
        }
        plan = content.plan
        self._tasks = frozenset(task.id for task in plan.tasks)
        self._items = self._tasks | {section.id for section in plan.sections} | set(DOCUMENT_ITEMS)
        self._open = {
            (item, language): self._opening(item, language) for item in self._items for language in LANGUAGES
        }

    def needs(self, cue: Cue, state: State, person: Person) -> tuple[Query, ...]:
        """The question behind a ticket, when somebody types one."""
        ticket = _ticket(cue)
        return (QuestionByTicket(ticket),) if ticket else ()

    def anytime(self, value: str) -> bool:
        """A clause or an example means the same for ever; the rest belongs to its own question."""
        return value.startswith(("ask:item:", "ask:example"))

    def step(self, cue: Cue, view: View) -> Step:
        """Answer a question, open a clause, or hand the last question to staff."""
        ticket = _ticket(cue)
        match cue:
            case Said() if ticket:
                return self._ticket(ticket, view)
            case Said():
                return self._said(cue, view)
            case Chose((value,)) | Tapped(value):
                return self._chosen(value, view)
            case QuestionHanded(ticket):
                return self._told(view, self._say(view.language, "handed", ticket=ticket))
            case _:
                return self._told(view, self._say(view.language, "menu"))

    def _said(self, cue: Said, view: View) -> Step:
        """The answer that was found, or one to what it asks of what was talked about before."""
        continued = self._continued(cue.understood, view.state)
        if continued is None:
            return self._answer(cue.text, cue.answers[view.language], view, about(cue.understood))
        # Rare and short: only here is an answer composed inside the transaction.
        found = answer(self._content, continued, view.language)
        return self._answer(cue.text, found, view, about(continued))

    def _continued(self, understood: Understood, state: State) -> Understood | None:
        item = state.get("about") if state.dialogue == self.name else None
        if item is None or not (understood.follows or understood.goes_on):
            return None
        asked = frozenset((state.get("asked") or "").split())
        return self._following.continued(understood, About(item, state.get("target"), asked))

    def _chosen(self, value: str, view: View) -> Step:
        language = view.language
        match value.split(":", 2):
            case ["ask", "item", item] if item in self._items:
                message = Message(item_text(self._content, item, language), self._after(language))
                step = self._shown(view, message)
                return replace(step, state=replace(step.state, data=About(item).dump()))
            case ["ask", "examples"]:
                return self._offer_examples(view)
            case ["ask", "example", number] if number.isdecimal():
                return self._example(int(number), view)
            case ["ask", "hand"] if question := view.state.get("question"):
                return Step(view.person, self._state(), effects=(HandToStaff(question, language),))
            case ["ask", "none"]:
                return self._silent(view)
            case ["ask", "again"]:
                return self._told(view, self._say(language, "ask_again_reply"))
            case _:
                return self._told(view, self._say(language, "menu"))

    def _example(self, number: int, view: View) -> Step:
        questions = self._examples[view.language]
        said = questions[(number - 1) % len(questions)]
        return self._answer(said.text, said.answers[view.language], view, about(said.understood))

    def _offer_examples(self, view: View) -> Step:
        questions = self._examples[view.language]
        choices = tuple(
            Choice(said.text, f"ask:example:{number}") for number, said in enumerate(questions, 1)
        )
        return self._shown(view, Message(self._say(view.language, "plan_examples"), choices))

    def _answer(self, text: str, found: Answer, view: View, last: About | None) -> Step:
        if not found.text:
            return Step(view.person, view.state)
        language = found.language
        message = Message(found.text, self._choices(found, language))
        if found.kind == "smalltalk":
            return Step(view.person, view.state, (message,))  # what was asked before still stands
        step = self._shown(view, message)
        if found.kind not in ("handoff", "did_you_mean"):
            return replace(step, state=replace(step.state, data=last.dump())) if last else step
        state = replace(step.state, data=(("question", text),))
        if found.kind == "did_you_mean":
            return replace(step, state=state)
        return replace(step, state=state, effects=(StoreQuestion(text, language, found.topic),))

    def _choices(self, found: Answer, language: Language) -> tuple[Choice, ...]:
        match found.kind:
            case "plan" | "faq":
                cited = () if found.whole else found.citations[:2]
                return self._clauses(cited + found.suggestions, 3, language)
            case "did_you_mean":
                titles = tuple(self._titled(item, language) for item in found.suggestions[:3])
                return (*titles, Choice(self._say(language, "none_of_these"), "ask:none"))
            case "handoff":
                return self._clauses(found.suggestions[:1], 1, language) + self._ways_on(language)
            case _:
                return ()

    def _silent(self, view: View) -> Step:
        """None of the offered meanings was meant: the plan does not say."""
        question = view.state.get("question") or ""
        message = Message(self._say(view.language, "plan_silent"), self._ways_on(view.language))
        state = replace(self._state(message.choices), data=view.state.data)
        return Step(view.person, state, (message,), (StoreQuestion(question, view.language, None),))

    def _ways_on(self, language: Language) -> tuple[Choice, ...]:
        menu = self._content.menu
        hand = Choice(self._say(language, "hand_to_staff"), HAND, also=menu.hand_to_staff)
        return (hand, Choice(self._say(language, "ask_again"), "ask:again", also=menu.ask_again))

    def _clauses(self, items: tuple[str, ...], most: int, language: Language) -> tuple[Choice, ...]:
        """Choices that open whole clauses: people know «mục I.2.a», not our number of a bullet in it."""
        clauses = dict.fromkeys(item.partition("-")[0] for item in items)
        return tuple(self._open[clause, language] for clause in clauses if (clause, language) in self._open)[
            :most
        ]

    def _opening(self, item: str, language: Language) -> Choice:
        """The choice that opens a clause or a task."""
        name = self._say(language, "task" if item in self._tasks else "clause", id=item)
        return Choice(self._say(language, "open_item", name=name), f"ask:item:{item}")

    def _titled(self, item: str, language: Language) -> Choice:
        return Choice(offer(self._content, item, language), f"ask:item:{item}")

    def _after(self, language: Language) -> tuple[Choice, ...]:
        return (Choice(self._say(language, "menu_back"), "home:menu"),)

    def _ticket(self, ticket: str, view: View) -> Step:
        language = view.language
        match view.answers.get(QuestionByTicket(ticket)):
            case HandedQuestion(_, text, asked_on):
                found = self._say(language, "ticket", ticket=ticket, date=asked_on, question=text)
                return self._told(view, found)
            case _:
                return self._told(view, self._say(language, "ticket_unknown", ticket=ticket))

    def _told(self, view: View, text: str) -> Step:
        return self._shown(view, Message(text))

    def _shown(self, view: View, message: Message) -> Step:
        return Step(view.person, self._state(message.choices), (message,))

    def _state(self, screen: tuple[Choice, ...] = ()) -> State:
        return State(self.name, self.version, screen=screen)


def _ticket(cue: Cue) -> str | None:
    if not isinstance(cue, Said) or len(cue.text) > _LONGEST_TICKET:
        return None
    found = _TICKET.fullmatch(fold(cue.text))
    return f"Q{int(found[1])}" if found else None
