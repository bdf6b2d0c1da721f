"""Filling in a form: one question after another, ways around each, review, submitting, and coming back to it.

The state says where the person stands: `at` is the prompt on the screen, `mode` what about it is open
(ask, line, specify, find, tax, review, later, stop, cancel, gate, code), `pending` what was said and is not stored yet.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta, tzinfo

from content.everything import Content
from content.forms import Question
from content.model import Language
from handlers.choices import Picker
from handlers.dialogue import Chose, Cue, Said, SaidTooMuch, SentFile, Step, Tapped, View
from handlers.effects import Effect, Query, StoreQuestion
from handlers.fills import NOT_APPLICABLE, NOT_KNOWN, PASSED, PERSONAL, Fill
from handlers.fold import fold
from handlers.messages import Attachment, Choice, Message
from handlers.notice import Notices
from handlers.people import Person, State
from handlers.prompts import Prompts
from handlers.responses import (
    Draft,
    DraftOf,
    HandOver,
    KeepPersonal,
    PersonalOf,
    RecordConsent,
    SaveFills,
    SetStatus,
    TaxCodeTaken,
    shown_code,
)
from handlers.showing import Showing
from handlers.taking import Candidates, Line, NotTaken, Reading, Specify, Taken, Taker, default_fill
from handlers.values import Values, tax_code
from handlers.walk import Change, Place, Prompt, Walk

LINK_LASTS = timedelta(days=7)
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HOUSEHOLD = ("legal_form", "household")  # who has no tax code of an enterprise
# What means the same at any question.
COMMANDS = ("back", "skip", "why", "later", "stop", "cancel", "colleague", "review", "help", "submit", "code")
_SHOWING = (
    "form:review",
    "form:summary",
    "form:resume",
    "form:next",
    "form:keep",
    "form:more",
    "form:submit",
)
_EDIT = re.compile(r"\d{1,3}")

Elsewhere = Callable[[Cue, View], Step]
Data = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Here:
    """One step's surroundings: the view, the response, the way through it, and what has been decided so far."""

    view: View
    draft: Draft
    walk: Walk
    person: Person
    effects: tuple[Effect, ...] = ()
    lead: tuple[str, ...] = ()
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def language(self) -> Language:
        return self.view.language

    def get(self, key: str) -> str:
        """One value of the state's data."""
        return self.view.state.get(key) or ""

    def saying(self, *lines: str) -> "_Here":
        return replace(self, lead=(*self.lead, *lines))

    def doing(self, *effects: Effect) -> "_Here":
        return replace(self, effects=(*self.effects, *effects))


class Filling:
    """The dialogue of every form."""

    name = "form"
    version = 1

    def __init__(
        self,
        content: Content,
        picker: Picker,
        notices: Notices,
        elsewhere: Elsewhere,
        zone: tzinfo,
        link: Callable[[str], str],
    ) -> None:
        """`elsewhere` answers what is not the form's; `link` makes an address of a deep link's payload."""
        self._say = content.say
        self._picker = picker
        self._notices = notices
        self._elsewhere = elsewhere
        self._zone = zone
        self._link = link
        self._values = Values(content.values)
        self._taker = Taker(content.say, content.menu, self._values, picker)
        self._prompts = Prompts(content.say, content.menu)
        self._words = content.menu.form
        self._commands = {fold(word): name for name in COMMANDS for word in content.menu.form[name]}
        self._edit_words = tuple(fold(word) for word in content.menu.form["edit"])

    # The contract

    def needs(self, cue: Cue, state: State, person: Person) -> tuple[Query, ...]:
        """The response in hand; the person's own values where a review may follow; who else has a tax code."""
        if person.draft is None:
            return ()
        queries: list[Query] = [DraftOf(person.draft)]
        if state.get("own") or state.get("mode") == "review" or self._leads_to_review(cue, state):
            queries.append(PersonalOf(person.draft))
        typed = self._tax_code_said(cue, state)
        if typed and (asked := state.get("tax")):
            form_id, year = asked.split()
            queries.append(TaxCodeTaken(form_id, int(year), typed, person.draft))
        return tuple(queries)

    def anytime(self, value: str) -> bool:
        """Every tap is looked at: whether it is of the question on the screen is decided here."""
        return True

    def step(self, cue: Cue, view: View) -> Step:
        """Take one cue for the response in hand."""
        draft = view.answers.get(DraftOf(view.person.draft or ""))
        if not isinstance(draft, Draft) or draft.status == "cancelled":
            person = replace(view.person, draft=None)
            return self._elsewhere(Chose(("home:menu",)), replace(view, person=person))
        here = self._here(view, draft)
        match cue:
            case Chose((value,)):
                return self._chosen(here, value)
            case Tapped(value):
                return self._tapped(here, value)
            case Said():
                return self._said(here, cue)
            case SentFile():
                return self._again(here.saying(self._tell(here, "form_file")))
            case SaidTooMuch(limit):
                return self._again(here.saying(self._tell(here, "too_long", limit=limit)))
            case _:
                return self._again(here)

    def begin(
        self, view: View, draft: Draft, *, lead: tuple[str, ...] = (), effects: tuple[Effect, ...] = ()
    ) -> Step:
        """Go on with a response: the next question, or its review."""
        here = self._here(replace(view, state=State(self.name, self.version)), draft)
        return self._next(replace(here, lead=lead, effects=effects))

    def same_as_before(self, view: View, draft: Draft, *, lead: tuple[str, ...]) -> Step:
        """Take everything that is known from before for given, and go on with what is open."""
        here = self._here(replace(view, state=State(self.name, self.version)), draft)
        given: dict[str, Fill | None] = {}
        walk = here.walk
        while (prompt := walk.next()) and self._prompts.offers(walk, prompt):
            given |= {place.name: walk.known[place.name] for place in prompt.places}
            walk, change = here.walk.after(given)
            given = {name: fill for name, fill in change.fills.items() if name in given}
        here, _ = self._changed(replace(here, lead=lead), given)
        return self._next(here)

    def _here(self, view: View, draft: Draft) -> _Here:
        defaults = {
            question.name: default_fill(question) for question in draft.form.questions if question.row.default
        }
        known = {**{name: fill for name, fill in defaults.items() if fill}, **draft.known}
        walk = Walk(draft.form, draft.fills, view.now.astimezone(self._zone).date(), known)
        own = view.answers.get(PersonalOf(draft.code))
        return _Here(view, draft, walk, view.person, own=own if isinstance(own, dict) else {})

    # What came

    def _said(self, here: _Here, cue: Said) -> Step:
        prompt = self._prompt(here)
        listed = (
            prompt is not None
            and prompt.kind == "question"
            and prompt.place.question.kind == "select_multiple"
        )
        picked = (
            ()
            if listed and here.get("mode") == "ask"
            else self._picker.pick(here.view.state.screen, cue.text)
        )
        if listed and not picked:
            asides = tuple(choice for choice in here.view.state.screen if choice.aside)
            picked = self._picker.pick(asides, cue.text)
        if picked:
            return self._chosen(here, picked[0])
        name = self._commands.get(fold(cue.text))
        if name and (step := self._command(here, name)):
            return step
        if number := self._edited(here, cue.text):
            return self._edit(here, number)
        match here.get("mode"):
            case "review" | "later" | "stop" | "cancel" | "gate" | "tax" | "submitted":
                return self._other(here, cue) or self._again(here.saying(self._tell(here, "form_choose")))
            case "specify":
                return self._specified(here, cue.text)
            case _ if prompt:
                return self._answered(here, prompt, cue)
        return self._other(here, cue) or self._next(here)

    def _answered(self, here: _Here, prompt: Prompt, cue: Said) -> Step:
        """Words that are an answer, a refusal, or no answer at all but a question of the person's own."""
        if self._is_text(prompt) and not self._asks(cue):
            return self._read(
                here, prompt, self._taker.words(here.walk, prompt, cue.text, here.language), cue.text
            )
        if here.get("mode") == "line":
            reading = self._line_again(here, prompt, cue.text)
        else:
            reading = self._taker.words(here.walk, prompt, cue.text, here.language)
        if isinstance(reading, NotTaken | Candidates) and (step := self._other(here, cue)):
            return step
        return self._read(here, prompt, reading, cue.text)

    def _line_again(self, here: _Here, prompt: Prompt, text: str) -> Reading:
        return self._taker.line(here.walk, prompt, text, tuple(here.get("pending").split()), here.language)

    def _is_text(self, prompt: Prompt) -> bool:
        return prompt.kind == "question" and prompt.place.question.kind == "text"

    def _asks(self, cue: Said) -> bool:
        """Whether the words are rather a question about the plan than an answer in words."""
        return cue.understood.kind in ("plan", "faq") and cue.text.rstrip().endswith("?")

    def _other(self, here: _Here, cue: Said) -> Step | None:
        """Whatever else was meant: a question, a wish, small talk; then the form's question again. None: nothing else."""
        kind = cue.understood.kind
        if kind == "service" and cue.understood.service:
            return self._service(here, cue, cue.understood.service)
        if kind in ("plan", "faq", "smalltalk"):
            answer = cue.answers.get(here.language) or next(iter(cue.answers.values()))
            return self._again(here, first=(Message(answer.text),))
        if kind == "handoff" and cue.text.rstrip().endswith("?"):
            answer = cue.answers.get(here.language) or next(iter(cue.answers.values()))
            kept = StoreQuestion(cue.text, answer.language, answer.topic)
            return self._again(here.doing(kept), first=(Message(self._tell(here, "form_asked_staff")),))
        return None

    def _service(self, here: _Here, cue: Cue, service: str) -> Step:
        match service:
            case "survey" | "help":
                return (
                    self._again(here.saying(self._tell(here, "form_help")))
                    if service == "help"
                    else self._again(here)
                )
            case "unsubscribe":
                return self._stop(here)
        step = self._elsewhere(cue, here.view)
        if step.state.dialogue != "home":
            return step
        return self._again(
            replace(here, person=step.person), first=tuple(replace(one, choices=()) for one in step.replies)
        )

    def _tapped(self, here: _Here, value: str) -> Step:
        """A tap that is not on the screen: an answer by the channel's own control, or a button of an earlier message."""
        match value.split(":", 3):
            case ["form", "set", key, given] if key == here.get("at"):
                return self._set(here, given)
            case ["form", "resume", *_]:
                return self._resume(here)
        return self._again(here.saying(self._tell(here, "form_stale")))

    def _set(self, here: _Here, given: str) -> Step:
        prompt = self._prompt(here)
        if prompt is None:
            return self._next(here)
        if prompt.kind == "line":
            reading = self._taker.tokens(here.walk, prompt, tuple(given.split()), here.language)
            if isinstance(reading, Line) and "_" not in reading.tokens:
                reading = self._taker.taken_line(
                    prompt, reading.tokens
                )  # seen on the steppers, so not read back
        else:
            reading = self._taker.names(
                here.walk, prompt.place, filter(None, given.split("+")), here.language
            )
        return self._read(here, prompt, reading, given)

    def _command(self, here: _Here, name: str) -> Step | None:
        """A word that means the same at any question; None where it means nothing here."""
        prompt = self._prompt(here)
        match name:
            case "later":
                return self._later(here)
            case "stop":
                return self._stop(here)
            case "cancel":
                return self._ask_cancel(here)
            case "colleague":
                return self._hand_over(here)
            case "review":
                return self._review(here)
            case "help":
                return self._again(here.saying(self._tell(here, "form_help")))
            case "back" | "why" | "skip" if prompt:
                return self._around(here, prompt, name)
            case "submit" if here.get("mode") == "review":
                return self._submit(here)
            case "code":
                return self._again(
                    here.saying(self._tell(here, "form_code_is", code=shown_code(here.draft.code)))
                )
        return None

    def _chosen(self, here: _Here, value: str) -> Step:
        """Something on the screen was picked."""
        prompt = self._prompt(here)
        match value.split(":", 3):
            case ["form", "a", _, name] if prompt:
                return self._read(
                    here, prompt, self._taker.names(here.walk, prompt.place, (name,), here.language), name
                )
            case ["form", "pick", _, name] if prompt:
                return self._toggle(here, prompt, name)
            case ["form", "done", _] if prompt:
                picked = filter(None, here.get("pending").split("+"))
                return self._read(
                    here, prompt, self._taker.names(here.walk, prompt.place, picked, here.language), ""
                )
            case ["form", "unknown", _] if prompt:
                return self._save(
                    here, prompt, Taken(tuple((place.name, NOT_KNOWN) for place in prompt.places))
                )
            case ["form", "skip" | "why" | "back" as name, _] if prompt:
                return self._around(here, prompt, name)
            case ["form", "keep", _]:
                return self._next(here)
            case ["form", "same" | "right", _] if prompt:
                return self._save(
                    here,
                    prompt,
                    Taken(tuple((place.name, here.walk.known[place.name]) for place in prompt.places)),
                )
            case ["form", "wrong", _] if prompt:
                return self._open_card(here, prompt)
            case ["form", "yes" | "no" as answer, _] if prompt:
                return self._read_back(here, prompt, right=answer == "yes")
            case ["form", "text", _] if prompt:
                return self._kept_text(here, prompt)
            case ["form", "household", _]:
                return self._household(here)
            case ["form", "retype", _] if prompt:
                return self._asked(here, prompt)
            case ["form", "rival", _] if prompt:
                return self._save(
                    here, prompt, Taken(((prompt.place.name, Fill(here.get("pending"))),)), rival=True
                )
            case ["form", "agree" | "refuse" as answer, _]:
                return self._gate_answered(here, yes=answer == "agree")
            case ["form", act, *_]:
                return self._act(here, act)
        return self._elsewhere(Chose((value,)), here.view)

    def _act(self, here: _Here, act: str) -> Step:
        """A choice that belongs to no single question."""
        match act:
            case "resume":
                return self._resume(here)
            case "next":
                return self._next(here)
            case "later":
                return self._later(here)
            case "review":
                return self._review(here)
            case "submit":
                return self._submit(here)
            case "more":
                return self._more(here)
            case "colleague":
                return self._hand_over(here)
            case "stopped":
                return self._home(here.saying(self._tell(here, "unsubscribed")))
            case "cancel":
                return self._cancel(here)
            case "editing":
                return self._again(here.saying(self._tell(here, "form_edit_how")))
            case "summary":
                return self._summary(here)
        return self._again(here)

    # Around a question

    def _around(self, here: _Here, prompt: Prompt, name: str) -> Step:
        match name:
            case "skip":
                if any(place.question.row.required for place in prompt.places):
                    return self._again(here.saying(self._tell(here, "form_required")))
                return self._save(here, prompt, Taken(tuple((place.name, PASSED) for place in prompt.places)))
            case "why":
                return self._again(here.saying(*self._whys(here, prompt)))
            case _:
                before = here.walk.before(prompt.key)
                if before is None:
                    return self._again(here.saying(self._tell(here, "form_first")))
                return self._asked(here, before)

    def _whys(self, here: _Here, prompt: Prompt) -> list[str]:
        places = self._prompts.why(prompt)
        if not places:
            return [self._tell(here, "form_why_general")]
        showing = self._showing(here)
        return [showing.words(here.walk, place, place.question.row.why) for place in places]

    def _toggle(self, here: _Here, prompt: Prompt, name: str) -> Step:
        """One of several choices was tapped: ticked or not any more; it is stored when all is done."""
        pending = here.get("pending")
        names = tuple(filter(None, pending.split("+")))
        if not pending:
            fill = here.walk.fills.get(prompt.place.name)
            names = fill.value if fill and isinstance(fill.value, tuple) else ()
        question = prompt.place.question
        alone = {choice.name for choice in question.choices if choice.exclusive}
        if name in names:
            names = tuple(one for one in names if one != name)
        elif name in alone:
            names = (name,)
        else:
            names = (*(one for one in names if one not in alone), name)
        picked = "+".join(names) or "+"
        message = self._prompts.ask(here.walk, prompt, here.language, lead=here.lead, picked=picked)
        return self._show(here, message, prompt, pending=picked)

    # Taking an answer

    def _read(self, here: _Here, prompt: Prompt, reading: Reading, text: str) -> Step:
        """What was read out of an answer: stored, asked back, or refused with the question left as it is."""
        match reading:
            case Taken(fills):
                rival = self._rival(here, prompt, dict(fills))
                return (
                    self._taken_code(here, prompt, fills[0][1])
                    if rival
                    else self._save(here, prompt, reading)
                )
            case Specify(names):
                message = Message(self._tell(here, "form_specify"), (self._retype(here, prompt),))
                return self._show(here, message, prompt, mode="specify", pending="+".join(names))
            case Candidates():
                return self._offered(here, prompt, reading)
            case Line(tokens):
                return self._read_line(here, prompt, tokens)
            case NotTaken(key) if key.startswith("tax_code"):
                return self._doubted(here, prompt, reading)
            case NotTaken():
                return self._refused(here, reading)

    def _refused(self, here: _Here, reading: NotTaken) -> Step:
        return self._again(here.saying(self._sentence(here, reading)), brief=True)

    def _sentence(self, here: _Here, reading: NotTaken) -> str:
        return reading.sentence or self._tell(here, reading.key, **dict(reading.values))

    def _specified(self, here: _Here, text: str) -> Step:
        """What exactly «other» is."""
        prompt = self._prompt(here)
        if prompt is None:
            return self._next(here)
        said = " ".join(text.split())[:200]
        names = here.get("pending").split("+")
        if not said:
            return self._again(here)
        return self._read(
            here, prompt, self._taker.names(here.walk, prompt.place, names, here.language, said), text
        )

    def _offered(self, here: _Here, prompt: Prompt, found: Candidates) -> Step:
        """Entries of a long list, to pick from; or the words as they are."""
        place = prompt.place
        choices = [
            Choice(one.label[here.language], f"form:a:{place.name}:{one.name}") for one in found.choices
        ]
        if found.other:
            label = self._tell(here, "form_keep_words", words=found.other)
            choices.append(Choice(label, f"form:text:{place.name}"))
        key = "form_which_one" if found.choices else "form_not_listed"
        message = Message(self._tell(here, key), (*choices, self._retype(here, prompt)))
        return self._show(here, message, prompt, mode="ask", pending=found.other)

    def _kept_text(self, here: _Here, prompt: Prompt) -> Step:
        """Words kept as they are: as «other» of a list, or a value that was doubted."""
        pending, place = here.get("pending"), prompt.place
        other = next((choice.name for choice in place.question.choices if choice.specify), None)
        if other:
            return self._save(here, prompt, Taken(((place.name, Fill(other, "", pending)),)))
        return self._read(here, prompt, self._taker.text(here.walk, place, pending, here.language), pending)

    def _read_line(self, here: _Here, prompt: Prompt, tokens: tuple[str, ...]) -> Step:
        """Say back what was understood of a line before it is stored, or ask for what is missing."""
        labels = self._prompts.labels(here.walk, prompt, self._showing(here))
        shown = [
            self._tell(here, "form_part", what=label, value=self._token(here, prompt.places[at], token))
            for at, (label, token) in enumerate(zip(labels, tokens, strict=True))
            if token != "_"
        ]
        missing = [label for label, token in zip(labels, tokens, strict=True) if token == "_"]
        said = self._tell(here, "form_read_back", line="; ".join(shown)) if shown else ""
        if missing:
            lines = [said, self._tell(here, "form_missing", labels=", ".join(missing))]
            message = Message("\n".join(filter(None, (*here.lead, *lines))), (self._retype(here, prompt),))
            return self._show(here, message, prompt, mode="line", pending=" ".join(tokens))
        choices = (
            Choice(self._tell(here, "form_right"), f"form:yes:{prompt.key}", also=self._also("yes")),
            Choice(self._tell(here, "form_retype"), f"form:no:{prompt.key}", also=self._also("no")),
        )
        message = Message("\n".join((*here.lead, said)), choices)
        return self._show(here, message, prompt, mode="line", pending=" ".join(tokens))

    def _token(self, here: _Here, place: Place, token: str) -> str:
        fill = self._taker.taken_line(Prompt("", "line", (place,)), (token,)).fills[0][1]
        return self._showing(here).fill(place.question, fill)

    def _read_back(self, here: _Here, prompt: Prompt, *, right: bool) -> Step:
        tokens = tuple(here.get("pending").split())
        if not right or len(tokens) != len(prompt.places) or "_" in tokens:
            return self._asked(here, prompt)
        return self._save(here, prompt, self._taker.taken_line(prompt, tokens))

    # Tax codes

    def _doubted(self, here: _Here, prompt: Prompt, reading: NotTaken) -> Step:
        """A tax code that cannot be right: said why, with what may be done about it."""
        key, place = prompt.key, prompt.place
        retype = self._retype(here, prompt)
        insist = Choice(self._tell(here, "tax_code_insist"), f"form:text:{key}")
        right = Choice(self._tell(here, "form_right"), f"form:text:{key}", also=self._also("yes"))
        household = Choice(self._tell(here, "tax_code_household"), f"form:household:{key}")
        choices: tuple[Choice, ...] = ()
        if reading.key == "tax_code_checksum":
            choices = (retype, insist)
        elif reading.key == "tax_code_lost_zero":
            choices = (right, retype)
        elif reading.key == "tax_code_personal" and self._may_be_household(here):
            choices = (household, retype)
        if not choices:
            return self._refused(here, reading)
        message = Message(self._sentence(here, reading), choices)
        del place
        return self._show(here, message, prompt, mode="tax", pending=reading.suggestion or "")

    def _may_be_household(self, here: _Here) -> bool:
        question = here.draft.form.by_name.get(HOUSEHOLD[0])
        return question is not None and question.choice(HOUSEHOLD[1]) is not None

    def _household(self, here: _Here) -> Step:
        """Whoever has no tax code says what they are, and is asked for none."""
        name, choice = HOUSEHOLD
        question = here.draft.form.by_name.get(name)
        if question is None:
            return self._again(here)
        return self._save(here, Prompt(name, "question", (Place(question),)), Taken(((name, Fill(choice)),)))

    def _rival(self, here: _Here, prompt: Prompt, fills: Mapping[str, Fill]) -> bool:
        """Whether somebody else has answered for this tax code this year, and this is not what stands here already."""
        question = prompt.place.question
        if question.row.format != "tax_code" or prompt.kind != "question":
            return False
        typed = str(fills[prompt.place.name].value)
        standing = here.walk.fills.get(prompt.place.name)
        query = TaxCodeTaken(here.draft.form.id, here.draft.year, typed, here.draft.code)
        return here.view.answers.get(query) is True and (standing is None or standing.value != typed)

    def _taken_code(self, here: _Here, prompt: Prompt, fill: Fill) -> Step:
        key = prompt.key
        choices = (
            Choice(self._tell(here, "form_enter_code"), "survey:code"),
            Choice(self._tell(here, "form_own_response"), f"form:rival:{key}"),
            self._retype(here, prompt),
        )
        message = Message(self._tell(here, "tax_code_taken", year=here.draft.year), choices)
        return self._show(here, message, prompt, mode="tax", pending=str(fill.value))

    def _tax_code_said(self, cue: Cue, state: State) -> str | None:
        """The tax code that a cue would give, in its normal form."""
        if not state.get("tax"):
            return None
        match cue:
            case Said(text):
                found = tax_code(text)
                return found if isinstance(found, str) else found.suggestion
            case Chose((value,)) | Tapped(value) if value.startswith("form:text:"):
                return state.get("pending")
        return None

    # Keeping

    def _save(self, here: _Here, prompt: Prompt, taken: Taken, *, rival: bool = False) -> Step:
        """Keep an answer with all that follows from it, and go on."""
        if any(self._is_anothers(here, place) for place in prompt.places):
            return self._again(here.saying(self._tell(here, "form_anothers")))
        edited = not here.walk.is_open(prompt)
        here = here.doing(*(KeepPersonal(here.draft.code, name, value) for name, value in taken.own))
        here = replace(here, own={**here.own, **dict(taken.own)})
        here, change = self._changed(here, dict(taken.fills), prompt=prompt, rival=rival)
        if change.withdrawn:
            here = here.saying(self._withdrawn(here, change))
        here = here.doing(*self._agreed(here, prompt, taken))
        reviewing = here.get("back") == "review" or (edited and here.draft.status == "submitted")
        return self._next(here, reviewing=reviewing)

    def _changed(
        self,
        here: _Here,
        given: Mapping[str, Fill | None],
        *,
        prompt: Prompt | None = None,
        rival: bool = False,
    ) -> tuple[_Here, Change]:
        walk, change = here.walk.after(given)
        upcoming = walk.next() or walk.next(later=True)
        code = None
        if prompt and prompt.place.question.row.format == "tax_code" and prompt.place.name in given:
            fill = given[prompt.place.name]
            code = str(fill.value) if fill and fill.mark == "" else None
        last = upcoming.key if upcoming else ""
        save = SaveFills(here.draft.code, tuple(change.fills.items()), last, code, rival)
        return replace(here.doing(save), walk=walk), change

    def _is_anothers(self, here: _Here, place: Place) -> bool:
        fill = here.walk.fills.get(place.name)
        return fill is not None and fill.mark == PERSONAL and place.question.name not in here.own

    def _withdrawn(self, here: _Here, change: Change) -> str:
        showing = self._showing(here)
        names = dict.fromkeys(showing.short(here.walk, place).rstrip("?") for place in change.withdrawn)
        return self._tell(here, "form_withdrawn", names="; ".join(names))

    def _agreed(self, here: _Here, prompt: Prompt, taken: Taken) -> list[RecordConsent]:
        """Evidence of what was agreed to by this answer, one for each purpose."""
        found = []
        for place in prompt.places:
            consent = place.question.row.consent
            fill = dict(taken.fills).get(place.name)
            if consent and fill and fill.mark == "":  # whoever passes it over has said neither yes nor no
                found += self._evidence(here, place.question, consent, fill)
        return found

    def _evidence(self, here: _Here, question: Question, consent: str, fill: Fill) -> list[RecordConsent]:
        shown = self._showing(here).label(here.walk, Place(question))
        chosen = fill.value if isinstance(fill.value, tuple) else (str(fill.value),)
        if consent != "each":
            answers = [(consent, shown, "yes" in chosen)]
        else:
            answers = [
                (one.name, f"{shown} [{one.label[here.language]}]", one.name in chosen)
                for one in question.choices
                if not one.exclusive
            ]
        return [self.evidence(here.view, purpose, text, yes=yes) for purpose, text, yes in answers]

    def evidence(
        self, view: View, purpose: str, text: str, *, yes: bool, code: str | None = None
    ) -> RecordConsent:
        """The evidence of one yes or no given here."""
        version, place = self._notices.version, (view.channel, view.address)
        return RecordConsent(purpose, version, text, "yes" if yes else "no", *place, code)

    # Asking

    def _next(self, here: _Here, *, reviewing: bool = False) -> Step:
        """The first open question; the review when there is none."""
        prompt = here.walk.next()
        if prompt is None and here.draft.status == "submitted" and not reviewing:
            prompt = here.walk.next(later=True) if here.get("part") == "later" else None
            if prompt is None:
                return self._finished(here)
        if prompt is None:
            return self._review(here)
        if self._must_agree(here, prompt):
            return self._gate(here, prompt)
        return self._asked(here, prompt, reviewing=reviewing)

    def _asked(self, here: _Here, prompt: Prompt, *, reviewing: bool = False, brief: bool = False) -> Step:
        if any(self._is_anothers(here, place) for place in prompt.places):
            here = here.saying(self._tell(here, "form_anothers"))
        message = self._prompts.ask(here.walk, prompt, here.language, lead=here.lead)
        return self._show(here, message, prompt, back="review" if reviewing else here.get("back"))

    def _again(self, here: _Here, *, first: tuple[Message, ...] = (), brief: bool = False) -> Step:
        """What is on the screen, once more."""
        prompt, mode = self._prompt(here), here.get("mode")
        match mode:
            case "review":
                step = self._review(here)
            case "gate" if prompt:
                step = self._gate(here, prompt)
            case "later":
                step = self._offer_more(here)
            case "submitted":
                step = self._finished(here)
            case "line" if prompt and not brief:
                step = self._read_line(here, prompt, tuple(here.get("pending").split()))
            case _ if prompt:
                step = self._asked(here, prompt)
            case _:
                step = self._next(here)
        return step.after(*first) if first else step

    def _prompt(self, here: _Here) -> Prompt | None:
        """The prompt on the screen."""
        at = here.get("at")
        return here.walk.prompt(at) if at else None

    def _show(
        self,
        here: _Here,
        message: Message,
        prompt: Prompt | None,
        *,
        mode: str = "ask",
        pending: str = "",
        back: str | None = None,
    ) -> Step:
        """Say it and remember what is on the screen."""
        data: Data = {"mode": mode}
        if prompt:
            data["at"] = prompt.key
            question = prompt.place.question
            if question.row.format == "tax_code":
                data["tax"] = f"{here.draft.form.id} {here.draft.year}"
            if question.row.personal or prompt.later or self._is_last(here, prompt):
                data["own"] = "1"
        if pending:
            data["pending"] = pending
        returning = here.get("back") if back is None else back
        if returning:
            data["back"] = returning
        if here.get("part") or (prompt and prompt.later):
            data["part"] = "later"
        person = replace(here.person, draft=here.draft.code)
        state = State(self.name, self.version, tuple(data.items()), message.choices)
        return Step(person, state, (message,), here.effects)

    def _is_last(self, here: _Here, prompt: Prompt) -> bool:
        """Whether the review may follow right after this prompt."""
        opened = [
            one for one in here.walk.prompts(later=False) if here.walk.is_open(one) and one.key != prompt.key
        ]
        return not opened or here.draft.form.by_name[opened[0].place.question.name].row.personal

    # Consent of whoever comes later

    def _must_agree(self, here: _Here, prompt: Prompt) -> bool:
        return not here.draft.consented and any(place.question.row.personal for place in prompt.places)

    def _gate(self, here: _Here, prompt: Prompt) -> Step:
        """Before somebody else's first personal field: the notice, a plain yes or no."""
        text = "\n".join((*here.lead, self._notices.short(here.language, here.draft.year)))
        choices = (
            Choice(self._tell(here, "form_agree"), f"form:agree:{prompt.key}", also=self._also("yes")),
            Choice(self._tell(here, "form_refuse"), f"form:refuse:{prompt.key}", also=self._also("no")),
        )
        return self._show(here, Message(text, choices), prompt, mode="gate")

    def _gate_answered(self, here: _Here, *, yes: bool) -> Step:
        prompt = self._prompt(here)
        if yes:
            text = self._notices.short(here.language, here.draft.year)
            here = here.doing(self.evidence(here.view, "survey", text, yes=True, code=here.draft.code))
            draft = replace(here.draft, consented=True)
            here = replace(here, draft=draft)
            return self._asked(here, prompt) if prompt else self._next(here)
        passed = {
            place.name: PASSED
            for one in here.walk.prompts(later=False)
            for place in one.places
            if place.question.row.personal and place.name not in here.walk.fills
        }
        here, _ = self._changed(here, passed)
        return self._next(here.saying(self._tell(here, "form_without_contact")))

    # Review and submitting

    def _review(self, here: _Here) -> Step:
        """Every answer with its number, and what may be done with them."""
        showing = self._showing(here)
        lines = [
            self._tell(
                here,
                "form_review_line",
                number=number,
                line=self._prompts.line(here.walk, prompt.places, showing, here.own),
            )
            for number, prompt in self._answered_prompts(here)
        ]
        missing = here.walk.next()
        submitted = here.draft.status == "submitted"
        heading = self._tell(
            here, "form_review_head", title=self._title(here), code=shown_code(here.draft.code)
        )
        closing = self._tell(
            here,
            "form_review_submitted" if submitted else "form_review_open" if missing else "form_review_ready",
        )
        choices = []
        if missing:
            choices.append(Choice(self._tell(here, "form_go_on"), "form:next"))
        elif not submitted:
            choices.append(
                Choice(self._tell(here, "form_submit"), "form:submit", also=self._also("submit", "yes"))
            )
        else:
            choices.append(Choice(self._tell(here, "form_finish"), "form:later:", also=self._also("yes")))
        choices.append(Choice(self._tell(here, "form_edit"), "form:editing", also=self._also("no")))
        if not submitted:
            choices.append(
                Choice(self._tell(here, "form_aside_later"), "form:later:", also=self._also("later"))
            )
        numberless = tuple(replace(choice, aside=True) for choice in choices)
        text = "\n".join((*here.lead, heading, *lines, closing))
        return self._show(here, Message(text, numberless), None, mode="review", back="")

    def _answered_prompts(self, here: _Here) -> list[tuple[int, Prompt]]:
        prompts = [prompt for prompt in here.walk.prompts() if self._is_reviewed(here, prompt)]
        return list(enumerate(prompts, 1))

    def _is_reviewed(self, here: _Here, prompt: Prompt) -> bool:
        return any(
            place.name in here.walk.fills and here.walk.fills[place.name].mark != NOT_APPLICABLE
            for place in prompt.places
        )

    def _edited(self, here: _Here, text: str) -> int | None:
        """The number of the answer that is to be edited: «5» at the review, «sửa 5» anywhere."""
        words = fold(text).rstrip(" .")
        if here.get("mode") == "review" and _EDIT.fullmatch(words):
            return int(words)
        for word in self._edit_words:
            rest = words.removeprefix(word).strip()
            if words.startswith(f"{word} ") and _EDIT.fullmatch(rest):
                return int(rest)
        return None

    def _edit(self, here: _Here, number: int) -> Step:
        found = dict(self._answered_prompts(here)).get(number)
        if found is None:
            count = len(self._answered_prompts(here))
            return self._again(here.saying(self._tell(here, "form_no_such_answer", count=count)))
        if any(self._is_anothers(here, place) for place in found.places):
            return self._again(here.saying(self._tell(here, "form_anothers")))
        return self._asked(here, found, reviewing=True)

    def _submit(self, here: _Here) -> Step:
        missing = here.walk.next()
        if missing:
            return self._next(here.saying(self._tell(here, "form_still_open")))
        here = here.doing(SetStatus(here.draft.code, "submitted"))
        here = replace(here, draft=replace(here.draft, status="submitted"))
        thanks = Message(
            self._tell(here, "form_submitted", title=self._title(here), code=shown_code(here.draft.code)),
            attachments=self._files(here),
        )
        step = self._offer_more(here) if here.walk.next(later=True) else self._finished(here)
        return step.after(thanks)

    def _files(self, here: _Here) -> tuple[Attachment, ...]:
        """The completed form to sign, and the list of instruments where there is one."""
        code, year = here.draft.code, here.draft.year
        name = self._tell(here, "form_file_form", form=here.draft.form.id, year=year)
        files = [Attachment(name, DOCX, f"responses/{code}/form.docx")]
        if any(
            one.each and here.walk.instances(one) for one in here.draft.form.groups.values() if one.repeats
        ):
            listed = self._tell(here, "form_file_instruments", form=here.draft.form.id, year=year)
            files.append(Attachment(listed, XLSX, f"responses/{code}/instruments.xlsx"))
        return tuple(files)

    def _summary(self, here: _Here) -> Step:
        """A summary to keep, with its files."""
        showing = self._showing(here)
        lines = [
            self._prompts.line(here.walk, prompt.places, showing, here.own)
            for _, prompt in self._answered_prompts(here)
        ]
        head = self._tell(here, "form_review_head", title=self._title(here), code=shown_code(here.draft.code))
        message = Message("\n".join((head, *lines)), attachments=self._files(here))
        return self._finished(here).after(message)

    def _offer_more(self, here: _Here) -> Step:
        """What is left for those who have two more minutes."""
        left = sum(here.walk.is_open(prompt) for prompt in here.walk.prompts(later=True))
        choices = (
            Choice(self._tell(here, "form_more_yes"), "form:more", also=self._also("yes")),
            Choice(self._tell(here, "form_more_no"), "form:later:", also=self._also("no", "later")),
        )
        text = "\n".join((*here.lead, self._tell(here, "form_more", count=left)))
        return self._show(here, Message(text, choices), None, mode="later")

    def _more(self, here: _Here) -> Step:
        prompt = here.walk.next(later=True)
        return self._asked(here, prompt) if prompt else self._finished(here)

    def _finished(self, here: _Here) -> Step:
        """A response that is done: what may be done with it."""
        choices = [
            Choice(self._tell(here, "form_review"), "form:review", also=self._also("review")),
            Choice(self._tell(here, "form_summary"), "form:summary"),
        ]
        if here.walk.next(later=True):
            choices.append(Choice(self._tell(here, "form_more_yes"), "form:more"))
        choices.append(Choice(self._tell(here, "form_another"), "survey:another"))
        choices.append(Choice(self._tell(here, "menu_back"), "home:menu"))
        text = "\n".join((*here.lead, self._tell(here, "form_finished", code=shown_code(here.draft.code))))
        return self._show(here, Message(text, tuple(choices)), None, mode="submitted")

    # Leaving and coming back

    def _resume(self, here: _Here) -> Step:
        if here.draft.status == "submitted":
            return self._finished(here)
        return self._next(here)

    def card(self, view: View, draft: Draft) -> Step:
        """A response that is under way: how far it is, and what may be done."""
        here = self._here(replace(view, state=State(self.name, self.version)), draft)
        if draft.status == "submitted":
            return self._finished(here)
        prompt = here.walk.next()
        if prompt is None:
            return self._review(here)
        done, total = here.walk.progress()
        text = self._tell(
            here,
            "form_resume",
            title=self._title(here),
            done=done,
            total=total,
            minutes=max(1, round((total - done) / 3)),
        )
        choices = (
            Choice(self._tell(here, "form_go_on"), "form:next", also=self._also("yes")),
            Choice(self._tell(here, "form_review"), "form:review", also=self._also("review")),
            Choice(self._tell(here, "form_aside_colleague"), "form:colleague", also=self._also("colleague")),
            Choice(self._tell(here, "form_aside_later"), "form:later:", also=self._also("later", "no")),
        )
        return self._show(here, Message(text, choices), prompt, mode="card")

    def _later(self, here: _Here) -> Step:
        """Leave it for now: everything is kept, and the code opens it anywhere."""
        if here.draft.status == "submitted":
            return self._home(here.saying(self._tell(here, "form_thanks", code=shown_code(here.draft.code))))
        done, total = here.walk.progress()
        code = here.draft.code
        text = self._tell(
            here,
            "form_saved",
            number=min(done + 1, total),
            total=total,
            code=shown_code(code),
            link=self._link(f"p_{code}"),
        )
        return self._home(here.saying(text))

    def _home(self, here: _Here) -> Step:
        """Back at the menu, with the response kept in hand."""
        step = self._elsewhere(
            Chose(("home:menu",)), replace(here.view, person=replace(here.person, draft=here.draft.code))
        )
        said = Message("\n".join(here.lead), step.replies[-1].choices)
        return replace(step, replies=(said,), effects=here.effects)

    def _stop(self, here: _Here) -> Step:
        """«Dừng»: bulk messages stop at once, the response is saved, and one question is asked."""
        here = replace(here, person=replace(here.person, stopped=True))
        done, total = here.walk.progress()
        text = self._tell(here, "form_stopped", number=min(done + 1, total), code=shown_code(here.draft.code))
        choices = (
            Choice(self._tell(here, "form_go_on"), "form:next", also=self._also("yes")),
            Choice(self._tell(here, "form_aside_later"), "form:later:", also=self._also("later")),
            Choice(self._tell(here, "form_stop_messages"), "form:stopped", also=self._also("stop", "no")),
        )
        return self._show(here, Message(text, choices), self._prompt(here), mode="stop")

    def _ask_cancel(self, here: _Here) -> Step:
        choices = (
            Choice(self._tell(here, "form_go_on"), "form:next", also=self._also("no")),
            Choice(self._tell(here, "form_cancel_later"), "form:later:", also=self._also("later")),
            Choice(self._tell(here, "form_cancel_all"), "form:cancel"),
        )
        return self._show(
            here, Message(self._tell(here, "form_cancel"), choices), self._prompt(here), mode="cancel"
        )

    def _cancel(self, here: _Here) -> Step:
        """Give the response up; it can be taken back by its code."""
        code = here.draft.code
        person = replace(here.person, draft=None)
        step = self._elsewhere(Chose(("home:menu",)), replace(here.view, person=person))
        undo = Choice(self._tell(here, "form_cancel_undo"), f"survey:undo:{code}")
        said = Message(self._tell(here, "form_cancelled"), (undo, *step.state.screen))
        state = replace(step.state, screen=said.choices)
        return Step(step.person, state, (said,), (*here.effects, SetStatus(code, "cancelled")))

    def _hand_over(self, here: _Here) -> Step:
        """A one-time link for whoever goes on with it."""
        expires = here.view.now + LINK_LASTS
        token = here.view.chance
        day = expires.astimezone(self._zone).strftime("%d/%m/%Y")
        next_one = here.walk.next()
        done, total = here.walk.progress()
        first = Message(self._tell(here, "form_hand_over"))
        second = Message(
            self._tell(
                here,
                "form_hand_over_text",
                title=self._title(here),
                number=min(done + 1, total) if next_one else total,
                link=self._link(f"h_{token}"),
                expires=day,
            )
        )
        here = here.doing(HandOver(here.draft.code, token, expires))
        return self._again(here, first=(first, second))

    # Small things

    def _open_card(self, here: _Here, prompt: Prompt) -> Step:
        """Something on the card is not right: its questions are asked one by one, what is known stands ready."""
        first = Place(prompt.place.question)
        single = Prompt(first.name, "question", (first,))
        return self._asked(replace(here, walk=here.walk), single)

    def _title(self, here: _Here) -> str:
        title = here.draft.form.file.settings.title[here.language]
        enterprise = here.walk.fills.get("enterprise")
        key = "form_title_of" if enterprise and enterprise.mark == "" else "form_title"
        name = str(enterprise.value) if enterprise else ""
        return self._tell(
            here,
            key,
            title=title,
            year=here.draft.year,
            **({"enterprise": name} if key == "form_title_of" else {}),
        )

    def _retype(self, here: _Here, prompt: Prompt) -> Choice:
        return Choice(self._tell(here, "form_retype"), f"form:retype:{prompt.key}", also=self._also("no"))

    def _also(self, *names: str) -> tuple[str, ...]:
        return tuple(word for name in names for word in self._words[name])

    def _showing(self, here: _Here) -> Showing:
        return self._prompts.showing(here.language)

    def _tell(self, here: _Here, key: str, **values: object) -> str:
        return self._say(here.language, key, **values)

    def _leads_to_review(self, cue: Cue, state: State) -> bool:
        """Whether what the person said of themselves may have to be shown."""
        match cue:
            case Chose((value,)) | Tapped(value):
                return value.startswith(_SHOWING)
            case Said(text):
                words = fold(text)
                asked = self._commands.get(words) == "review" or words.startswith(self._edit_words)
                return asked or state.get("mode") not in ("ask", "line", "specify", "tax")
        return False
