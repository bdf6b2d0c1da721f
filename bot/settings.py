"""Every setting, read once: DOLUONG_* variables or a .env file."""

import os
import re
import secrets
import socket
import sys
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is not a time zone such as Asia/Ho_Chi_Minh") from None
    return name


def _addresses(text: str) -> str:
    for part in text.split(","):
        if part.strip() != "*":
            ip_network(part.strip(), strict=False)
    return text


def _token(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"\d+:[A-Za-z0-9_-]+", token.get_secret_value()):
        raise ValueError("is not a bot's token such as 12345:AbC-d_e")
    return token


def _smtp(url: SecretStr) -> SecretStr:
    if not re.fullmatch(r"smtps?://([^/@\s]+@)?[^/@:\s]+(:\d+)?/?", url.get_secret_value()):
        raise ValueError("is not an address such as smtp://USER:PASSWORD@mail.example.vn:587")
    return url


class Settings(BaseSettings):
    """What an operator may set. Every field is described in docs/operators.md, which a test keeps complete."""

    model_config = SettingsConfigDict(env_prefix="DOLUONG_", env_file=".env", extra="ignore", frozen=True)

    database_url: SecretStr = Field(
        SecretStr("sqlite:///data/doluong.db"),
        description="Where everything is stored: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
    )
    database_busy_seconds: float = Field(
        5.0,
        gt=0,
        le=60,
        description="How long a write waits for another process before the sender is told to retry.",
    )
    host: str = Field("127.0.0.1", description="The address the web server listens on.")
    port: int = Field(
        8080, ge=0, le=65535, description="The port the web server listens on; 0 takes a free one."
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/\s]+$",
        description="The address people reach the service at, such as https://doluong.example.vn; makes cookies Secure.",
    )
    trusted_proxies: Annotated[str, AfterValidator(_addresses)] = Field(
        "127.0.0.1",
        description="Addresses of the TLS proxies whose X-Forwarded-* headers are believed, by comma.",
    )
    demo: bool = Field(False, description="Demonstration mode: a quiet banner says so.")
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        "Asia/Ho_Chi_Minh", description="The time zone in which dates are shown."
    )
    waiting_days: int = Field(
        30, ge=1, le=365, description="Days after which a message nobody fetched is given up as too old."
    )
    messages_per_minute: int = Field(
        40, ge=1, le=6000, description="How many messages one web visitor may send in a minute."
    )
    visitors_per_minute: int = Field(
        120,
        ge=1,
        le=60000,
        description="How many new web visitors one network address may bring in a minute.",
    )
    instance: str | None = Field(
        None,
        max_length=64,
        pattern=r"^[\w.-]+$",
        description="The name of this installation, the same for all its processes. Channels that speak to people"
        " outside open only on a database of that name, so that a copy of production stays silent.",
    )
    process_name: str | None = Field(
        None,
        max_length=64,
        description="The name of this process, the same after a restart and different from the others' of one"
        " installation. Unset: the machine's name and the port.",
    )
    egress_proxy: SecretStr | None = Field(
        None, description="The HTTP proxy through which channels are reached, such as http://proxy:3128."
    )
    telegram_token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        None,
        description="The token of the bot, from @BotFather. Unset: no Telegram.",
    )
    telegram_mode: Literal["polling", "webhook"] = Field(
        "polling",
        description="How updates come: fetched by one process, or brought to DOLUONG_PUBLIC_URL/telegram.",
    )
    telegram_base_url: str = Field(
        "https://api.telegram.org",
        pattern=r"^https?://\S+$",
        description="Where the Bot API is: Telegram's own, or a server of one's own.",
    )
    telegram_per_second: float = Field(
        30.0, gt=0, le=100_000, description="How many messages Telegram lets a bot send in a second."
    )
    telegram_per_chat: float = Field(
        1.0,
        gt=0,
        le=100_000,
        description="How many messages Telegram lets a bot send to one chat in a second.",
    )
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp)] | None = Field(
        None,
        description="The mail server for letters to staff: smtp://USER:PASSWORD@HOST:587, or smtps:// for TLS from the"
        " first byte. Unset: no letters.",
    )
    mail_from: str | None = Field(
        None,
        pattern=r"^[^\r\n]*[^\s@<]+@[^\s@>]+>?$",
        description="In whose name letters to staff go, such as doluong@example.vn.",
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="Key of the hashes that stand for people in evidence; the same for all processes of one"
        " installation. Unset: made once and kept in secret.key beside the SQLite file, or in data/.",
    )
    files_folder: Path = Field(
        Path("data/files"), description="Where `chat` writes the files people are given at a terminal."
    )
    log_format: str = Field(
        "console", pattern="^(console|json)$", description="How log lines are written: console or json."
    )

    def key(self) -> bytes:
        """The secret key; made and kept where none is set and none was kept. Raises OSError."""
        if self.secret_key:
            return self.secret_key.get_secret_value().encode()
        return _kept_key(_beside(self.database_url.get_secret_value()) / "secret.key")

    @property
    def process(self) -> str:
        """The name under which this process has rows and duties in hand."""
        return self.process_name or f"{socket.gethostname()[:58]}:{self.port}"

    @property
    def zone(self) -> ZoneInfo:
        """The office's time zone."""
        return ZoneInfo(self.time_zone)


def _beside(database_url: str) -> Path:
    """The folder of a SQLite file, which only its owner reads; `data` for any other database."""
    found = re.match(r"sqlite(?:\+\w+)?:///([^?]+)", database_url)
    return Path(found[1]).absolute().parent if found else Path("data")


def _kept_key(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            suppress(FileExistsError),
            os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file,
        ):
            file.write(secrets.token_hex(32))
    return path.read_text(encoding="ascii").strip().encode()


class SettingsError(Exception):
    """A setting cannot be used."""


def read_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read the settings; raises SettingsError naming the variable and never its value."""
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        name = "DOLUONG_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}") from None


def unknown_settings() -> list[str]:
    """What looks like a setting in the environment and is none: most likely misspelt."""
    known = {f"DOLUONG_{name}".upper() for name in Settings.model_fields}
    return [
        f"{name}: is no setting"
        for name in sorted(os.environ)
        if name.startswith("DOLUONG_") and name not in known
    ]


def fail(sentence: object) -> NoReturn:
    """End the program with one clear sentence and exit code 1."""
    print(sentence, file=sys.stderr)
    raise SystemExit(1)
