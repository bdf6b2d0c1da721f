"""The way into a survey: the notice and a plain yes or no, last year's answers, a code, a colleague's link."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, tzinfo

from content.everything import Content
from content.forms import Form
from handlers.dialogue import Chose, Cue, Said, Started, Step, Tapped, View
from handlers.effects import Effect, Query
from handlers.filling import Elsewhere, Filling, evidence
from handlers.fills import Fill
from handlers.fold import fold
from handlers.messages import Choice, Message
from handlers.notice import Notices
from handlers.people import Person, State
from handlers.responses import (
    Draft,
    DraftOf,
    Earlier,
    Joined,
    LastResponse,
    NotJoined,
    OpenByCode,
    OpenResponse,
    PersonalOf,
    SaveFills,
    SetStatus,
    Status,
    TakeOver,
    code_from,
    told_code,
)
from handlers.taking import known_fills
from handlers.walk import Walk

BY_CODE, BY_LINK = "p_", "h_"  # how the payload of a deep link begins


class Survey:
    """Opens responses; what is then asked is the form's own dialogue."""

    name = "survey"
    version = 1

    def __init__(
        self,
        content: Content,
        form: Form,
        filling: Filling,
        notices: Notices,
        elsewhere: Elsewhere,
        zone: tzinfo,
        *,
        is_open: bool,
    ) -> None:
        self._say = content.say
        self._words = content.menu.form
        self._code_names = frozenset(fold(word) for word in self._words["code"])
        self._form = form
        self._filling = filling
        self._notices = notices
        self._elsewhere = elsewhere
        self._zone = zone
        self.is_open = is_open

    def needs(self, cue: Cue, state: State, person: Person) -> tuple[Query, ...]:
        """The response in hand, and the person's newest one that was submitted."""
        held: list[Query] = [DraftOf(person.draft), PersonalOf(person.draft)] if person.draft else []
        if isinstance(cue, Chose | Tapped):
            code = self._undone(cue)
            held += [DraftOf(code), PersonalOf(code)] if code else []
        return (*held, LastResponse(self._form.id))

    def anytime(self, value: str) -> bool:
        """Beginning and taking back mean the same for ever; a yes belongs to the notice on the screen."""
        return value.startswith(("survey:start", "survey:undo", "survey:another"))

    def claims(self, cue: Cue) -> bool:
        """Whether a cue leads here from anywhere: the wish to answer the survey, a code, a link."""
        match cue:
            case Said(text, understood):
                return understood.service == "survey" or self._code(text) is not None
            case Started(payload):
                return payload.startswith((BY_CODE, BY_LINK))
        return False

    def step(self, cue: Cue, view: View) -> Step:
        """Open, or lead into, a response."""
        match cue:
            case Started(payload) if payload.startswith(BY_LINK):
                return self._joining(view, TakeOver(payload.removeprefix(BY_LINK)))
            case Started(payload) if payload.startswith(BY_CODE):
                return self._by_code(view, payload.removeprefix(BY_CODE))
            case Joined(draft) if draft.status == "cancelled":
                return self._given_up(view, draft)
            case Joined(draft):
                return self._filling.card(replace(view, person=replace(view.person, draft=draft.code)), draft)
            case NotJoined(reason):
                return self._told(view, self._say(view.language, f"survey_not_joined_{reason}"))
            case Said(text) if view.state.get("stage") == "code" or self._code(text):
                return self._by_code(view, text)
            case Said():
                return (
                    self._notice_again(view, cue)
                    if view.state.get("stage") == "consent"
                    else self._start(view)
                )
            case Chose((value,)) | Tapped(value):
                return self._chosen(value, view)
        return self._start(view)

    def _chosen(self, value: str, view: View) -> Step:
        match value.split(":"):
            case ["survey", "yes"]:
                return self._agreed(view)
            case ["survey", "no"]:
                return self._at_menu(view, self._say(view.language, "survey_refused"))
            case ["survey", "full"]:
                return self._notice(view, self._notices.full(view.language, self._year(view)))
            case ["survey", "code"]:
                return self._told(view, self._say(view.language, "survey_type_code"), stage="code")
            case ["survey", "another"]:
                return self._notice(view)
            case ["survey", "same" | "changed" as answer]:
                return self._from_last_year(view, same=answer == "same")
            case ["survey", "undo", code]:
                return self._undo(view, code)
            case _:
                return self._start(view)

    # Beginning

    def _start(self, view: View) -> Step:
        draft = self._in_hand(view)
        if draft and (draft.status == "partial" or draft.year == self._year(view)):
            return self._filling.card(view, draft)
        return self._notice(view)

    def _in_hand(self, view: View) -> Draft | None:
        draft = view.answers.get(DraftOf(view.person.draft or ""))
        return draft if isinstance(draft, Draft) and draft.status != "cancelled" else None

    def _notice(self, view: View, text: str = "") -> Step:
        """Who collects what for what; a plain yes or no."""
        language = view.language
        if not self.is_open:
            return self._at_menu(view, self._say(language, "survey_closed"))
        choices = [
            Choice(self._say(language, "form_agree"), "survey:yes", also=self._words["yes"]),
            Choice(self._say(language, "form_refuse"), "survey:no", also=self._words["no"]),
        ]
        if not text:
            choices.append(Choice(self._say(language, "survey_full_notice"), "survey:full"))
        choices.append(Choice(self._say(language, "form_enter_code"), "survey:code"))
        message = Message(text or self._notices.short(language, self._year(view)), tuple(choices))
        state = State(self.name, self.version, (("stage", "consent"),), message.choices)
        return Step(view.person, state, (message,))

    def _notice_again(self, view: View, cue: Said) -> Step:
        """Something else was said at the notice: a question is answered, then the notice's choices stand again."""
        if cue.understood.service == "survey" or cue.understood.kind == "handoff":
            message = Message(self._say(view.language, "survey_yes_or_no"), view.state.screen)
            return Step(view.person, view.state, (message,))
        if cue.understood.kind == "service":
            return self._elsewhere(cue, view)
        answer = cue.answers.get(view.language) or next(iter(cue.answers.values()))
        again = Message(self._say(view.language, "survey_yes_or_no"), view.state.screen)
        return Step(view.person, view.state, (Message(answer.text), again))

    def _agreed(self, view: View) -> Step:
        """A yes to the notice begins the response; last year's answers are offered first."""
        year, code = self._year(view), code_from(view.chance)
        earlier = self._earlier(view, year)
        known = self._known(earlier) if earlier else {}
        gate = self._form.gate
        given = {gate.name: Fill("yes")} if gate else {}
        text = self._notices.short(view.language, year)
        effects: tuple[Effect, ...] = (
            OpenResponse(code, self._form.id, self._form.version, year, known),
            SaveFills(code, tuple(given.items()), ""),
            evidence(self._notices, view, "survey", text, yes=True, code=code),
        )
        draft = Draft(code, self._form, year, "partial", given, known, consented=True)
        view = replace(view, person=replace(view.person, draft=code))
        if earlier:
            return self._offer_last_year(view, draft, earlier, effects)
        return self._filling.begin(view, draft, effects=effects)

    def _earlier(self, view: View, year: int) -> Earlier | None:
        found = view.answers.get(LastResponse(self._form.id))
        return found if isinstance(found, Earlier) and found.year < year else None

    def _known(self, earlier: Earlier) -> Mapping[str, Fill]:
        return known_fills(Walk(self._form, {}, date.min), earlier.fills)

    def _offer_last_year(
        self, view: View, draft: Draft, earlier: Earlier, effects: tuple[Effect, ...]
    ) -> Step:
        language = view.language
        choices = (
            Choice(self._say(language, "survey_same"), "survey:same", also=self._words["same"]),
            Choice(self._say(language, "survey_changed"), "survey:changed", also=self._words["no"]),
        )
        message = Message(self._say(language, "survey_last_year", year=earlier.year), choices)
        state = State(self.name, self.version, (("stage", "last_year"),), choices)
        return Step(replace(view.person, draft=draft.code), state, (message,), effects)

    def _from_last_year(self, view: View, *, same: bool) -> Step:
        draft = self._in_hand(view)
        if draft is None:
            return self._start(view)
        lead = (self._say(view.language, "survey_same_taken" if same else "survey_changed_how"),)
        if same:
            return self._filling.same_as_before(view, draft, lead=lead)
        return self._filling.begin(view, draft, lead=lead)

    # Coming to a response that is there

    def _by_code(self, view: View, text: str) -> Step:
        code = self._code(text)
        if code is None:
            return self._told(view, self._say(view.language, "survey_code_form"), stage="code")
        return self._joining(view, OpenByCode(code))

    def _code(self, text: str) -> str | None:
        return told_code(text, self._code_names)

    def _joining(self, view: View, effect: Effect) -> Step:
        return Step(view.person, State(self.name, self.version), effects=(effect,))

    def _given_up(self, view: View, draft: Draft) -> Step:
        """A response that was given up: its owner may take it up again, to anybody else it is not there."""
        language = view.language
        if draft.role != "owner":
            return self._told(view, self._say(language, "survey_not_joined_unknown"))
        undo = Choice(self._say(language, "form_cancel_undo"), f"survey:undo:{draft.code}")
        step = self._at_menu(view, self._say(language, "form_cancelled"))
        screen = (undo, *step.state.screen)
        said = replace(step.replies[0], choices=screen)
        return replace(step, state=replace(step.state, screen=screen), replies=(said,))

    def _undo(self, view: View, code: str) -> Step:
        """A response that was given up is taken up again."""
        draft = view.answers.get(DraftOf(code))
        if not isinstance(draft, Draft):
            return self._start(view)
        person = replace(view.person, draft=code)
        if draft.status != "cancelled":
            return self._filling.card(replace(view, person=person), draft)
        status: Status = "submitted" if draft.sent else "partial"
        lead = (self._say(view.language, "survey_taken_up"),)
        return self._filling.begin(
            replace(view, person=person),
            replace(draft, status=status),
            lead=lead,
            effects=(SetStatus(code, status, again=True),),
        )

    def _undone(self, cue: Cue) -> str | None:
        match cue:
            case Chose((value,)) | Tapped(value) if value.startswith("survey:undo:"):
                return value.removeprefix("survey:undo:")
        return None

    # Small things

    def _year(self, view: View) -> int:
        return view.now.astimezone(self._zone).year

    def _told(self, view: View, text: str, *, stage: str = "") -> Step:
        """Say it; the menu stands below unless something is to be typed."""
        if not stage:
            return self._at_menu(view, text)
        state = State(self.name, self.version, (("stage", stage),))
        return Step(view.person, state, (Message(text),))

    def _at_menu(self, view: View, text: str) -> Step:
        step = self._elsewhere(Chose(("home:menu",)), view)
        return replace(step, replies=(Message(text, step.replies[-1].choices),))
