"""Putting a prompt before the person."""

from handlers.dialogue import Step
from handlers.filling.here import Here
from handlers.messages import Message
from handlers.taking import MISSING, line_head
from handlers.walk import Prompt


def ask(here: Here, prompt: Prompt, *, reviewing: bool = False) -> Step:
    """Ask; before somebody's first personal field only when that person has agreed."""
    if _must_agree(here, prompt):
        return ask_consent(here, prompt)
    if here.is_anothers(prompt.places):
        here = here.saying(here.tell("form_anothers"))
    message = here.tools.prompts.ask(here.walk, prompt, here.language, lead=here.lead, own=here.own)
    return here.show(message, prompt, back="review" if reviewing else None)


def ask_ticked(here: Here, prompt: Prompt, pending: str) -> Step:
    """Ask for several choices with those ticked so far, which are not stored yet: their names joined with «+»."""
    message = here.tools.prompts.ask(here.walk, prompt, here.language, lead=here.lead, picked=pending)
    return here.show(message, prompt, pending=pending)


def _must_agree(here: Here, prompt: Prompt) -> bool:
    """Whoever came by a code or a link has not seen the notice yet."""
    return not here.draft.consented and any(place.question.row.personal for place in prompt.places)


def ask_consent(here: Here, prompt: Prompt) -> Step:
    """The notice, and a plain yes or no."""
    text = here.text(here.tools.notices.short(here.language, here.draft.year))
    choices = (
        here.choice("form_agree", f"form:agree:{prompt.key}", "yes"),
        here.choice("form_refuse", f"form:refuse:{prompt.key}", "no"),
    )
    return here.show(Message(text, choices), prompt, mode="gate")


def ask_line_again(here: Here, prompt: Prompt, tokens: tuple[str, ...]) -> Step:
    """Say back what was understood of a line before it is stored, or ask for what is missing."""
    labels = here.tools.prompts.labels(here.walk, prompt, here.showing)
    pending = line_head(prompt) + " ".join(tokens)
    pairs = list(zip(prompt.places, labels, tokens, strict=True))
    shown = [
        here.tell("form_part", what=label, value=here.showing.fill(place.question, fill))
        for place, label, token in pairs
        if (fill := here.tools.taker.token(token))
    ]
    missing = [label for _, label, token in pairs if token == MISSING]
    if missing:
        said = [here.tell("form_noted", line="; ".join(shown))] if shown else []
        text = here.text(*said, here.tell("form_missing", labels=", ".join(missing)))
        return here.show(Message(text, (here.retype(prompt),)), prompt, mode="line", pending=pending)
    choices = (
        here.choice("form_right", f"form:yes:{prompt.key}", "yes"),
        here.choice("form_retype", f"form:retype:{prompt.key}", "no"),
    )
    text = here.text(here.tell("form_read_back", line="; ".join(shown)))
    return here.show(Message(text, choices), prompt, mode="line", pending=pending)


def ask_changed_line(here: Here, prompt: Prompt) -> Step:
    """Ask a line anew whose places somebody else changed meanwhile."""
    labels = ", ".join(here.tools.prompts.labels(here.walk, prompt, here.showing))
    return ask(here.saying(here.tell("form_line_changed", labels=labels)), prompt)
