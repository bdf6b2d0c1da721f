"""The person in a conversation and the place where the conversation stands."""

from dataclasses import dataclass
from functools import lru_cache

import orjson

from content.model import Language
from handlers.messages import Choice

CONTACT = "contact"  # in a state's data: a keyboard that shares one's number may stand there


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes to the assistant.

    `language` is the one they chose, or else the last one they clearly wrote; `greeted` says whether they were told
    that a machine answers; `draft` is the code of the response in hand; `stopped` that they want no bulk messages.
    """

    id: int
    language: Language = "vi"
    language_chosen: bool = False
    greeted: bool = False
    draft: str | None = None
    stopped: bool = False


class StateUnreadable(Exception):
    """A stored state cannot be read by this version."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a conversation stands: which dialogue, its own data, and the choices on the screen.

    `screen` is what a number typed next refers to: the choices of the last message that had any.
    """

    dialogue: str
    version: int
    data: tuple[tuple[str, str], ...] = ()
    screen: tuple[Choice, ...] = ()

    def get(self, key: str) -> str | None:
        """One value of the dialogue's own data."""
        for name, value in self.data:  # a handful: a dictionary would cost more than it saves
            if name == key:
                return value
        return None

    def dump(self) -> str:
        """The state as JSON text for storage; equal states give equal text.

        The places of choices that stand aside follow the screen, where there are any.
        """
        screen = [[choice.label, choice.value, choice.url, *choice.also] for choice in self.screen]
        aside = [place for place, choice in enumerate(self.screen) if choice.aside]
        parts = [self.dialogue, self.version, dict(self.data), screen, *([aside] if aside else [])]
        return orjson.dumps(parts).decode()


NOWHERE = State("", 0)


@lru_cache(maxsize=1024)  # everybody at the same question of a form, or in the menu, has the same state
def load_state(text: str) -> State:
    """Read what `State.dump` wrote; raises StateUnreadable for anything else."""
    try:
        dialogue, version, data, screen, *rest = orjson.loads(text)
        aside = frozenset(rest[0]) if rest else frozenset()
        choices = tuple(
            Choice(str(label), str(value), url, tuple(also), place in aside)
            for place, (label, value, url, *also) in enumerate(screen)
        )
        return State(str(dialogue), int(version), tuple(data.items()), choices)
    except (ValueError, TypeError, AttributeError) as error:
        raise StateUnreadable(str(error)) from None
