"""Files as Telegram keeps them: known by a long id, fetched by a path.

Source: Bot API, «Sending files» and `getFile`. A file_id stays valid and may be sent again; a path is good for an
hour at least, here always.
"""

import mimetypes
import random
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True, slots=True)
class File:
    """One file; `size` is what the server says, and may be more than is really there."""

    file_id: str
    unique_id: str
    path: str
    name: str
    media_type: str
    data: bytes
    size: int

    @property
    def brief(self) -> dict[str, Any]:
        """Its ids and size, as in every kind of media."""
        return {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": self.size}

    @property
    def document(self) -> dict[str, Any]:
        """As a Document."""
        return {"file_name": self.name, "mime_type": self.media_type, **self.brief}


@dataclass(slots=True)
class Files:
    """All files of the fake."""

    chance: random.Random
    by_id: dict[str, File] = field(default_factory=dict)
    by_path: dict[str, File] = field(default_factory=dict)

    def add(
        self, name: str, data: bytes, media_type: str = "", folder: str = "documents", size: int = -1
    ) -> File:
        """Keep a file; the type follows the name unless it is said."""
        media_type = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        suffix = PurePosixPath(name).suffix or mimetypes.guess_extension(media_type) or ""
        number = len(self.by_id)
        file = File(
            file_id="BQACAgUAAx" + self._letters(60),
            unique_id="AgAD" + self._letters(12),
            path=f"{folder}/file_{number}{suffix}",
            name=name,
            media_type=media_type,
            data=data,
            size=len(data) if size < 0 else size,
        )
        self.by_id[file.file_id] = self.by_path[file.path] = file
        return file

    def _letters(self, count: int) -> str:
        return "".join(self.chance.choices(LETTERS, k=count))
