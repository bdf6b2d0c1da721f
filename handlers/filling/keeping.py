"""Keeping an answer with all that follows from it."""

from collections.abc import Mapping
from dataclasses import replace

from content.forms import Question
from handlers.dialogue import Step, View
from handlers.filling.course import again, go_on
from handlers.filling.here import Here
from handlers.fills import ANSWERED, PASSED, PERSONAL, Fill
from handlers.notice import Notices
from handlers.responses import AgreedBeside, KeepPersonal, RecordConsent, SaveFills
from handlers.taking import Taken
from handlers.walk import Change, Place, Prompt, Walk


def save(here: Here, prompt: Prompt, taken: Taken, *, rival: bool = False) -> Step:
    """Keep an answer, tell what it makes void, and go on; nobody overwrites what another said of themselves."""
    if here.is_anothers(prompt.places):
        return again(here.saying(here.tell("form_anothers")))
    edited = not here.walk.is_open(prompt)
    if taken.own:
        here = here.doing(*(KeepPersonal(here.draft.code, name, value) for name, value in taken.own))
        here = replace(here, own={**here.own, **dict(taken.own)})
    here, change = changed(here, dict(taken.fills), rival=rival)
    if change.withdrawn:
        here = here.saying(_withdrawn(here, change))
    if taken.found:
        here = here.saying(here.tell("form_noted", line=here.showing.value(here.walk, prompt.place)))
    here = here.doing(*_agreed(here, prompt, taken))
    return _onward(here, edited=edited)


def keep(here: Here) -> Step:
    """Leave an answer that stands as it is: what follows is what would follow a new one."""
    return _onward(here, edited=True)


def _onward(here: Here, *, edited: bool) -> Step:
    """What follows an answer: whoever came from the review, or edited what was sent, returns there."""
    return go_on(here, reviewing=here.get("back") == "review" or (edited and here.is_submitted))


def changed(here: Here, given: Mapping[str, Fill | None], *, rival: bool = False) -> tuple[Here, Change]:
    """The way with these answers in place, kept."""
    walk, change = here.walk.after(given)
    upcoming = walk.next()  # what may be answered after sending is not missing
    asked = upcoming.key if upcoming else next(iter(here.spared), "")
    fills = tuple(change.fills.items())
    save_fills = SaveFills(here.draft.code, fills, asked, _tax_code(here, change), rival)
    effects = (*here.effects, save_fills, *_forgotten(here, change), *_agreed_no_more(here, change))
    return replace(here, effects=effects, walk=walk), change


def _tax_code(here: Here, change: Change) -> str | None:
    """The tax code that goes with the response from now on: "" when it was withdrawn, None when nothing changed."""
    for question in here.draft.form.tax_codes:
        if question.name in change.fills:
            fill = change.fills[question.name]
            return str(fill.value) if fill and fill.mark == ANSWERED else ""
    return None


def _forgotten(here: Here, change: Change) -> list[KeepPersonal]:
    """What somebody said of themselves and has taken back: skipped, or no longer asked."""
    fills = here.walk.fills
    return [
        KeepPersonal(here.draft.code, question.name, "")
        for question in here.draft.form.personal
        if question.name in change.fills
        and question.name in fills
        and fills[question.name].mark == PERSONAL
        and change.fills[question.name] != fills[question.name]
    ]


def _withdrawn(here: Here, change: Change) -> str:
    rows = ((place, place.question.row) for place in change.withdrawn)
    said = (here.showing.words(here.walk, place, row.short or row.label) for place, row in rows)
    names = dict.fromkeys(
        name.rstrip("?") for name in said
    )  # a question asked of several things is named once
    return here.tell("form_withdrawn", names="; ".join(names))


# Consent


def evidence(
    notices: Notices, view: View, purpose: str, text: str, *, yes: bool, code: str | None = None
) -> RecordConsent:
    """The evidence of one yes or no given here; `code` where it is the agreement to a response's notice."""
    place = (view.channel, view.address)
    return RecordConsent(purpose, notices.version, text, "yes" if yes else "no", *place, code)


def _agreed_no_more(here: Here, change: Change) -> list[RecordConsent]:
    """What was agreed to by an answer that was taken back: skipped, or no longer asked."""
    found = []
    for question in here.draft.form.agreeing:
        purpose, former = question.row.consent, here.walk.fills.get(question.name)
        taken_back = question.name in change.fills and former is not None and former.mark == ANSWERED
        fill = change.fills.get(question.name)
        if not purpose or not taken_back or (fill and fill.mark == ANSWERED) or former is None:
            continue
        chosen = former.value if isinstance(former.value, tuple) else (str(former.value),)
        alone = {one.name for one in question.choices if one.exclusive}
        purposes = [purpose] if purpose != "each" else [name for name in chosen if name not in alone]
        if purpose != "each" and "yes" not in chosen:
            continue
        shown = here.showing.label(here.walk, Place(question))
        place = (here.view.channel, here.view.address)
        version = here.tools.notices.version
        found += [RecordConsent(name, version, shown, "withdrawn", *place) for name in purposes]
    return found


def _agreed(here: Here, prompt: Prompt, taken: Taken) -> list[RecordConsent]:
    """What was agreed to by an answer, one for each purpose; whoever passes it over said neither yes nor no."""
    fills = dict(taken.fills)
    found = []
    for place in prompt.places:
        fill = fills.get(place.name)
        if place.question.row.consent and fill and fill.mark == ANSWERED:
            found += _evidence(here, place.question, fill)
    return found


def _evidence(here: Here, question: Question, fill: Fill) -> list[RecordConsent]:
    shown = here.showing.label(here.walk, Place(question))
    purpose = question.row.consent or ""
    if purpose != "each":
        return [evidence(here.tools.notices, here.view, purpose, shown, yes=fill.value == "yes")]
    chosen = fill.value if isinstance(fill.value, tuple) else ()
    return [
        evidence(
            here.tools.notices,
            here.view,
            one.name,
            f"{shown} [{one.label[here.language]}]",
            yes=one.name in chosen,
        )
        for one in question.choices
        if not one.exclusive
    ]


def answer_consent(here: Here, *, yes: bool) -> Step:
    """The answer of somebody who came later to the notice: a no leaves their own fields out and blocks nothing.

    Whoever else has agreed is still asked for theirs.
    """
    text = here.tools.notices.short(here.language, here.draft.year)
    here = here.doing(evidence(here.tools.notices, here.view, "survey", text, yes=yes, code=here.draft.code))
    if yes:
        agreed = replace(here.draft, consented=True, refused=False)
        return go_on(replace(here, draft=agreed, walk=here.walk.beside(agreed.fills), spared=()))
    if here.draft.role != "owner" and here.view.answers.get(AgreedBeside(here.draft.code)):
        here = without_own(here)
    else:
        here, _ = changed(here, _own_passed(here.walk))
    return go_on(here.saying(here.tell("form_without_contact")))


def without_own(here: Here) -> Here:
    """The way of somebody who said no: their own fields count as passed over, for them and in nobody's answers."""
    passed = _own_passed(here.walk)
    return replace(here, walk=here.walk.beside({**here.walk.fills, **passed}), spared=tuple(passed))


def _own_passed(walk: Walk) -> dict[str, Fill]:
    return {
        place.name: PASSED
        for prompt in walk.prompts()
        for place in prompt.places
        if place.question.row.personal and place.name not in walk.fills
    }
