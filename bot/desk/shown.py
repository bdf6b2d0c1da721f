"""How values look on the desk."""

from datetime import datetime, tzinfo

from handlers.showing import shown_contact

HIDDEN = "•••"


def masked(value: str) -> str:
    """A telephone, a mail address or a name, most of it hidden."""
    if "@" in value:
        name, _, host = value.partition("@")
        return f"{name[:1]}{HIDDEN}@{host}"
    if value[:1] in "+0123456789":
        digits = shown_contact(value).replace(" ", "")
        return f"{digits[:3]} {HIDDEN} {digits[-3:]}" if len(digits) > 8 else HIDDEN
    return f"{value.strip()[:1]}{HIDDEN}" if value.strip() else ""


def day(moment: datetime | None, zone: tzinfo) -> str:
    """dd/mm/yyyy."""
    return moment.astimezone(zone).strftime("%d/%m/%Y") if moment else ""


def minute(moment: datetime | None, zone: tzinfo) -> str:
    """Hh:mm dd/mm/yyyy, as people here say it."""
    return moment.astimezone(zone).strftime("%H:%M %d/%m/%Y") if moment else ""
