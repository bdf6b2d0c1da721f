"""The newest message of each chat, as far as this process knows: an answer must not appear where nobody looks."""

from collections import OrderedDict

_MOST = 100_000  # chats


class Newest:
    """Remembers message ids, which grow in a chat; https://core.telegram.org/bots/api#message."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, int] = OrderedDict()

    def saw(self, address: str, message_id: int) -> None:
        """A message stands in the chat."""
        known = self._ids.pop(address, 0)
        self._ids[address] = max(known, message_id)
        if len(self._ids) > _MOST:
            self._ids.popitem(last=False)

    def is_past(self, address: str, message_id: str) -> bool:
        """Whether something newer than this message stands below it."""
        return self._ids.get(address, 0) > int(message_id)
