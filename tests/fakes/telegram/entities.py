"""Marked text: parse modes as TDLib parses them, and what it finds by itself.

Sources: `parse_html`, `parse_markdown`, `parse_markdown_v2` and `find_entities` in TDLib's `MessageEntity.cpp`. The
finding is a small part of the real one: commands, mentions, hashtags, addresses of pages and of mail. Offsets of
entities are in UTF-16 code units, those in complaints in bytes.
"""

import re
import unicodedata
from dataclasses import dataclass
from html.entities import html5
from typing import Any

from tests.fakes.telegram.refusals import bad

Entities = list[dict[str, Any]]

HTML_TAGS = {
    "a": "text_link",
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "u": "underline",
    "ins": "underline",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
    "pre": "pre",
    "code": "code",
    "blockquote": "blockquote",
}
HTML_NAME = re.compile(rb"<(/?)([^\s>]*)")
HTML_ATTRIBUTE = re.compile(rb"\s*([^\s=>]+)\s*(?:=\s*(\"[^\"]*\"|'[^']*'|[\w.-]+))?")
HTML_CHARACTER = re.compile(rb"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(lt|gt|amp|quot))(;?)")

FOUND = re.compile(
    r"(?P<email>\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b)"
    r"|(?P<url>\bhttps?://[^\s<>\"]+|\b(?:[\w-]+\.)+(?:vn|com|net|org|info|gov|edu|io|me)\b(?:/[^\s<>\"]*)?)"
    r"|(?<![\w/])(?P<bot_command>/\w{1,64}(?:@\w{3,32})?)(?![\w/])"
    r"|(?<![\w@])(?P<mention>@[A-Za-z]\w{3,31})"
    r"|(?<!\w)(?P<hashtag>#\w*[^\W\d_]\w*)",
)


def units(text: str) -> int:
    """The length Telegram counts: UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def invisible(text: str) -> bool:
    """Whether nothing of it would be seen."""
    return all(unicodedata.category(letter)[0] in "ZC" for letter in text)


def parse(text: str, mode: str) -> tuple[str, Entities]:
    """The text without its marks, and the entities. Source: `Client::get_formatted_text`."""
    match mode.lower():
        case "":
            return trimmed(text, [])
        case "html":
            return trimmed(*_html(text))
        case "markdownv2":
            return trimmed(*_Markdown(text).parse())
        case "markdown":
            return trimmed(*_legacy(text))
        case _:
            raise bad("Unsupported parse_mode")


def trimmed(text: str, entities: Entities) -> tuple[str, Entities]:
    """White space at both ends goes, entities move with it. Source: `fix_formatted_text`."""
    cleaned = text.replace("\r", "") if "\r" in text and not entities else text
    kept = cleaned.lstrip()
    lost = units(cleaned) - units(kept)
    kept = kept.rstrip()
    if not entities:
        return kept, entities
    end = units(kept)
    moved = [(max(0, entity["offset"] - lost), entity) for entity in entities]
    return kept, [
        {**entity, "offset": offset, "length": min(entity["length"], end - offset)}
        for offset, entity in moved
        if offset < end
    ]


def found(text: str) -> Entities:
    """What Telegram marks by itself."""
    if text.isalpha():
        return []
    return [
        {
            "type": match.lastgroup,
            "offset": units(text[: match.start()]),
            "length": units(match.group()),
        }
        for match in FOUND.finditer(text)
    ]


def _unparsable(message: str) -> Exception:
    return bad(f"Can't parse entities: {message}")


@dataclass(slots=True)
class _Open:
    """A mark that waits for its end."""

    name: str
    offset: int  # in UTF-16 code units of the text without marks
    at: int  # in bytes of what was given
    argument: dict[str, str]


def _html(text: str) -> tuple[str, Entities]:
    """HTML as Telegram has it: sixteen tags, four named characters."""
    given = text.encode()
    plain: list[str] = []
    entities: Entities = []
    opened: list[_Open] = []
    length = at = 0
    while at < len(given):
        tag = given.find(b"<", at)
        piece = _characters(given[at : tag if tag >= 0 else len(given)])
        plain.append(piece)
        length += units(piece)
        if tag < 0:
            break
        at = _tag(given, tag, opened, entities, length)
    if opened:
        raise _unparsable(f'Can\'t find end tag corresponding to start tag "{opened[-1].name}"')
    return "".join(plain), sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def _characters(piece: bytes) -> str:
    def character(match: re.Match[bytes]) -> bytes:
        if match[3]:
            return html5[match[3].decode()].encode()
        code = int(match[1], 16) if match[1] else int(match[2])
        usable = 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF
        return chr(code).encode() if usable else match[0]

    return (HTML_CHARACTER.sub(character, piece) if b"&" in piece else piece).decode()


def _tag(given: bytes, at: int, opened: list[_Open], entities: Entities, length: int) -> int:
    """Read one tag; gives where it ends."""
    match = HTML_NAME.match(given, at)
    assert match is not None
    name = match[2].decode().lower()
    if match[1]:
        return _end_tag(given, match, opened, entities, length)
    if match.end() == len(given):
        raise _unparsable(f"Unclosed start tag at byte offset {at}")
    if name not in HTML_TAGS:
        raise _unparsable(f'Unsupported start tag "{name}" at byte offset {at}')
    argument, end = _attributes(given, match.end(), name, at)
    if name == "span" and argument.get("class") != "tg-spoiler":
        raise _unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
    opened.append(_Open(name, length, at, argument))
    return end


def _attributes(given: bytes, at: int, name: str, begin: int) -> tuple[dict[str, str], int]:
    """What stands between a tag's name and its end, and where that is."""
    argument: dict[str, str] = {}
    while match := HTML_ATTRIBUTE.match(given, at):
        key = match[1].decode().lower()
        if match[2] is None and (name, key) != ("blockquote", "expandable"):
            where = f'of an attribute of the tag "{name}" at byte offset {begin}'
            raise _unparsable(f"Expected equal sign in declaration {where}")
        argument[key] = _characters((match[2] or b"").strip(b"\"'"))
        at = match.end()
    end = given.find(b">", at)
    if end < 0:
        raise _unparsable(f"Unclosed start tag at byte offset {begin}")
    return argument, end + 1


def _end_tag(
    given: bytes, match: re.Match[bytes], opened: list[_Open], entities: Entities, length: int
) -> int:
    begin, name = match.start(), match[2].decode().lower()
    if not opened:
        raise _unparsable(f"Unexpected end tag at byte offset {begin}")
    end = given.find(b">", match.end())
    if end < 0 or given[match.end() : end].strip():
        raise _unparsable(f"Unclosed end tag at byte offset {begin}")
    last = opened[-1]
    if name and name != last.name:
        raise _unparsable(
            f'Unmatched end tag at byte offset {begin}, expected "</{last.name}>", found "</{name}>"'
        )
    opened.pop()
    if length > last.offset:
        entities.extend(_html_entity(last, length))
    return end + 1


def _html_entity(mark: _Open, length: int) -> Entities:
    entity: dict[str, Any] = {
        "type": HTML_TAGS[mark.name],
        "offset": mark.offset,
        "length": length - mark.offset,
    }
    if mark.name == "a":
        url = mark.argument.get("href", "")
        return [{**entity, "url": url}] if url else []
    if "expandable" in mark.argument:
        return [{**entity, "type": "expandable_blockquote"}]
    if mark.name == "tg-emoji":
        return [{**entity, "custom_emoji_id": mark.argument.get("emoji-id", "")}]
    return [entity]


MARKDOWN = {
    "*": ("bold", "Bold"),
    "_": ("italic", "Italic"),
    "__": ("underline", "Underline"),
    "~": ("strikethrough", "Strikethrough"),
    "||": ("spoiler", "Spoiler"),
    "`": ("code", "Code"),
    "```": ("pre", "Pre"),
    "[": ("text_link", "TextUrl"),
}
RESERVED = frozenset("_*[]()~`>#+-=|{}.!")


class _Markdown:
    """MarkdownV2: every reserved character is a mark or escaped."""

    def __init__(self, text: str) -> None:
        self._given = text
        self._plain: list[str] = []
        self._length = 0
        self._opened: list[_Open] = []
        self._entities: Entities = []

    def parse(self) -> tuple[str, Entities]:
        """Walk through it."""
        at = 0
        while at < len(self._given):
            at = self._step(at)
        if self._opened:
            last = self._opened[-1]
            raise _unparsable(f"Can't find end of {MARKDOWN[last.name][1]} entity at byte offset {last.at}")
        return "".join(self._plain), sorted(
            self._entities, key=lambda entity: (entity["offset"], -entity["length"])
        )

    def _step(self, at: int) -> int:
        letter = self._given[at]
        following = self._given[at + 1 : at + 2]
        if letter == "\\" and following and ord(following) <= 126:
            return self._keep(following, at + 2)
        inside = self._opened[-1].name if self._opened else ""
        if inside in {"`", "```"} and not self._given.startswith(inside, at):
            return self._keep(letter, at + 1)
        if letter not in RESERVED:
            return self._keep(letter, at + 1)
        if letter == "]" and "[" in {mark.name for mark in self._opened}:
            return self._end_link(at)
        if letter == ">" and (at == 0 or self._given[at - 1] == "\n"):
            return at + 1
        return self._mark(at)

    def _keep(self, letter: str, at: int) -> int:
        self._plain.append(letter)
        self._length += units(letter)
        return at

    def _mark(self, at: int) -> int:
        name = next(
            (name for name in ("```", "__", "||") if self._given.startswith(name, at)), self._given[at]
        )
        if name not in MARKDOWN:
            raise _unparsable(f"Character '{name}' is reserved and must be escaped with the preceding '\\'")
        if self._opened and self._opened[-1].name == name:
            self._close({})
        else:
            offset = len(self._given[:at].encode())
            self._opened.append(_Open(name, self._length, offset, {}))
        return at + len(name)

    def _end_link(self, at: int) -> int:
        if self._opened[-1].name != "[":
            last = self._opened[-1]
            raise _unparsable(f"Can't find end of {MARKDOWN[last.name][1]} entity at byte offset {last.at}")
        if self._given[at + 1 : at + 2] != "(":
            self._opened.pop()
            return at + 1
        end = self._given.find(")", at)
        if end < 0:
            offset = len(self._given[: at + 2].encode())
            raise _unparsable(f"Can't find end of a URL at byte offset {offset}")
        self._close({"url": self._given[at + 2 : end]})
        return end + 1

    def _close(self, more: dict[str, str]) -> None:
        mark = self._opened.pop()
        if self._length > mark.offset:
            kind = MARKDOWN[mark.name][0]
            length = self._length - mark.offset
            self._entities.append({"type": kind, "offset": mark.offset, "length": length, **more})


LEGACY = re.compile(r"\\([_*`\[])|(```)(.*?)```|([_*`])(.*?)\4|\[([^\]]*)\]\(([^)]*)\)|([_*`\[])", re.DOTALL)
LEGACY_KINDS = {"_": "italic", "*": "bold", "`": "code"}


def _legacy(text: str) -> tuple[str, Entities]:
    """The old Markdown: marks do not nest."""
    plain, entities, at = "", [], 0
    for match in LEGACY.finditer(text):
        plain += text[at : match.start()]
        at = match.end()
        if match[8]:
            offset = len(text[: match.start()].encode())
            raise _unparsable(f"Can't find end of the entity starting at byte offset {offset}")
        inner = match[1] or match[3] or match[5] or match[6] or ""
        if inner and not match[1]:
            kind = "pre" if match[2] else LEGACY_KINDS.get(match[4] or "", "text_link")
            entity = {"type": kind, "offset": units(plain), "length": units(inner)}
            entities.append({**entity, "url": match[7]} if match[7] else entity)
        plain += inner
    return plain + text[at:], entities
