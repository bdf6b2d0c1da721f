"""What is done with somebody's words before the transaction begins: understand them, and find what the plan answers."""

from content.library import Content
from handlers.answers import answer
from handlers.dialogue import Said
from handlers.understand import Understanding


class Hearing:
    """Built once from the content; a call is pure, never raises, and costs a millisecond or two."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._understanding = Understanding(content)

    def __call__(self, text: str) -> Said:
        """The words as a cue."""
        understood = self._understanding.understand(text)
        return Said(text, understood, answer(self._content, understood, understood.language))
