"""Greeting, menu, help, the language, and the services that are not open yet."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from content.everything import Content
from content.model import Language
from handlers.dialogue import (
    FILE_FAULTS,
    Chose,
    Cue,
    Edited,
    InGroup,
    Said,
    SaidTooMuch,
    SentFile,
    SentOther,
    Started,
    Step,
    Tapped,
    View,
)
from handlers.effects import Query
from handlers.fold import fold
from handlers.messages import Choice, Message
from handlers.people import Person, State
from handlers.showing import shown_number

PRIVATE = "private:"  # a channel with groups makes of this choice a link to itself
TOLD_AGAIN = timedelta(minutes=1)  # after which a group is told again where to write
GREETING = "greeting"  # the smalltalk that is answered with the menu
_COMMAND = re.compile(r"/\w{1,32}")


class Home:
    """The place where a conversation begins and to which «menu» returns."""

    name = "home"
    version = 1

    def __init__(self, content: Content, *, has_survey: bool) -> None:
        self._content = content
        self._has_survey = has_survey
        self._say = content.say
        commands = content.menu.commands.items()
        self._commands = {fold(word): f"home:{value}" for value, words in commands for word in words}

    def needs(self, cue: Cue, state: State, person: Person) -> tuple[Query, ...]:
        """Nothing: what this place says depends on nobody's rows."""
        return ()

    def anytime(self, value: str) -> bool:
        """Every choice of the menu means the same for ever."""
        return True

    def start(self, language: Language, person: Person | None = None) -> State:
        """The state of somebody who sees the menu."""
        return State(self.name, self.version, screen=self.menu(language, person))

    def menu(self, language: Language, person: Person | None = None) -> tuple[Choice, ...]:
        """The services that exist, never more than five."""
        form = Choice(self._say(language, "menu_form"), "survey:start")
        survey = Choice(self._say(language, "menu_survey"), "survey:start")
        first = form if person and person.draft else survey
        return (
            *((first,) if self._has_survey else ()),
            Choice(self._say(language, "menu_plan"), "ask:examples"),
            Choice(self._say(language, "menu_help"), "home:help"),
            Choice(self._say(language, "menu_language"), "home:vi" if language == "en" else "home:en"),
        )

    def greeting(self, language: Language, person: Person | None = None) -> Message:
        """The first message: who speaks, that it is a machine, what it can do."""
        return Message(
            self._say(language, "greeting", office=self.office(language)), self.menu(language, person)
        )

    def introduction(self, language: Language) -> Message:
        """The greeting in one line, for somebody who began with a question."""
        return Message(self._say(language, "introduction", office=self.office(language)))

    def office(self, language: Language) -> str:
        """Who speaks, in that language."""
        office = self._content.office
        return office.name_en if language == "en" else office.name

    def command(self, text: str) -> str | None:
        """The choice that a typed command stands for, such as «menu» or «English»."""
        return self._commands.get(fold(text))

    def is_unknown_command(self, text: str) -> bool:
        """Whether this has the form of a command, and is none that means anything."""
        return _COMMAND.fullmatch(text.strip()) is not None

    def step(self, cue: Cue, view: View) -> Step:
        """Answer a choice of the menu, or whatever is not a question."""
        language = view.language
        match cue:
            case Chose((value,)) | Tapped(value):
                return self._chosen(value, view)
            case Said(understood=understood) if understood.service:
                return self._service(understood.service, view)
            case Said(understood=understood) if understood.topic == GREETING:
                return self._at_menu(view, self.greeting(language, view.person))
            case Started():
                return self._at_menu(view, self._opening(view))
            case SaidTooMuch(limit):
                return _stay(
                    view, Message(self._say(language, "too_long", limit=shown_number(limit, language)))
                )
            case SentFile(fault=fault):
                return _stay(view, Message(self._say(language, FILE_FAULTS[fault])))
            case SentOther(kind):
                return _stay(view, Message(self._say(language, f"sent_{kind}")))
            case Edited():
                return _stay(view, Message(self._say(language, "edited")))
            case InGroup():
                return self._in_group(view)
            case _:
                return self._at_menu(
                    view, Message(self._say(language, "menu"), self.menu(language, view.person))
                )

    def _chosen(self, value: str, view: View) -> Step:
        language = view.language
        match value.removeprefix("home:"):
            case "vi" | "en" as chosen:
                person = replace(view.person, language=chosen, language_chosen=True)
                message = Message(self._say(chosen, "language_now"), self.menu(chosen, person))
                return Step(person, self.start(chosen, person), (message,))
            case "help":
                return self._at_menu(
                    view, Message(self._say(language, "help"), self.menu(language, view.person))
                )
            case "number":
                return self._no_such_number(view)
            case "unknown":
                return self._at_menu(
                    view, Message(self._say(language, "unknown_command"), self.menu(language, view.person))
                )
            case _:
                return self._at_menu(
                    view, Message(self._say(language, "menu"), self.menu(language, view.person))
                )

    def _no_such_number(self, view: View) -> Step:
        """A number that is not on the screen: say so and show the choices again."""
        state = view.state if view.state.screen else self.start(view.language, view.person)
        return Step(view.person, state, (Message(self._say(view.language, "no_such_number"), state.screen),))

    def _service(self, service: str, view: View) -> Step:
        language = view.language
        match service:
            case "help":
                return self._chosen("home:help", view)
            case "unsubscribe" | "subscribe":
                person = replace(view.person, stopped=service == "unsubscribe")
                sentence = self._say(language, "unsubscribed" if person.stopped else "subscribed")
                return self._at_menu(
                    replace(view, person=person), Message(sentence, self.menu(language, person))
                )
            case "remind":
                keys = ("not_reminding", "come_back") if self._has_survey else ("not_reminding",)
                sentence = " ".join(self._say(language, key) for key in keys)
                return self._at_menu(view, Message(sentence, self.menu(language, view.person)))
        sentence = self._say(language, f"not_open_{service}")
        return self._at_menu(view, Message(sentence, self.menu(language, view.person)))

    def _in_group(self, view: View) -> Step:
        """Where to write privately; whoever asks again at once can read it there."""
        told = view.state.get("told")
        if told and view.now - datetime.fromisoformat(told) < TOLD_AGAIN:
            return Step(view.person, view.state)
        aside = Choice(self._say(view.language, "in_group_private"), PRIVATE)
        state = replace(view.state, data=(("told", view.now.isoformat()),))
        return Step(view.person, state, (Message(self._say(view.language, "in_group"), (aside,)),))

    def _opening(self, view: View) -> Message:
        language = view.language
        if view.person.greeted or view.shows_greeting:
            return Message(self._say(language, "menu"), self.menu(language, view.person))
        return self.greeting(language, view.person)

    def _at_menu(self, view: View, message: Message) -> Step:
        return Step(view.person, self.start(view.language, view.person), (message,))


def _stay(view: View, message: Message) -> Step:
    """Say it and leave everything where it stands."""
    return Step(view.person, view.state, (message,))
