"""What comes next in a form, and what is on the screen once more."""

from dataclasses import replace

from handlers.dialogue import Step
from handlers.filling.asking import ask, ask_changed_line, ask_consent, ask_line_again, ask_ticked
from handlers.filling.here import Here
from handlers.filling.review import finished, offer_more, review
from handlers.messages import Message
from handlers.taking import line_tokens


def go_on(here: Here, *, reviewing: bool = False) -> Step:
    """The first open question; when there is none, the review, or what comes after submitting."""
    prompt = here.walk.next()
    if prompt:
        return ask(here, prompt, reviewing=reviewing)
    if not here.is_submitted or reviewing:
        return review(here)
    later = here.walk.next(later=True) if here.get("part") else None
    return ask(here, later) if later else finished(here)


def again(here: Here, *first: Message) -> Step:
    """What is on the screen, once more; `first` are said before it."""
    return _on_screen(here).after(*first)


def _on_screen(here: Here) -> Step:
    prompt = here.prompt
    if here.is_gone:
        return go_on(here.saying(here.tell("form_gone")))
    match here.get("mode"):
        case "review":
            return review(here)
        case "later":
            return offer_more(here)
        case "submitted":
            return finished(here)
        case "gate" if prompt:
            return ask_consent(here, prompt)
        case "line" if prompt:
            tokens = line_tokens(prompt, here.get("pending"))
            return ask_changed_line(here, prompt) if tokens is None else ask_line_again(here, prompt, tokens)
    if prompt and here.ticked:
        return ask_ticked(here, prompt, here.ticked)
    return ask(here, prompt) if prompt else go_on(here)


def more(here: Here) -> Step:
    """What is asked after submitting."""
    later = here.walk.next(later=True)
    return ask(here, later) if later else finished(here)


def refuse(here: Here, sentence: str) -> Step:
    """Say why something is no answer; the question stays as it is."""
    here = here.saying(sentence)
    mode = here.get("mode")
    if mode in ("line", "tax", "specify") and here.prompt:
        return ask(replace(here), here.prompt)
    return again(here)
