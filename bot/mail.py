"""Letters to staff: plain text, one at a time, by SMTP."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from bot.settings import Settings

SECONDS = 30.0  # a server that says nothing for so long is given up


@dataclass(frozen=True, slots=True)
class Mail:
    """An SMTP server and in whose name letters go; with smtp:// the line is encrypted where the server offers it."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    is_tls: bool = False  # from the first byte, as smtps:// has it

    @staticmethod
    def of(settings: Settings) -> "Mail | None":
        """What the settings name, None where they name nothing."""
        if settings.smtp_url is None or settings.mail_from is None:
            return None
        url = urlsplit(settings.smtp_url.get_secret_value())
        is_tls = url.scheme == "smtps"
        user = unquote(url.username) if url.username else None
        password = unquote(url.password) if url.password else None
        port = url.port or (465 if is_tls else 587)
        return Mail(url.hostname or "", port, settings.mail_from, user, password, is_tls)

    async def send(self, to: str, subject: str, text: str) -> None:
        """Send one letter; raises aiosmtplib.SMTPException and OSError."""
        import aiosmtplib  # most processes never send a letter

        letter = EmailMessage()
        letter["From"] = self.sender
        letter["To"] = to
        letter["Subject"] = subject
        letter["Date"] = formatdate(localtime=False)
        letter["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2].rstrip(">"))
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's out-of-office answers it
        letter.set_content(text)
        await aiosmtplib.send(
            letter,
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            use_tls=self.is_tls,
            start_tls=False if self.is_tls else None,
            timeout=SECONDS,
        )
