"""The Bot API's methods by name, and what each may be called with.

Source: Bot API, «Available methods». Names do not care about capitals. A parameter that is not in the table is ignored
as the real server ignores it, and noted as suspicious.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.inbox import KINDS, UNASKED
from tests.fakes.telegram.keyboards import LOOPBACK
from tests.fakes.telegram.refusals import OLD_QUERY, Refusal, bad, too_many
from tests.fakes.telegram.sending import Sending
from tests.fakes.telegram.webhook import Webhook

if TYPE_CHECKING:
    from tests.fakes.telegram.server import FakeTelegram

ADDRESS = "business_connection_id chat_id message_thread_id direct_messages_topic_id"
SENDING = (
    f"{ADDRESS} disable_notification protect_content allow_paid_broadcast message_effect_id "
    "suggested_post_parameters reply_parameters reply_markup reply_to_message_id allow_sending_without_reply"
)
EDITING = "business_connection_id chat_id message_id inline_message_id reply_markup"
SCOPE = "scope language_code"
PARAMETERS: dict[str, frozenset[str]] = {
    name: frozenset(names.split())
    for name, names in {
        "getme": "",
        "getupdates": "offset limit timeout allowed_updates",
        "setwebhook": "url certificate ip_address max_connections allowed_updates drop_pending_updates secret_token",
        "deletewebhook": "drop_pending_updates",
        "getwebhookinfo": "",
        "sendmessage": f"{SENDING} text parse_mode entities link_preview_options disable_web_page_preview",
        "senddocument": (
            f"{SENDING} document thumbnail caption parse_mode caption_entities disable_content_type_detection"
        ),
        "sendphoto": (
            f"{SENDING} photo caption parse_mode caption_entities show_caption_above_media has_spoiler"
        ),
        "editmessagetext": f"{EDITING} text parse_mode entities link_preview_options",
        "editmessagecaption": f"{EDITING} caption parse_mode caption_entities show_caption_above_media",
        "editmessagereplymarkup": EDITING,
        "deletemessage": "chat_id message_id",
        "answercallbackquery": "callback_query_id text show_alert url cache_time",
        "sendchataction": "business_connection_id chat_id message_thread_id action",
        "getfile": "file_id",
        "setmycommands": f"commands {SCOPE}",
        "getmycommands": SCOPE,
        "deletemycommands": SCOPE,
        "setmydescription": "description language_code",
        "setmyshortdescription": "short_description language_code",
        "setmyname": "name language_code",
        "setchatmenubutton": "chat_id menu_button",
        "getchat": "chat_id",
        "leavechat": "chat_id",
    }.items()
}
STRINGS = frozenset(
    {
        "text",
        "caption",
        "parse_mode",
        "callback_query_id",
        "action",
        "url",
        "secret_token",
        "file_id",
        "description",
    }
)
ACTIONS = frozenset(
    [
        "cancel",
        "typing",
        "record_video",
        "upload_video",
        "record_audio",
        "record_voice",
        "upload_audio",
        "upload_voice",
        "upload_photo",
        "upload_document",
        "choose_sticker",
        "pick_up_location",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)
WEBHOOK_PORTS = {None, 80, 88, 443, 8443}
COMMAND = re.compile(r"[a-z0-9_]{1,32}")


class Methods:
    """Carries out calls; what it gives is the `result`."""

    def __init__(self, telegram: "FakeTelegram") -> None:
        self._telegram = telegram
        self.next_webhook = 0.0
        self._sending = sending = Sending(telegram)
        self.table: dict[str, Callable[[Call], Any]] = {
            "getme": self._get_me,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._webhook_info,
            "sendmessage": sending.send_message,
            "senddocument": sending.send_document,
            "sendphoto": sending.send_photo,
            "editmessagetext": sending.edit_text,
            "editmessagecaption": sending.edit_caption,
            "editmessagereplymarkup": sending.edit_markup,
            "deletemessage": sending.delete_message,
            "answercallbackquery": self._answer_tap,
            "sendchataction": self._chat_action,
            "getfile": self._get_file,
            "setmycommands": self._set_commands,
            "getmycommands": self._get_commands,
            "deletemycommands": self._delete_commands,
            "setmydescription": self._set_description,
            "setmyshortdescription": self._set_short_description,
            "setmyname": self._set_name,
            "setchatmenubutton": self._set_menu,
            "getchat": self._get_chat,
            "leavechat": self._leave,
        }

    def run(self, call: Call) -> Any:
        """Carry out a call other than getUpdates."""
        self.look_at(call)
        method = self.table.get(call.method)
        if method is None:
            self._telegram.suspect(f"{call.method}: this fake does not know the method")
            raise Refusal(404, "Not Found: method not found")
        return method(call)

    def look_at(self, call: Call) -> None:
        """Note what the real server lets pass and hardly anybody means."""
        known = PARAMETERS.get(call.method)
        if known is None:
            return
        attached = {value[9:] for value in call.values.values() if value.startswith("attach://")}
        for name in (*call.values, *call.uploads):
            if name not in known and name not in attached:
                self._telegram.suspect(f"{call.method}: unknown parameter {name}")
        for name, kind in call.types.items():
            if name in STRINGS and kind is not str:
                self._telegram.suspect(f"{call.method}: {name} is {kind.__name__}, not a string")

    # About the bot.

    def _get_me(self, call: Call) -> Any:
        return {
            **self._telegram.world.bot,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def _set_commands(self, call: Call) -> bool:
        """Source: TDLib's `BotCommand.cpp` for lengths; BOT_COMMAND_INVALID is Telegram's. Not sure of the 101st."""
        given = call.json("commands", "Can't parse commands JSON object")
        if not isinstance(given, list):
            raise bad("Expected an Array of BotCommand")
        if len(given) > 100:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        self._telegram.commands[_scope(call)] = [_command(item) for item in given]
        return True

    def _get_commands(self, call: Call) -> Any:
        return self._telegram.commands.get(_scope(call), [])

    def _delete_commands(self, call: Call) -> bool:
        self._telegram.commands.pop(_scope(call), None)
        return True

    def _set_description(self, call: Call) -> bool:
        return self._describe("description", call, 512)

    def _set_short_description(self, call: Call) -> bool:
        return self._describe("short_description", call, 120)

    def _set_name(self, call: Call) -> bool:
        return self._describe("name", call, 64)

    def _describe(self, what: str, call: Call, longest: int) -> bool:
        """Not sure how the real server words a description that is too long."""
        if len(call.text(what)) > longest:
            raise bad(f"{what} is too long")
        self._telegram.descriptions[what, call.text("language_code")] = call.text(what)
        return True

    def _set_menu(self, call: Call) -> bool:
        menu = call.json("menu_button", "Can't parse menu button JSON object")
        if menu is not None and menu.get("type") not in {"commands", "web_app", "default"}:
            raise bad("MenuButton has unsupported type")
        self._telegram.menu = menu or {"type": "default"}
        return True

    # About chats and taps.

    def _get_chat(self, call: Call) -> Any:
        chat = self._sending.chat(call, "read")
        gifts = dict.fromkeys(
            (
                "unlimited_gifts",
                "limited_gifts",
                "unique_gifts",
                "premium_subscription",
                "gifts_from_channels",
            ),
            False,
        )
        return {**chat.json, "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}

    def _leave(self, call: Call) -> bool:
        chat = self._sending.chat(call, "edit")
        if chat.private:
            raise bad("chat member status can't be changed in private chats")
        chat.bot_status = "left"
        return True

    def _chat_action(self, call: Call) -> bool:
        if call.text("action").lower() not in ACTIONS:
            raise bad("Wrong parameter action in request")
        chat = self._sending.chat(call, "write")
        self._telegram.actions.append((chat.id, call.text("action")))
        return True

    def _answer_tap(self, call: Call) -> bool:
        """answerCallbackQuery; a second answer is taken, as the real server takes it."""
        tap = self._telegram.taps.get(call.text("callback_query_id"))
        lifetime = self._telegram.limits.callback_lifetime
        if tap is None or self._telegram.clock() - tap.at > lifetime:
            raise bad(OLD_QUERY)
        if len(call.text("text")) > 200:
            raise bad("MESSAGE_TOO_LONG")
        tap.answers.append(call.text("text"))
        tap.alert = tap.alert or call.flag("show_alert")
        self._telegram.world.tick()
        tap.message.chat.changed.ring()
        return True

    def _get_file(self, call: Call) -> Any:
        """Source: `Client::process_get_file_query`, `do_get_file`."""
        if not call.text("file_id"):
            raise bad("file_id not specified")
        file = self._telegram.files.by_id.get(call.text("file_id"))
        if file is None:
            raise bad("invalid file_id")
        if file.size > self._telegram.limits.download:
            raise bad("file is too big")
        return {**file.brief, "file_path": file.path}

    # About updates.

    def ask_for(self, call: Call) -> None:
        """The allowed_updates of getUpdates and setWebhook: absent keeps what was, empty asks for the usual."""
        if not call.text("allowed_updates"):
            return
        given = call.json("allowed_updates", "Can't parse allowed updates JSON object")
        kinds = {str(kind).lower() for kind in given} if isinstance(given, list) else set()
        if unknown := kinds - set(KINDS):
            self._telegram.suspect(f"allowed_updates: unknown {', '.join(sorted(unknown))}")
        self._telegram.inbox.allowed = frozenset(kinds & set(KINDS)) or frozenset(KINDS) - UNASKED

    def _webhook_info(self, call: Call) -> Any:
        telegram = self._telegram
        empty = {"url": "", "has_custom_certificate": False, "pending_update_count": telegram.inbox.waiting}
        info = telegram.webhook.info if telegram.webhook else empty
        usual = telegram.inbox.allowed == frozenset(KINDS) - UNASKED
        return info if usual else {**info, "allowed_updates": sorted(telegram.inbox.allowed)}

    def _set_webhook(self, call: Call) -> bool:
        """Source: `Client::process_set_webhook_query`, `do_set_webhook`: one in a second, checks in this order."""
        url = call.text("url")
        if not url:
            return self._delete_webhook(call)
        now = self._telegram.clock()
        if now < self.next_webhook:
            raise too_many(1)
        self.next_webhook = now + self._telegram.limits.set_webhook_pause
        _check_webhook(url)
        _check_secret(call.text("secret_token"))
        self.ask_for(call)
        secret, most = call.text("secret_token"), call.integer("max_connections", 40, 1, 100)
        present, drop = self._telegram.webhook, call.flag("drop_pending_updates")
        if drop:
            self._telegram.inbox.drop()
        if drop or present is None or not present.same(url, secret, most):
            self._telegram.bring(url, secret, most)
        return True

    def _delete_webhook(self, call: Call) -> bool:
        self._telegram.bring_no_more()
        if call.flag("drop_pending_updates"):
            self._telegram.inbox.drop()
        return True

    def new_webhook(self, url: str, secret: str, most: int) -> Webhook:
        """A webhook that calls methods its answers name."""
        telegram = self._telegram

        def execute(method: str, values: Any) -> None:
            call = Call(method.lower(), {name: _text(value) for name, value in values.items()})
            try:
                self.run(call)
            except Refusal as refusal:
                telegram.suspect(f"{method} in the answer to a webhook: {refusal.description}")

        return Webhook(url, secret, most, telegram.inbox, telegram.timing, execute)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _scope(call: Call) -> str:
    return f"{call.text('scope')}|{call.text('language_code')}"


def _command(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise bad("expected BotCommand to be an Object")
    for name in ("command", "description"):
        if not isinstance(given.get(name), str):
            raise bad(f'Can\'t parse BotCommand: Field "{name}" must be of type String')
    command = given["command"].strip().removeprefix("/")
    description = given["description"].strip()
    if not command:
        raise bad("Command must be non-empty")
    if len(command) > 32:
        raise bad("Command length must not exceed 32")
    if not COMMAND.fullmatch(command):
        raise bad("BOT_COMMAND_INVALID")
    if not description:
        raise bad("Command description must be non-empty")
    if len(description) > 256:
        raise bad("Command description length must not exceed 256")
    return {"command": command, "description": description}


def _check_webhook(url: str) -> None:
    """HTTPS on four ports, but plain HTTP on any port of this machine, which only the fake allows."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        port = parts.port
    except ValueError:
        raise bad("invalid webhook URL specified") from None
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        raise bad("invalid webhook URL specified")
    if LOOPBACK.match(host):
        return
    if parts.scheme == "http":
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if port not in WEBHOOK_PORTS:
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def _check_secret(secret: str) -> None:
    if len(secret) > 256:
        raise bad("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad("secret token contains unallowed characters")
