"""What the Bot API says no with.

Descriptions are those of the real server. Their sources: `telegram-bot-api/Client.cpp` (`fail_query_with_error`,
`check_chat_access`, `check_message`, `do_set_webhook`), TDLib's `ReplyMarkup.cpp`, `MessageEntity.cpp` and
`LinkManager.cpp`, and answers quoted in issues where the text comes from Telegram's own servers (ALL_CAPS).
"""

from collections.abc import Mapping
from typing import Any

import orjson

PREFIX = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


class Refusal(Exception):
    """An answer with `ok: false`; the HTTP status is the error code."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    @property
    def body(self) -> bytes:
        """The answer as JSON."""
        answer: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            answer["parameters"] = self.parameters
        return orjson.dumps(answer)


def bad(message: str) -> Refusal:
    """400; the first letter becomes small unless the message is one of the servers' own ALL_CAPS words.

    Source: the end of `Client::fail_query_with_error`.
    """
    if not (len(message) > 1 and (message[1] == "_" or message[1].isupper())):
        message = message[:1].lower() + message[1:]
    return Refusal(400, f"Bad Request: {message}")


def forbidden(message: str) -> Refusal:
    """403."""
    return Refusal(403, f"Forbidden: {message}")


def conflict(message: str) -> Refusal:
    """409."""
    return Refusal(409, f"Conflict: {message}")


def too_many(retry_after: int) -> Refusal:
    """429 with the seconds to wait."""
    return Refusal(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})


NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"
OTHER_POLL = "terminated by other getUpdates request; make sure that only one bot instance is running"
OTHER_WEBHOOK = "terminated by setWebhook request"
WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
