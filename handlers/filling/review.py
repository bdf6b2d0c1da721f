"""Looking a response over, sending it, and what comes after."""

from dataclasses import replace

from handlers.dialogue import Step
from handlers.filling.asking import ask
from handlers.filling.here import Here
from handlers.fills import NOT_APPLICABLE
from handlers.messages import Attachment, Choice, Message
from handlers.responses import SetStatus, shown_code
from handlers.walk import Prompt

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def review(here: Here) -> Step:
    """Every answer with its number, and what may be done with them."""
    missing = here.walk.next()
    closing = (
        "form_review_open"
        if missing
        else "form_review_submitted"
        if here.is_submitted
        else "form_review_ready"
    )
    text = here.text(_heading(here), *_numbered(here), here.tell(closing))
    choices = [_first_choice(here, missing), here.choice("form_edit", "form:editing", "no")]
    if not here.is_submitted:
        choices.append(here.choice("form_aside_later", "form:later:", "later"))
    # A number typed here is an answer's, so the choices have none.
    return here.show(
        Message(text, tuple(replace(one, aside=True) for one in choices)), None, mode="review", back=""
    )


def _first_choice(here: Here, missing: Prompt | None) -> Choice:
    if missing:
        return here.choice("form_go_on", "form:next")
    if here.is_submitted:
        return here.choice("form_finish", "form:later:", "yes")
    return here.choice("form_submit", "form:submit", "submit", "yes")


def _heading(here: Here) -> str:
    return here.tell("form_review_head", title=here.title(), code=shown_code(here.draft.code))


def _numbered(here: Here) -> list[str]:
    return [
        here.tell("form_review_line", number=number, line=line) for number, line in enumerate(_lines(here), 1)
    ]


def _lines(here: Here) -> list[str]:
    prompts = here.tools.prompts
    return [prompts.line(here.walk, prompt.places, here.showing, here.own) for prompt in answered(here)]


def answered(here: Here) -> list[Prompt]:
    """The prompts that stand in the review, in its order."""
    return [
        prompt
        for prompt in here.walk.prompts()
        if any(
            place.name in here.walk.fills and here.walk.fills[place.name].mark != NOT_APPLICABLE
            for place in prompt.places
        )
    ]


def edit(here: Here, number: int) -> Step | None:
    """Ask the prompt of that number in the review again; None where there is no such number, or it is not theirs."""
    prompts = answered(here)
    if not 1 <= number <= len(prompts) or here.is_anothers(prompts[number - 1].places):
        return None
    return ask(here, prompts[number - 1], reviewing=True)


def refused_edit(here: Here, number: int) -> str:
    """Why an answer cannot be edited."""
    count = len(answered(here))
    return (
        here.tell("form_anothers") if 1 <= number <= count else here.tell("form_no_such_answer", count=count)
    )


def submit(here: Here) -> Step:
    """Send it; what is still open is asked first."""
    missing = here.walk.next()
    if missing:
        return ask(here.saying(here.tell("form_still_open")), missing)
    sent = replace(
        here.doing(SetStatus(here.draft.code, "submitted")), draft=replace(here.draft, status="submitted")
    )
    text = here.tell("form_submitted", title=here.title(), code=shown_code(here.draft.code))
    step = offer_more(sent) if sent.walk.next(later=True) else finished(sent)
    return step.after(Message(text, attachments=_files(here)))


def offer_more(here: Here) -> Step:
    """What is left for those who have two more minutes."""
    left = sum(here.walk.is_open(prompt) for prompt in here.walk.prompts(later=True))
    choices = (
        here.choice("form_more_yes", "form:more", "yes"),
        here.choice("form_more_no", "form:later:", "no", "later"),
    )
    return here.show(Message(here.text(here.tell("form_more", count=left)), choices), None, mode="later")


def finished(here: Here) -> Step:
    """A response that was sent: what may be done with it, and what an edit has left open in it."""
    choices = [
        here.choice("form_review", "form:review", "review"),
        here.choice("form_summary", "form:summary"),
        here.choice("form_another", "survey:another"),
        here.choice("menu_back", "home:menu"),
    ]
    if here.missing:
        choices.insert(0, here.choice("form_go_on", "form:next", "yes"))
    elif here.walk.next(later=True):
        choices.insert(2, here.choice("form_more_yes", "form:more"))
    key = "form_finished_open" if here.missing else "form_finished"
    text = here.text(here.tell(key, code=shown_code(here.draft.code), count=here.missing))
    return here.show(Message(text, tuple(choices)), None, mode="submitted")


def summary(here: Here) -> Step:
    """A summary to keep, with its files."""
    message = Message("\n".join((_heading(here), *_lines(here))), attachments=_files(here))
    return finished(here).after(message)


def _files(here: Here) -> tuple[Attachment, ...]:
    """The completed form to sign, and the list of instruments where there is one."""
    code = here.draft.code
    named = {"year": here.draft.year, "code": code}
    files = [Attachment(here.tell("form_file_form", **named), DOCX, f"responses/{code}/form.docx")]
    repeats = (prompt.place.question.repeat for prompt in here.walk.prompts())
    if any(repeat is not None and repeat.each for repeat in repeats):
        name = here.tell("form_file_instruments", **named)
        files.append(Attachment(name, XLSX, f"responses/{code}/instruments.xlsx"))
    return tuple(files)
