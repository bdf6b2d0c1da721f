"""What becomes of a reading: kept, asked back, or refused with the question left as it is."""

from collections.abc import Mapping

from handlers.dialogue import Step
from handlers.filling.asking import ask, ask_changed_line, ask_line_again, ask_ticked
from handlers.filling.course import again, go_on, refuse
from handlers.filling.here import Here
from handlers.filling.keeping import save
from handlers.fills import Fill
from handlers.messages import Choice, Message
from handlers.responses import TaxCodeTaken
from handlers.taking import MISSING, Candidates, Line, NotTaken, Reading, Specify, Taken, line_tokens
from handlers.walk import Place, Prompt

HOUSEHOLD = ("legal_form", "household")  # who has no tax code of an enterprise


def take(here: Here, prompt: Prompt, reading: Reading) -> Step:
    """Do what a reading asks for."""
    match reading:
        case Taken(fills):
            if _is_anothers_tax_code(here, prompt, dict(fills)):
                return _taken_tax_code(here, prompt, str(fills[0][1].value))
            return save(here, prompt, reading)
        case Specify(names):
            around = here.tools.prompts.around(here.walk, prompt, here.language)
            message = Message(here.tell("form_specify"), (here.retype(prompt), *around))
            return here.show(message, prompt, mode="specify", pending="+".join(names))
        case Candidates():
            return _offered(here, prompt, reading)
        case Line(tokens):
            return ask_line_again(here, prompt, tokens)
        case NotTaken(key) if key.startswith("tax_code"):
            return _doubted(here, prompt, reading)
        case NotTaken():
            return refuse(here, sentence(here, reading))


def sentence(here: Here, reading: NotTaken) -> str:
    """Why something is no answer."""
    return reading.sentence or here.tell(reading.key, **dict(reading.values))


def specified(here: Here, prompt: Prompt, text: str) -> Step:
    """What exactly «other» is."""
    said = " ".join(text.split())[:200]
    names = here.get("pending").split("+")
    if not said:
        return again(here)
    return take(here, prompt, here.tools.taker.names(here.walk, prompt.place, names, here.language, said))


def _offered(here: Here, prompt: Prompt, found: Candidates) -> Step:
    """Entries of a long list, to pick from; or the words as they are."""
    place = prompt.place
    choices = [Choice(one.label[here.language], f"form:a:{place.name}:{one.name}") for one in found.choices]
    if found.other:
        choices.append(here.choice("form_keep_words", f"form:text:{place.name}", words=found.other))
    text = here.tell("form_which_one" if found.choices else "form_not_listed")
    around = here.tools.prompts.around(here.walk, prompt, here.language)
    message = Message(text, (*choices, here.retype(prompt), *around))
    return here.show(message, prompt, pending=found.other)


def kept_as_said(here: Here, prompt: Prompt) -> Step:
    """Words kept as they are: as «other» of a list, or a value that was doubted."""
    said, place = here.get("pending"), prompt.place
    other = next((choice.name for choice in place.question.choices if choice.specify), None)
    if other:
        return save(here, prompt, Taken(((place.name, Fill(other, "", said)),)))
    return take(here, prompt, here.tools.taker.text(here.walk, place, said, here.language))


def right(here: Here, prompt: Prompt) -> Step:
    """A line that was read back is right."""
    tokens = line_tokens(prompt, here.get("pending"))
    if tokens is None:
        return ask_changed_line(here, prompt)
    if len(tokens) != len(prompt.places) or MISSING in tokens:
        return ask(here, prompt)
    return save(here, prompt, here.tools.taker.taken_line(prompt, tokens))


def tick(here: Here, prompt: Prompt, name: str) -> Step:
    """One of several choices was tapped: ticked, or not any more; it is stored when all is done."""
    names = _ticked(here, prompt)
    names = tuple(one for one in names if one != name) if name in names else _added(prompt, names, (name,))
    return ask_ticked(here, prompt, "+".join(names) or "+")


def beside_ticks(here: Here, prompt: Prompt, found: Reading) -> Reading:
    """Choices that were named after others had been ticked: all of them together are the answer."""
    match found:
        case Taken(((_, Fill(value=tuple(names), other=other)),)) if here.ticked:
            pass
        case Specify(names) if here.ticked:
            other = ""
        case _:
            return found
    together = _added(prompt, _ticked(here, prompt), names)
    return here.tools.taker.names(here.walk, prompt.place, together, here.language, other)


def _added(prompt: Prompt, names: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """More names beside those ticked; of what rules the others out, the last said stands."""
    alone = {choice.name for choice in prompt.place.question.choices if choice.exclusive}
    if alone.intersection(more):
        return more
    return (*(one for one in names if one not in alone), *more)


def _ticked(here: Here, prompt: Prompt) -> tuple[str, ...]:
    if here.ticked:
        return tuple(filter(None, here.ticked.split("+")))
    fill = here.walk.fills.get(prompt.place.name)
    return fill.value if fill and isinstance(fill.value, tuple) else ()


def drawn(here: Here, prompt: Prompt, given: str) -> Step:
    """An answer by the channel's own control: it was seen there, so a line is not read back."""
    taker = here.tools.taker
    if prompt.kind != "line":
        names = filter(None, given.split("+"))
        return take(here, prompt, taker.names(here.walk, prompt.place, names, here.language))
    tokens = line_tokens(prompt, given)
    if tokens is None:
        return ask_changed_line(here, prompt)
    reading = taker.tokens(here.walk, prompt, tokens, here.language)
    if isinstance(reading, Line) and MISSING not in reading.tokens:
        return save(here, prompt, taker.taken_line(prompt, reading.tokens))
    return take(here, prompt, reading)


# Tax codes


def _doubted(here: Here, prompt: Prompt, reading: NotTaken) -> Step:
    """A tax code that cannot be right: said why, with what may be done about it."""
    key, retype = prompt.key, here.retype(prompt)
    insist = here.choice("tax_code_insist", f"form:text:{key}")
    right_one = here.choice("form_right", f"form:text:{key}", "yes")
    household = here.choice("tax_code_household", f"form:household:{key}")
    offered = {
        "tax_code_checksum": (retype, insist),
        "tax_code_lost_zero": (right_one, retype),
        "tax_code_personal": (household, retype) if _may_be_household(here) else (),
    }.get(reading.key, ())
    if not offered:
        return refuse(here, sentence(here, reading))
    message = Message(sentence(here, reading), offered)
    return here.show(message, prompt, mode="tax", pending=reading.suggestion or "")


def _may_be_household(here: Here) -> bool:
    question = here.draft.form.by_name.get(HOUSEHOLD[0])
    return question is not None and question.choice(HOUSEHOLD[1]) is not None


def household(here: Here) -> Step:
    """Whoever has no tax code says what they are, and is asked for none."""
    if not _may_be_household(here):
        return again(here)
    name, choice = HOUSEHOLD
    place = Place(here.draft.form.by_name[name])
    return save(here, Prompt(name, "question", (place,)), Taken(((name, Fill(choice)),)))


def _is_anothers_tax_code(here: Here, prompt: Prompt, fills: Mapping[str, Fill]) -> bool:
    """Whether somebody else has answered for this tax code this year, and it does not stand here already."""
    place = prompt.place
    if place.question.row.format != "tax_code" or place.name not in fills:
        return False
    typed = str(fills[place.name].value)
    standing = here.walk.fills.get(place.name)
    query = TaxCodeTaken(here.draft.form.id, here.draft.year, typed, here.draft.code)
    return here.view.answers.get(query) is True and (standing is None or standing.value != typed)


def _taken_tax_code(here: Here, prompt: Prompt, typed: str) -> Step:
    choices = (
        here.choice("form_enter_code", "survey:code"),
        here.choice("form_own_response", f"form:rival:{prompt.key}"),
        here.retype(prompt),
    )
    message = Message(here.tell("tax_code_taken", year=here.draft.year), choices)
    return here.show(message, prompt, mode="tax", pending=typed)


def own_response(here: Here, prompt: Prompt) -> Step:
    """The person insists on a response of their own; staff choose between the two."""
    return save(here, prompt, Taken(((prompt.place.name, Fill(here.get("pending"))),)), rival=True)


# Cards


def right_card(here: Here, prompt: Prompt) -> Step:
    """What was known is right: all of it is taken for given."""
    known = here.walk.known
    return save(here, prompt, Taken(tuple((place.name, known[place.name]) for place in prompt.places)))


def open_card(here: Here, prompt: Prompt) -> Step:
    """Something on the card is not right: its questions are asked one by one, what is known stands ready."""
    first = Place(prompt.place.question)
    opened = here.walk.with_opened(prompt.key)
    asked = opened.prompt(first.name)
    return ask(here.with_opened(prompt.key), asked) if asked else go_on(here)
