"""What the assistant says, before any channel gives it a look."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing the person may pick: `label` is read, `value` comes back.

    A value begins with the name of the dialogue that understands it: `home:help`, `ask:item:2.4`.
    A choice with a `url` is a link and is never sent back. `also` are other words that pick it while it is on the
    screen, such as «có» for an offer.
    """

    label: str
    value: str
    url: str | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message; `path` is where the reader fetches it."""

    name: str
    media_type: str
    path: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the person: plain text (newlines kept), then the choices in order."""

    text: str
    choices: tuple[Choice, ...] = ()
    attachments: tuple[Attachment, ...] = ()
