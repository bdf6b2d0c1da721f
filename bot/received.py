"""What somebody sent: its kind is told by what it holds, never by its name alone."""

import mimetypes
from pathlib import PurePath

import puremagic

from handlers.dialogue import SentFile

LARGEST = 20 * 1024 * 1024  # bytes; what Telegram lets a bot fetch (Bot API, getFile)
ANY = "application/octet-stream"
_TEXT = {
    ".txt",
    ".csv",
    ".tsv",
    ".md",
    ".json",
    ".xml",
    ".html",
    ".htm",
    ".yaml",
    ".yml",
    ".log",
    ".ics",
    ".vcf",
}
LOOKED_AT = 4_096  # bytes that tell what a file is


def received(name: str, data: bytes, claimed: str | None = None) -> SentFile:
    """A file as it is: its kind by its content, and whether that is not what its name says.

    The first LOOKED_AT bytes of it are enough.
    """
    extension = PurePath(name).suffix.lower()
    if extension in _TEXT or not extension:
        kind = "text/plain" if _is_text(data) else None
        if kind:
            return SentFile(name, mimetypes.guess_type(name)[0] or claimed or kind)
    found = _found(data)
    if extension in found:
        return SentFile(name, found[extension] or mimetypes.guess_type(name)[0] or ANY)
    kind = next((kind for kind in found.values() if kind), None)
    is_known = bool(extension) and mimetypes.guess_type(name)[0] is not None
    return SentFile(name, kind or claimed or ANY, "disguised" if is_known else "")


def too_large(name: str, claimed: str | None) -> SentFile:
    """A file that cannot be fetched."""
    return SentFile(name, claimed or ANY, "too_large")


def _found(data: bytes) -> dict[str, str]:
    """What the content may be: extensions and their media types, likeliest first."""
    try:
        return {one.extension: one.mime_type for one in puremagic.magic_string(data)}
    except (puremagic.PureError, ValueError):
        return {}


def _is_text(data: bytes) -> bool:
    return b"\x00" not in data[:LOOKED_AT] or data[:2] in (b"\xff\xfe", b"\xfe\xff")
