"""Every table, as it is now; how it became so stands in migrations/."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond.

    PostgreSQL has a type for it. SQLite keeps ISO 8601 text of one fixed width, which sorts as time does.
    Both read the text that `instant` writes, so rows may also travel as JSON.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, timestamptz on PostgreSQL."""
        return dialect.type_descriptor(
            sa.String(32) if dialect.name == "sqlite" else sa.DateTime(timezone=True)
        )

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a naive datetime; store UTC."""
        if value is None:
            return None
        return instant(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back an aware datetime in UTC."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


@lru_cache(maxsize=256)  # a turn writes its one moment into several rows
def instant(moment: datetime) -> str:
    """A moment as text both databases read: 2027-01-20T01:30:00.000000+00:00. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Json(TypeDecorator[Any]):
    """A JSON document: jsonb on PostgreSQL, text on SQLite. Written as text on both, so that it may travel in a set."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL has a type for it."""
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else JSONB())

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Give back the value."""
        return orjson.loads(value) if isinstance(value, str) else value


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite counts rows only in a column spelled INTEGER; PostgreSQL wants eight bytes.
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def Letters(length: int) -> sa.types.TypeEngine[str]:  # noqa: N802  a type is spelled like one
    """Text that sorts by code points, so that an index finds what begins alike; SQLite's always does."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


# What still has to be sent. Spelled alike in an index and in a statement, or the index is not used.
OPEN = "status IN ('queued', 'leased', 'sending', 'retry_at')"


def _id() -> sa.Column[int]:
    return sa.Column("id", Id, primary_key=True)


def _ref(name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, Id, sa.ForeignKey(f"{target}.id"), nullable=nullable)


# Somebody who writes to the assistant. The row is the lock under which everything of that person happens.
people = sa.Table(
    "people",
    metadata,
    _id(),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("language_chosen", sa.Boolean, nullable=False),
    sa.Column("greeted", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text),  # handlers.people.State as JSON text; NULL: at the beginning
    sa.Column("draft", sa.String(12)),  # the code of the response in hand
    sa.Column("stopped", sa.Boolean, nullable=False, server_default=sa.false()),  # «dừng»: no bulk messages
)

# Where a person is met: one row for a channel and an address in it. For the web the address is the hash of the
# cookie, so that nobody who reads the table can go on with somebody's conversation.
addresses = sa.Table(
    "addresses",
    metadata,
    _id(),
    _ref("person_id", "people"),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("address", sa.String(128), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("blocked_at", Instant),  # the person, or the channel, lets nothing through: left alone
    sa.Column("closed_at", Instant),  # «không phải tôi»: no longer answered, its talk no longer shown
    sa.UniqueConstraint("channel", "address"),
    sa.Index("ix_addresses_person_id", "person_id"),
)

# One row for each thing that came in; the unique key makes a repeat harmless.
turns = sa.Table(
    "turns",
    metadata,
    _id(),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("update_key", sa.String(160), nullable=False),
    _ref("address_id", "addresses"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),  # text, tap, start, file
    sa.Column("text", sa.Text, nullable=False),  # as typed, or the label tapped
    sa.UniqueConstraint("channel", "update_key"),
)

# A turn that failed again and again: kept as it came, apologised for, counted as taken.
failed_turns = sa.Table(
    "failed_turns",
    metadata,
    _id(),
    _ref("turn_id", "turns"),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_failed_turns_turn_id", "turn_id"),
)

# What is to be said. Web and terminal rows are fetched by their reader; all others are sent by a process:
#   waiting   until the reader's cursor passes it
#   queued    nobody has taken it up
#   leased    a process has it in hand and may not have tried; past `due_at` any other may take it up
#   sending   committed just before its own request: after a crash nobody knows whether it was taken (bulk only)
#   retry_at  it failed for a while; tried again at `due_at`
#   sent      the reader, or the channel, has it
#   unknown   it may have been taken: listed for staff, never sent again by itself (bulk only)
#   failed    it can never be sent; `reason` says why
#   skipped   not worth sending any more: nobody came for it in time, or the address is blocked; `reason` says so
# A reply is sent again when in doubt, so it goes from `leased` to its end; bulk passes through `sending`.
outbox = sa.Table(
    "outbox",
    metadata,
    _id(),
    _ref("address_id", "addresses"),
    _ref("turn_id", "turns", nullable=True),
    sa.Column("position", sa.Integer, nullable=False),  # order among one turn's messages
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("reason", sa.String(64)),
    sa.Column("at", Instant, nullable=False),
    sa.Column("sent_at", Instant),
    sa.Column("message", sa.Text, nullable=False),  # storage.outbox.dump as JSON text
    sa.Column("channel", sa.String(16)),  # of what is sent; NULL where a reader fetches
    sa.Column(
        "bulk", sa.Boolean, nullable=False, server_default=sa.false()
    ),  # not a reply: waits for replies
    sa.Column("owner", sa.String(64)),  # the process that has it in hand
    sa.Column("due_at", Instant),  # when it may be taken up
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("replaces", sa.String(64)),  # the channel's own id of the message this one takes the place of
    sa.Index("ix_outbox_address_id_id", "address_id", "id"),
    sa.Index(
        "ix_outbox_waiting",
        "at",
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    ),
    sa.Index(
        "ix_outbox_due",
        "channel",
        "bulk",
        "due_at",
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    ),
    sa.Index("ix_outbox_turn_id", "turn_id"),
    sqlite_autoincrement=True,  # a cursor must never meet an id used before
)

# Questions the plan does not answer. `handed`: the person asked for an officer, the id is their ticket.
questions = sa.Table(
    "questions",
    metadata,
    _id(),
    _ref("person_id", "people"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("topic", sa.String(64)),
    sa.Column("status", sa.String(12), nullable=False),  # unanswered, handed
    sa.Index("ix_questions_person_id", "person_id"),
    sa.Index("ix_questions_status_id", "status", "id"),
)

# Conversation states that a later version could not read, kept as they were.
kept_states = sa.Table(
    "kept_states",
    metadata,
    _id(),
    _ref("person_id", "people"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("ix_kept_states_person_id", "person_id"),
)

# Every version of every form that was ever open: a draft runs to its end on its own.
forms = sa.Table(
    "forms",
    metadata,
    sa.Column("form_id", sa.String(40), primary_key=True),
    sa.Column("version", sa.String(10), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("definition", sa.Text, nullable=False),  # content.forms.FormFile as JSON text
    sa.Column("stored_at", Instant, nullable=False),
)

# A form somebody fills in. Nothing personal stands here: it stays when its person is erased.
responses = sa.Table(
    "responses",
    metadata,
    _id(),
    sa.Column("code", sa.String(12), nullable=False, unique=True),  # opens the answers; some 57 random bits
    sa.Column("form_id", sa.String(40), nullable=False),
    sa.Column("version", sa.String(10), nullable=False),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("status", sa.String(10), nullable=False),  # partial, submitted, cancelled
    sa.Column("answers", Json, nullable=False),  # {place: handlers.fills.Fill as a list}
    sa.Column("known", Json),  # answers offered from before, in the same shape
    sa.Column("last_question", sa.String(80), nullable=False),
    sa.Column("tax_code", sa.String(14)),  # a claim of whoever answered
    sa.Column("rival", sa.Boolean, nullable=False),  # another response of the year has the same tax code
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("submitted_at", Instant),
    sa.ForeignKeyConstraint(["form_id", "version"], ["forms.form_id", "forms.version"]),
    sa.Index("ix_responses_form_id_year_tax_code", "form_id", "year", "tax_code"),
)

# Every answer as it was given, in order; a corrected one is not forgotten. Never anything personal.
answer_log = sa.Table(
    "answer_log",
    metadata,
    _id(),
    _ref("response_id", "responses"),
    _ref("person_id", "people", nullable=True),  # NULL once the person is erased
    sa.Column("at", Instant, nullable=False),
    sa.Column("place", sa.String(80), nullable=False),
    sa.Column("fill", sa.Text),  # as in responses.answers; NULL: taken away
    sa.Index("ix_answer_log_response_id", "response_id"),
    sa.Index("ix_answer_log_person_id", "person_id"),
)

# Who may see and change a response.
participants = sa.Table(
    "participants",
    metadata,
    sa.Column("response_id", Id, sa.ForeignKey("responses.id"), primary_key=True),
    sa.Column("person_id", Id, sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("role", sa.String(8), nullable=False),  # owner, code, link
    sa.Column("consented", sa.Boolean, nullable=False),  # this person agreed to the form's notice
    sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false()),  # said no to it
    sa.Column("joined_at", Instant, nullable=False),
    sa.Index("ix_participants_person_id", "person_id"),
)

# What people said of themselves: the one table to look in, and to erase from.
personal_values = sa.Table(
    "personal_values",
    metadata,
    _id(),
    _ref("response_id", "responses"),
    _ref("person_id", "people"),
    sa.Column("name", sa.String(40), nullable=False),  # of the question
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("lookup", sa.String(64), nullable=False),  # keyed hash of the value, to find it by
    sa.Column("at", Instant, nullable=False),
    sa.UniqueConstraint("response_id", "name"),
    sa.Index("ix_personal_values_person_id", "person_id"),
    sa.Index("ix_personal_values_lookup", "lookup"),
)

# One-time links by which another person goes on with a response.
handovers = sa.Table(
    "handovers",
    metadata,
    _id(),
    _ref("response_id", "responses"),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
    sa.Index("ix_handovers_response_id", "response_id"),
)

# Wrong codes, so that nobody tries many.
guesses = sa.Table(
    "guesses",
    metadata,
    _id(),
    _ref("person_id", "people"),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_guesses_person_id_at", "person_id", "at"),
)

# Evidence of each yes and no, only ever added to. `subject` is a keyed hash, so that it stays when the person is erased.
consents = sa.Table(
    "consents",
    metadata,
    _id(),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("purpose", sa.String(40), nullable=False),
    sa.Column("notice_version", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),  # exactly as shown
    sa.Column("answer", sa.String(10), nullable=False),  # yes, no, withdrawn
    sa.Column("at", Instant, nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("address_hash", sa.String(64), nullable=False),
    sa.Index("ix_consents_subject_id", "subject", "id"),
)

# Proof that somebody's data was erased, and how much.
erasures = sa.Table(
    "erasures",
    metadata,
    _id(),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("what", Json, nullable=False),  # {table: rows}
    sa.Index("ix_erasures_subject", "subject"),
)

# The register: enterprises an office has in its lists. Nobody's personal values stand here.
enterprises = sa.Table(
    "enterprises",
    metadata,
    _id(),
    sa.Column(
        "ref", sa.String(16), nullable=False, unique=True
    ),  # random: what links name, so that no id is guessed
    sa.Column("tax_code", Letters(14), unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("search", Letters(400), nullable=False),  # the name folded, its short forms written out
    sa.Column("kind", sa.String(20)),  # a legal form of the survey
    sa.Column("commune", sa.String(40)),  # a commune of the survey
    sa.Column("commune_text", sa.Text, nullable=False),  # as the list had it, where that is none
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("sector", sa.Text, nullable=False),
    sa.Column("employees", sa.Integer),
    sa.Column("size_band", sa.String(10)),  # a band of employees of the survey
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("more", Json, nullable=False),  # {heading: text} of what has no column
    sa.Column("source", sa.String(40), nullable=False),  # import, or who wrote it down
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("merged_into", Id, sa.ForeignKey("enterprises.id")),  # the one it turned out to be
    sa.Index("ix_enterprises_search", "search"),
    sa.Index("ix_enterprises_merged_into", "merged_into"),
)

# The words an enterprise is found by: its name's, folded. One row a word, so that both databases look them up alike.
enterprise_words = sa.Table(
    "enterprise_words",
    metadata,
    sa.Column("enterprise_id", Id, sa.ForeignKey("enterprises.id"), primary_key=True),
    sa.Column("word", Letters(40), primary_key=True),
    sa.Index("ix_enterprise_words_word_enterprise_id", "word", "enterprise_id"),
)

# How the people of an enterprise are reached: the one table of the register to erase from.
enterprise_contacts = sa.Table(
    "enterprise_contacts",
    metadata,
    _id(),
    _ref("enterprise_id", "enterprises"),
    sa.Column("kind", sa.String(8), nullable=False),  # phone, email, person
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("lookup", sa.String(64), nullable=False),  # keyed hash of the value, to find it by
    _ref("import_id", "imports", nullable=True),  # the list it came with
    sa.Column("at", Instant, nullable=False),
    sa.UniqueConstraint("enterprise_id", "kind", "lookup"),
    sa.Index("ix_enterprise_contacts_lookup", "lookup"),
    sa.Index("ix_enterprise_contacts_import_id", "import_id"),
)

# Lists that were looked at or taken.
imports = sa.Table(
    "imports",
    metadata,
    _id(),
    sa.Column("at", Instant, nullable=False),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("file_name", sa.String(200), nullable=False),
    sa.Column("sheet", sa.String(80), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("counts", Json, nullable=False),
    sa.Column("status", sa.String(10), nullable=False),  # previewed, done, undone
    sa.Column("done_at", Instant),
    sa.Column("undone_at", Instant),
    sa.Index("ix_imports_sha256", "sha256"),
)

# What an import did to each enterprise, to undo it: fields before and after. Never a contact.
import_rows = sa.Table(
    "import_rows",
    metadata,
    sa.Column("import_id", Id, sa.ForeignKey("imports.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # of the row in its sheet
    _ref("enterprise_id", "enterprises", nullable=True),  # NULL once the enterprise is gone again
    sa.Column("action", sa.String(8), nullable=False),  # created, updated
    sa.Column("before", Json, nullable=False),  # {field: value} of what was changed
    sa.Column("after", Json, nullable=False),
    sa.Index("ix_import_rows_enterprise_id", "enterprise_id"),
)

# Two enterprises that turned out to be one, and how to part them again.
merges = sa.Table(
    "merges",
    metadata,
    _id(),
    sa.Column("at", Instant, nullable=False),
    sa.Column("who", sa.String(80), nullable=False),
    _ref("kept_id", "enterprises"),
    _ref("gone_id", "enterprises"),
    sa.Column("moved", Json, nullable=False),  # {contacts, followers: ids; filled: {field: value}}
    sa.Column("undone_at", Instant),
    sa.Index("ix_merges_kept_id", "kept_id"),
    sa.Index("ix_merges_gone_id", "gone_id"),
)

# Officers of the desk. One who left stays as a row: the audit names them.
staff = sa.Table(
    "staff",
    metadata,
    _id(),
    sa.Column("ref", sa.String(16), nullable=False, unique=True),  # random: what links name
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("name_key", sa.String(80), nullable=False),  # storage.staff.key_of: what the name is found by
    sa.Column("unit", sa.String(120), nullable=False),
    sa.Column("role", sa.String(8), nullable=False),  # viewer, officer, admin
    sa.Column("email", sa.String(254)),  # in small letters
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    sa.Index(
        "uq_staff_name_key",
        "name_key",
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    ),
    sa.Index(
        "uq_staff_email",
        "email",
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    ),
)

# One-time links to staff; whoever reads the table cannot use one.
staff_links = sa.Table(
    "staff_links",
    metadata,
    _id(),
    _ref("staff_id", "staff"),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("purpose", sa.String(8), nullable=False),  # invite, login, chat
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),  # or made void by a newer one
    sa.Index("ix_staff_links_staff_id_created_at", "staff_id", "created_at"),
)

# Browsers that staff are in with; the cookie itself is nowhere.
staff_sessions = sa.Table(
    "staff_sessions",
    metadata,
    _id(),
    _ref("staff_id", "staff"),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("agent", sa.String(200), nullable=False),
    sa.Index("ix_staff_sessions_staff_id", "staff_id"),
)

# Chats in which the assistant knows an officer.
staff_addresses = sa.Table(
    "staff_addresses",
    metadata,
    sa.Column("address_id", Id, sa.ForeignKey("addresses.id"), primary_key=True, autoincrement=False),
    _ref("staff_id", "staff"),
    sa.Column("linked_at", Instant, nullable=False),
    sa.Index("ix_staff_addresses_staff_id", "staff_id"),
)

# What staff did. Only ever added to, which triggers enforce; nothing personal stands here, only what it was done to.
audit = sa.Table(
    "audit",
    metadata,
    _id(),
    sa.Column("at", Instant, nullable=False),
    _ref("staff_id", "staff", nullable=True),  # NULL: a command at the machine, or nobody who is known
    sa.Column("act", sa.String(40), nullable=False),
    sa.Column("object_kind", sa.String(20), nullable=False),
    sa.Column("object_ref", sa.String(64), nullable=False),
    sa.Column("details", Json, nullable=False),
    sa.Column("remote", sa.String(64)),  # keyed hash of the network address
    sa.Index("ix_audit_staff_id", "staff_id"),
    sa.Index("ix_audit_act", "act"),
    sa.Index("ix_audit_object_kind_object_ref", "object_kind", "object_ref"),
)

# Who does what only one process may do at a time, by the database's clock.
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("duty", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String(64), nullable=False),
    sa.Column("until", Instant, nullable=False),
)

# Which installation this database belongs to; a copy of it elsewhere may read, and never speak.
installation = sa.Table(
    "installation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # always 1
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("adopted_at", Instant, nullable=False),
)
