"""Leaving a form and coming back to it: later, stop, give up, hand it to a colleague."""

from dataclasses import replace
from datetime import timedelta

from handlers.dialogue import Chose, Step
from handlers.filling.course import again
from handlers.filling.here import Here
from handlers.filling.review import finished, review
from handlers.messages import Message
from handlers.responses import HandOver, SetStatus, shown_code

LINK_LASTS = timedelta(days=7)
A_MINUTE = 3  # questions


def card(here: Here) -> Step:
    """A response that is under way: how far it is, and what may be done."""
    prompt = here.walk.next()
    if here.is_submitted:
        return finished(here)
    if prompt is None:
        return review(here)
    done, total = here.walk.progress()
    minutes = max(1, round((total - done) / A_MINUTE))
    text = here.tell("form_resume", title=here.title(), done=done, total=total, minutes=minutes)
    choices = (
        here.choice("form_go_on", "form:next", "yes"),
        here.choice("form_review", "form:review", "review"),
        here.choice("form_aside_colleague", "form:colleague", "colleague"),
        here.choice("form_aside_later", "form:later:", "later", "no"),
    )
    return here.show(Message(here.text(text), choices), prompt, mode="card")


def later(here: Here) -> Step:
    """Leave it for now: everything is kept, and the code opens it anywhere."""
    code = here.draft.code
    if here.is_submitted:
        key = "form_thanks_open" if here.missing else "form_thanks"
        return home(here.saying(here.tell(key, code=shown_code(code), count=here.missing)))
    number, total = _number(here)
    link = here.tools.link(f"p_{code}")
    return home(
        here.saying(here.tell("form_saved", number=number, total=total, code=shown_code(code), link=link))
    )


def _number(here: Here) -> tuple[int, int]:
    """At which question it stands, and of how many."""
    done, total = here.walk.progress()
    return min(done + 1, total), total


def home(here: Here) -> Step:
    """Back at the menu, with the response kept in hand."""
    person = replace(here.person, draft=here.draft.code)
    step = here.tools.elsewhere(Chose(("home:menu",)), replace(here.view, person=person))
    return replace(step, replies=(Message(here.text(), step.replies[-1].choices),), effects=here.effects)


def stop(here: Here) -> Step:
    """«Dừng»: bulk messages stop at once, the response is saved, and one question is asked."""
    here = replace(here, person=replace(here.person, stopped=True))
    number, _ = _number(here)
    choices = (
        here.choice("form_go_on", "form:next", "yes"),
        here.choice("form_aside_later", "form:later:", "later"),
        here.choice("form_stop_messages", "form:stopped", "stop", "no"),
    )
    text = here.tell("form_stopped", number=number, code=shown_code(here.draft.code))
    return here.show(Message(here.text(text), choices), here.prompt, mode="stop")


def stopped(here: Here) -> Step:
    """It was meant: no more messages."""
    return home(here.saying(here.tell("unsubscribed")))


def ask_cancel(here: Here) -> Step:
    """«Hủy» may mean two things; whoever came by a code or a link can only leave what is another's."""
    if not _is_owner(here):
        return later(here.saying(here.tell("form_cancel_anothers")))
    give_up = here.choice("form_cancel_all", "form:cancel")
    if here.is_submitted:
        keep = here.choice("form_cancel_keep", "form:next", "no", "keep", "later")
        text = here.text(here.tell("form_cancel_sent"))
        return here.show(Message(text, (keep, give_up)), here.prompt, mode="cancel")
    choices = (
        here.choice("form_go_on", "form:next", "no"),
        here.choice("form_cancel_later", "form:later:", "later"),
        give_up,
    )
    return here.show(Message(here.text(here.tell("form_cancel")), choices), here.prompt, mode="cancel")


def _is_owner(here: Here) -> bool:
    return here.draft.role == "owner"


def cancel(here: Here) -> Step:
    """Give the response up; it can be taken up again."""
    if not _is_owner(here):
        return later(here)
    code = here.draft.code
    person = replace(here.person, draft=None)
    step = here.tools.elsewhere(Chose(("home:menu",)), replace(here.view, person=person))
    undo = here.choice("form_cancel_undo", f"survey:undo:{code}")
    said = Message(here.tell("form_cancelled"), (undo, *step.state.screen))
    effects = (*here.effects, SetStatus(code, "cancelled"))
    return Step(step.person, replace(step.state, screen=said.choices), (said,), effects)


def hand_over(here: Here) -> Step:
    """A one-time link for whoever goes on with it."""
    token, expires = here.view.chance, here.view.now + LINK_LASTS
    number, _ = _number(here)
    text = here.tell(
        "form_hand_over_text",
        title=here.title(),
        number=number,
        link=here.tools.link(f"h_{token}"),
        expires=expires.astimezone(here.tools.zone).strftime("%d/%m/%Y"),
    )
    told = Message(here.tell("form_hand_over")), Message(text)
    return again(here.doing(HandOver(here.draft.code, token, expires)), *told)
