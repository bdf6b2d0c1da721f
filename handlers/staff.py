"""Officers in a chat: it is linked by a one-time start link, and «bàn làm việc» there gives a link to the desk.

To everybody else both are what any words and any payload are.
"""

from collections.abc import Callable
from dataclasses import dataclass

from content.catalogue import Catalogue
from handlers.dialogue import Cue, Said, Started, Step, View
from handlers.effects import Asking, Effect, Outcome, Query
from handlers.fold import fold
from handlers.messages import Message
from handlers.people import Person, State

BY_LINK = "staff-"  # how the payload of a link to a chat begins


@dataclass(frozen=True, slots=True)
class StaffHere(Query):
    """Whether the person is an officer: a Colleague, or None."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """An officer and the places, channel and address, where they are known."""

    id: int
    places: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class LinkChat(Asking):
    """Somebody came by a link to a chat: ChatLinked, or ChatNotLinked."""

    token: str
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class ChatLinked(Outcome):
    """The officer of this name is known here from now on."""

    name: str


@dataclass(frozen=True, slots=True)
class ChatNotLinked(Outcome):
    """The link is unknown, used or expired; nobody learns which, or that it was one."""

    token: str


@dataclass(frozen=True, slots=True)
class GiveDeskLink(Effect):
    """Make a one-time link to the desk for this officer; only its hash is kept."""

    staff_id: int
    token: str


class Staff:
    """Links chats and opens the desk from them."""

    name = "staff"
    version = 1

    def __init__(
        self, say: Catalogue, elsewhere: Callable[[Cue, View], Step], desk: Callable[[str], str]
    ) -> None:
        self._say = say
        self._elsewhere = elsewhere
        self._desk = desk
        self._command = fold(say("vi", "staff_command"))

    def needs(self, cue: Cue, state: State, person: Person) -> tuple[Query, ...]:
        """Nothing: a link is looked up when it is used."""
        return ()

    def anytime(self, value: str) -> bool:
        """It has no buttons."""
        return False

    def claims(self, cue: Cue) -> bool:
        """Whether a cue is a link to a chat."""
        return isinstance(cue, Started) and cue.payload.startswith(BY_LINK)

    def queries(self, cue: Cue) -> tuple[Query, ...]:
        """What must be read beside everything else, where these may be an officer's words."""
        return (StaffHere(),) if isinstance(cue, Said) and fold(cue.text) == self._command else ()

    def opened(self, view: View) -> Step | None:
        """A link to the desk for an officer who is known right here; it leaves everything where it stands."""
        found = view.answers.get(StaffHere())
        if not isinstance(found, Colleague) or (view.channel, view.address) not in found.places:
            return None
        message = Message(self._say(view.language, "staff_link", link=self._desk(view.chance)))
        return Step(view.person, view.state, (message,), (GiveDeskLink(found.id, view.chance),))

    def step(self, cue: Cue, view: View) -> Step:
        """Link this chat."""
        match cue:
            case Started(payload) if payload.startswith(BY_LINK):
                effect = LinkChat(payload.removeprefix(BY_LINK), view.channel, view.address)
                return Step(view.person, State(self.name, self.version), effects=(effect,))
            case ChatLinked(name):
                step = self._elsewhere(Started(""), view)
                said = Message(self._say(view.language, "staff_chat_linked", name=name), step.state.screen)
                return Step(step.person, step.state, (said,))
            case ChatNotLinked(token):
                return self._elsewhere(Started(BY_LINK + token), view)
        return self._elsewhere(cue, view)
