"""The dialogue of every form: leads each cue to the step it asks for.

The state says where the person stands: `at` is the prompt on the screen; `mode` what about it is open (ask, line,
specify, tax, card, gate, review, later, submitted, stop, cancel); `pending` what was said and is not stored yet.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import tzinfo

from content.everything import Content
from handlers.choices import Picker
from handlers.dialogue import (
    FILE_FAULTS,
    Chose,
    Cue,
    Edited,
    Said,
    SaidTooMuch,
    SentFile,
    SentOther,
    Step,
    Tapped,
    View,
)
from handlers.effects import Effect, Query, StoreQuestion
from handlers.filling import leaving, reading, review
from handlers.filling.asking import ask, ask_changed_line
from handlers.filling.course import again, go_on, more
from handlers.filling.here import NAME, OWN_DATA, VERSION, Elsewhere, Here, Tools
from handlers.filling.keeping import answer_consent, changed, keep, save, without_own
from handlers.fills import NOT_KNOWN, PASSED, Fill
from handlers.fold import fold, means
from handlers.messages import Message
from handlers.notice import Notices
from handlers.people import Person, State
from handlers.prompts import Prompts
from handlers.responses import AgreedBeside, Draft, DraftOf, PersonalOf, TaxCodeTaken, shown_code, told_code
from handlers.showing import shown_number
from handlers.taking import Candidates, NotTaken, Taken, Taker, defaults, line_tokens
from handlers.values import Values, tax_code
from handlers.walk import Prompt, Walk

# Words that mean the same at any question.
COMMANDS = (
    "back",
    "skip",
    "why",
    "later",
    "stop",
    "cancel",
    "colleague",
    "review",
    "help",
    "submit",
    "code",
    "go_on",
)
CHOOSING = ("review", "later", "stop", "cancel", "gate", "card", "submitted")  # nothing is typed here
_SHOWING = (
    "form:review",
    "form:summary",
    "form:resume",
    "form:next",
    "form:keep",
    "form:more",
    "form:submit",
)
WHOLE_WISH = 0.97  # a wish that is all that was said: no name of a firm, no free text comes near
SURE_WISH = 0.8  # a wish below it is not fulfilled in the middle of a form
_WORDS = re.compile(r"[^\W\d_]{2,}\W+[^\W\d_]{2,}")  # «12 3 ?» is no question
SURE = 0.6  # an answer of the plan below it is not given in place of an answer to the form
_NUMBER = re.compile(r"\d{1,3}")


class Filling:
    """Asks, keeps and corrects the answers to the response in hand."""

    name = NAME
    version = VERSION

    def __init__(
        self,
        content: Content,
        picker: Picker,
        notices: Notices,
        elsewhere: Elsewhere,
        command: Callable[[str], str | None],
        zone: tzinfo,
        link: Callable[[str], str],
    ) -> None:
        words = content.menu.form
        taker = Taker(content.say, content.menu, Values(content.values), picker)
        prompts = Prompts(content.say, content.menu)
        self._tools = Tools(
            content.say, words, picker, taker, prompts, notices, elsewhere, command, zone, link
        )
        self._commands = {fold(word): (name, word) for name in COMMANDS for word in words[name]}
        self._yes_or_no = frozenset(fold(word) for word in (*words["yes"], *words["no"]))
        self._code_names = frozenset(fold(word) for word in words["code"])
        self._withdrawing = frozenset(fold(word) for word in words["withdraw"])
        self._edit_words = tuple(fold(word) for word in words["edit"])
        self._edit_number = re.compile(rf"(?:{'|'.join(map(re.escape, self._edit_words))}) (\d{{1,3}})")
        self._acts: Mapping[str, Callable[[Here], Step]] = {
            "resume": go_on,
            "next": go_on,
            "later": leaving.later,
            "review": review.review,
            "submit": review.submit,
            "more": more,
            "colleague": leaving.hand_over,
            "stopped": leaving.stopped,
            "cancel": leaving.cancel,
            "summary": review.summary,
            "household": reading.household,
            "keep": keep,
            "agree": lambda here: answer_consent(here, yes=True),
            "refuse": lambda here: answer_consent(here, yes=False),
            "editing": lambda here: again(here.saying(here.tell("form_edit_how"))),
        }
        self._answers: Mapping[str, Callable[[Here, Prompt], Step]] = {
            "skip": _skip,
            "why": _why,
            "back": _back,
            "unknown": _unknown,
            "retype": ask,
            "same": reading.right_card,
            "default": reading.right_card,
            "right": reading.right_card,
            "wrong": reading.open_card,
            "yes": reading.right,
            "text": reading.kept_as_said,
            "rival": reading.own_response,
        }

    # The contract

    def needs(self, cue: Cue, state: State, person: Person) -> tuple[Query, ...]:
        """The response in hand; the person's own values where a review may follow; who else has a tax code."""
        if person.draft is None:
            return ()
        queries: list[Query] = [DraftOf(person.draft)]
        if state.get("own") or self._may_show_own(cue, state):
            queries.append(PersonalOf(person.draft))
        if state.get("mode") == "gate":
            queries.append(AgreedBeside(person.draft))
        typed = _tax_code_said(cue, state)
        if typed and (asked := state.get("tax")):
            form_id, year = asked.split()
            queries.append(TaxCodeTaken(form_id, int(year), typed, person.draft))
        return tuple(queries)

    def claims(self, text: str) -> bool:
        """Whether words typed elsewhere mean the response in hand: «làm tiếp», «xem lại», «sửa 5»."""
        return self._named(text) in ("go_on", "review", "colleague", "code") or self._number(text) is not None

    def anytime(self, value: str) -> bool:
        """Every tap is looked at: whether it is of the question on the screen is decided here."""
        return True

    def step(self, cue: Cue, view: View) -> Step:
        """Take one cue for the response in hand."""
        draft = view.answers.get(DraftOf(view.person.draft or ""))
        if not isinstance(draft, Draft) or draft.status == "cancelled":
            person = replace(view.person, draft=None)
            return self._tools.elsewhere(Chose(("home:menu",)), replace(view, person=person))
        here = self._here(view, draft)
        match cue:
            case Chose((value,)):
                return self._chosen(here, value)
            case Tapped(value):
                return self._tapped(here, value)
            case Said():
                return self._said(here, cue)
            case SentFile(fault=fault):
                return again(here.saying(here.tell(FILE_FAULTS[fault] if fault else "form_file")))
            case SentOther(kind):
                return again(here.saying(here.tell(f"sent_{kind}")))
            case Edited():
                return again(here.saying(here.tell("form_edited")))
            case SaidTooMuch(limit):
                return again(here.saying(here.tell("too_long", limit=shown_number(limit, here.language))))
        return again(here)

    # What other dialogues lead here

    def begin(
        self, view: View, draft: Draft, *, lead: tuple[str, ...] = (), effects: tuple[Effect, ...] = ()
    ) -> Step:
        """Go on with a response: the next question, or its review."""
        return go_on(replace(self._here(_fresh(view), draft), lead=lead, effects=effects))

    def card(self, view: View, draft: Draft) -> Step:
        """Say how far a response is, and what may be done with it."""
        return leaving.card(self._here(_fresh(view), draft))

    def same_as_before(self, view: View, draft: Draft, *, lead: tuple[str, ...]) -> Step:
        """Take everything that is known from before for given, and go on with what is open."""
        here = replace(self._here(_fresh(view), draft), lead=lead)
        given: dict[str, Fill | None] = {}
        walk = here.walk
        while (prompt := walk.next()) and here.tools.prompts.offers(walk, prompt):
            given |= {place.name: walk.known[place.name] for place in prompt.places}
            walk, change = here.walk.after(given)
            given = {name: fill for name, fill in change.fills.items() if name in given}
        here, _ = changed(here, given)
        return go_on(here)

    def _here(self, view: View, draft: Draft) -> Here:
        known = {**defaults(draft.form), **draft.known}
        today = view.now.astimezone(self._tools.zone).date()
        walk = Walk(draft.form, draft.fills, today, known, view.state.get("opened") or "")
        own = view.answers.get(PersonalOf(draft.code))
        here = Here(self._tools, view, draft, walk, view.person, own=own if isinstance(own, dict) else {})
        return without_own(here) if draft.refused else here

    # What came

    def _chosen(self, here: Here, value: str) -> Step:
        """Something on the screen was picked."""
        prompt = here.prompt
        match value.split(":", 3):
            case ["form", "a", _, name] if prompt:
                return reading.take(
                    here, prompt, here.tools.taker.names(here.walk, prompt.place, (name,), here.language)
                )
            case ["form", "pick", _, name] if prompt:
                return reading.tick(here, prompt, name)
            case ["form", "done", _] if prompt:
                return reading.drawn(here, prompt, here.get("pending"))
            case ["form", act, *_] if act in self._answers:
                return self._answers[act](here, prompt) if prompt else again(here)
            case ["form", act, *_] if act in self._acts:
                return self._acts[act](here)
            case ["form", *_]:
                return again(here)
        return self._tools.elsewhere(Chose((value,)), here.view)

    def _tapped(self, here: Here, value: str) -> Step:
        """A tap that is not on the screen: an answer by the channel's own control, or a button of an earlier message."""
        match value.split(":", 3):
            case ["form", "set", key, given] if (prompt := here.prompt) and key == prompt.key:
                return reading.drawn(here, prompt, given)
            case ["form", "resume", *_]:
                return go_on(here)
            case ["form", "later" | "colleague" | "review" as act, *_]:  # they mean the same at any question
                return self._acts[act](here)
            case ["form", "back", key] if here.prompt and (earlier := here.walk.prompt(key)):
                return _back(here, earlier)
            case ["form", "why", key] if earlier := here.walk.prompt(key):
                return _why(here, earlier)
        return again(here if here.is_gone else here.saying(here.tell("form_stale")))

    def _said(self, here: Here, cue: Said) -> Step:
        prompt = here.prompt
        if picked := self._picked(here, prompt, cue.text):
            return self._chosen(here, picked)
        if self._is_of_own_data(cue) or told_code(cue.text, self._code_names, clearly=True):
            return self._tools.elsewhere(cue, here.view)
        name = self._named(cue.text)
        if name and (step := self._command(here, name)):
            return step
        if chosen := self._tools.command(cue.text):
            return self._in_language(here, Chose((chosen,)))
        if number := self._edited(here, cue.text):
            return review.edit(here, number) or again(here.saying(review.refused_edit(here, number)))
        if here.get("mode") in CHOOSING:
            return self._other(here, cue) or again(here.saying(here.tell("form_choose")))
        if prompt is None:
            return self._other(here, cue) or again(here)
        if here.get("mode") == "specify":
            return reading.specified(here, prompt, cue.text)
        return self._answered(here, prompt, cue)

    def _is_of_own_data(self, cue: Said) -> bool:
        """Whether somebody asks for their own data and nothing else: a right, and never an answer."""
        wish = cue.understood
        is_wish = wish.service in OWN_DATA and wish.score >= WHOLE_WISH
        return is_wish or fold(cue.text) in self._withdrawing

    def _named(self, text: str) -> str | None:
        """The command that words alone stand for."""
        name, word = self._commands.get(fold(text), ("", ""))
        return name if name and means(text, word) else None

    def _picked(self, here: Here, prompt: Prompt | None, text: str) -> str | None:
        """The choice on the screen that was named; of a list of which several may be chosen, only a way around it."""
        screen = here.view.state.screen
        picked = next(iter(self._tools.picker.pick(screen, text)), None)
        several = prompt and prompt.kind == "question" and prompt.place.question.kind == "select_multiple"
        if picked and several and here.get("mode") == "ask" and picked.startswith("form:pick:"):
            return None
        return picked

    def _answered(self, here: Here, prompt: Prompt, cue: Said) -> Step:
        """Words that are an answer, a refusal, or no answer at all but a question of the person's own."""
        taker = self._tools.taker
        if here.get("mode") == "line":
            before = line_tokens(prompt, here.get("pending"))
            if before is None:
                return ask_changed_line(here, prompt)
            found = taker.line(here.walk, prompt, cue.text, before, here.language)
        else:
            found = reading.beside_ticks(
                here, prompt, taker.words(here.walk, prompt, cue.text, here.language)
            )
        in_words = prompt.kind == "question" and prompt.place.question.kind == "text"
        rather = _asks(cue, prompt) if in_words else isinstance(found, NotTaken | Candidates)
        if rather and (step := self._other(here, cue)):
            return step
        return reading.take(here, prompt, found)

    def _command(self, here: Here, name: str) -> Step | None:
        """A word that means the same at any question; None where it means nothing here."""
        prompt = here.prompt
        if name in ("back", "skip", "why"):
            return self._answers[name](here, prompt) if prompt else None
        if name == "submit":
            return review.submit(here) if here.get("mode") == "review" else None
        commands: Mapping[str, Callable[[Here], Step]] = {
            "later": leaving.later,
            "stop": leaving.stop,
            "cancel": leaving.ask_cancel,
            "colleague": leaving.hand_over,
            "review": review.review,
            "help": lambda here: again(here.saying(here.tell("form_help"))),
            "go_on": go_on,
            "code": lambda here: again(
                here.saying(here.tell("form_code_is", code=shown_code(here.draft.code)))
            ),
        }
        return commands[name](here)

    # What is not the form's

    def _other(self, here: Here, cue: Said) -> Step | None:
        """Whatever else was meant: a question, a wish, small talk; then the form's question again. None: nothing else."""
        if fold(cue.text) in self._yes_or_no:
            return None  # thanks for a yes that answers nothing would pass for an answer
        kind = cue.understood.kind
        if cue.understood.service and cue.understood.score >= SURE_WISH:
            return self._service(here, cue, cue.understood.service)
        answer = cue.answers.get(here.language) or next(iter(cue.answers.values()), None)
        told = kind == "smalltalk" or (kind in ("plan", "faq") and (answer and answer.score >= SURE))
        if answer and told:
            return again(here, Message(answer.text))
        if answer and kind == "handoff" and cue.text.rstrip().endswith("?") and _WORDS.search(cue.text):
            kept = StoreQuestion(cue.text, answer.language, answer.topic)
            return again(here.doing(kept), Message(here.tell("form_asked_staff")))
        return None

    def _in_language(self, here: Here, chosen: Chose) -> Step:
        """«English»: the same question in that language."""
        step = self._tools.elsewhere(chosen, here.view)
        if step.person.language == here.person.language and step.person == here.person:
            return step  # «menu»: out of the form
        view = replace(here.view, language=step.person.language)
        return again(replace(here, view=view, person=step.person), Message(step.replies[0].text))

    def _service(self, here: Here, cue: Cue, service: str) -> Step:
        match service:
            case "survey":
                return again(here)
            case "help":
                return again(here.saying(here.tell("form_help")))
            case "unsubscribe":
                return leaving.stop(here)
            case "remind":
                return leaving.later(here.saying(here.tell("not_reminding")))
        step = self._tools.elsewhere(cue, here.view)
        if step.state.dialogue != "home":
            return step
        said = (replace(one, choices=()) for one in step.replies)
        return again(replace(here, person=step.person), *said)

    def _edited(self, here: Here, text: str) -> int | None:
        """The number of the answer that is to be edited: «5» at the review, «sửa 5» anywhere."""
        words = fold(text).rstrip(" .")
        if here.get("mode") == "review" and _NUMBER.fullmatch(words):
            return int(words)
        return self._number(text)

    def _number(self, text: str) -> int | None:
        """The number in «sửa 5»."""
        found = self._edit_number.fullmatch(fold(text).rstrip(" ."))
        return int(found[1]) if found else None

    def _may_show_own(self, cue: Cue, state: State) -> bool:
        """Whether what the person said of themselves may have to be shown."""
        match cue:
            case Chose((value,)) | Tapped(value):
                return value.startswith(_SHOWING)
            case Said(text):
                words = fold(text)
                asked = self._named(text) == "review" or words.startswith(self._edit_words)
                return asked or state.get("mode") not in ("ask", "line", "specify", "tax")
        return state.get("mode") == "review"


def _fresh(view: View) -> View:
    """The view of somebody who comes to a form from elsewhere."""
    return replace(view, state=State(NAME, VERSION))


def _asks(cue: Said, prompt: Prompt) -> bool:
    """Whether words are rather a question than an answer in words; only a long answer may hold one of its own."""
    if not cue.text.rstrip().endswith("?"):
        return False
    kind, long = cue.understood.kind, prompt.place.question.row.appearance == "multiline"
    return kind in ("plan", "faq") or (kind == "handoff" and not long)


def _tax_code_said(cue: Cue, state: State) -> str | None:
    """The tax code that a cue would give, in its normal form."""
    if not state.get("tax"):
        return None
    match cue:
        case Said(text):
            found = tax_code(text)
            return found if isinstance(found, str) else state.get("pending")
        case Chose((value,)) | Tapped(value) if value.startswith("form:text:"):
            return state.get("pending")
    return None


def _skip(here: Here, prompt: Prompt) -> Step:
    if any(place.question.row.required for place in prompt.places):
        return again(here.saying(here.tell("form_required")))
    return save(here, prompt, Taken(tuple((place.name, PASSED) for place in prompt.places)))


def _unknown(here: Here, prompt: Prompt) -> Step:
    return save(here, prompt, Taken(tuple((place.name, NOT_KNOWN) for place in prompt.places)))


def _why(here: Here, prompt: Prompt) -> Step:
    reasons = (
        here.showing.words(here.walk, place, place.question.row.why)
        for place in here.tools.prompts.why(prompt)
    )
    reason = next(reasons, None) or here.tell("form_why_general")
    if here.prompt is None or here.prompt.key != prompt.key:  # of an earlier question: say of which
        what = here.showing.short(here.walk, prompt.place).rstrip(" ?:.")
        reason = here.tell("form_answer", what=what, value=reason)
    return again(here.saying(reason))


def _back(here: Here, prompt: Prompt) -> Step:
    before = here.walk.before(prompt)
    return ask(here, before) if before else again(here.saying(here.tell("form_first")))
