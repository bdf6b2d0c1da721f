"""What Telegram can do, from telegram.constants and the Bot FAQ (https://core.telegram.org/bots/faq)."""

from telegram.constants import FloodLimit, InlineKeyboardButtonLimit, MessageLimit

from bot.channels.base import Capabilities, Rates

CHAT_BURST = 3  # messages to one chat at once after a rest: «short bursts» are allowed, how short is not said

TELEGRAM = Capabilities(
    "telegram",
    text_length=int(MessageLimit.MAX_TEXT_LENGTH),
    buttons=90,  # of a hundred
    label_length=40,  # characters that a phone shows whole
    callback_length=int(InlineKeyboardButtonLimit.MAX_CALLBACK_DATA),
    number_buttons=True,
    controls=frozenset({"contact"}),
    edits=True,
    files=True,
    push=True,
    rates=Rates(
        per_second=float(FloodLimit.MESSAGES_PER_SECOND),
        per_chat=float(FloodLimit.MESSAGES_PER_SECOND_PER_CHAT),
        chat_burst=CHAT_BURST,
        group_per_minute=int(FloodLimit.MESSAGES_PER_MINUTE_PER_GROUP),
    ),
)
