"""Evidence of each yes and no: only ever added to, and kept when its person is erased."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from handlers.people import Person
from handlers.responses import RecordConsent
from storage.keys import keyed
from storage.rows import bound, rows
from storage.tables import Id, Instant, consents, instant, participants, responses

_given_evidence = rows(
    place=sa.Integer,
    subject=sa.String,
    purpose=sa.String,
    notice_version=sa.String,
    text=sa.Text,
    answer=sa.String,
    at=Instant,
    channel=sa.String,
    address_hash=sa.String,
)
_COLUMNS = ("subject", "purpose", "notice_version", "text", "answer", "at", "channel", "address_hash")
_RECORD = sa.insert(consents).from_select(
    _COLUMNS,
    sa.select(*(_given_evidence.c[name] for name in _COLUMNS)).order_by(_given_evidence.c.place),
    include_defaults=False,
)
_given_agreed = rows(code=sa.String, person_id=Id, consented=sa.Boolean, refused=sa.Boolean)
_AGREE = (
    sa.update(participants)
    .where(
        participants.c.response_id == responses.c.id,
        responses.c.code == _given_agreed.c.code,
        participants.c.person_id == _given_agreed.c.person_id,
    )
    .values(consented=_given_agreed.c.consented, refused=_given_agreed.c.refused)
)


def subject(key: bytes, person_id: int) -> str:
    """What stands for a person in evidence: nobody can read from it who it was."""
    return keyed(key, "person", str(person_id))


class ConsentWriter:
    """Adds evidence, and lets a response know whose own it may hold."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(
        self, connection: sa.Connection, effects: Sequence[tuple[Person, datetime, RecordConsent]]
    ) -> None:
        """Write one row for each yes, no and withdrawal."""
        values = (
            {
                "place": place,
                "subject": subject(self._key, person.id),
                "purpose": effect.purpose,
                "notice_version": effect.notice_version,
                "text": effect.text,
                "answer": effect.answer,
                "at": instant(at),
                "channel": effect.channel,
                "address_hash": keyed(self._key, effect.channel, effect.address),
            }
            for place, (person, at, effect) in enumerate(effects)
        )
        connection.execute(_RECORD, bound(values))
        agreed = [
            {
                "code": effect.code,
                "person_id": person.id,
                "consented": effect.answer == "yes",
                "refused": effect.answer == "no",
            }
            for person, _, effect in effects
            if effect.code
        ]
        if agreed:
            connection.execute(_AGREE, bound(agreed))
