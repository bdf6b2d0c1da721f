"""0002: forms, responses, consent and erasure.

Expand before you contract: the version before this one still runs while this migration does. The new columns of
people may be NULL or have a default of the database's own.
"""

import sqlalchemy as sa
from alembic import op

from storage.tables import Id, Instant, Json

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make what forms need."""
    op.add_column("people", sa.Column("draft", sa.String(length=12), nullable=True))
    op.add_column("people", sa.Column("stopped", sa.Boolean(), nullable=False, server_default=sa.false()))
    _make_responses()
    _make_what_is_personal()
    _make_evidence()


def _make_responses() -> None:
    op.create_table(
        "forms",
        sa.Column("form_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=10), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("stored_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("form_id", "version", name="pk_forms"),
    )
    op.create_table(
        "responses",
        sa.Column("id", Id, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("form_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=10), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("answers", Json, nullable=False),
        sa.Column("known", Json, nullable=True),
        sa.Column("last_question", sa.String(length=80), nullable=False),
        sa.Column("tax_code", sa.String(length=14), nullable=True),
        sa.Column("rival", sa.Boolean(), nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("submitted_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(
            ["form_id", "version"], ["forms.form_id", "forms.version"], name="fk_responses_form_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_responses"),
        sa.UniqueConstraint("code", name="uq_responses_code"),
    )
    op.create_index("ix_responses_form_id_year_tax_code", "responses", ["form_id", "year", "tax_code"])
    op.create_table(
        "answer_log",
        sa.Column("id", Id, nullable=False),
        sa.Column("response_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("fill", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_answer_log_person_id"),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"], name="fk_answer_log_response_id"),
        sa.PrimaryKeyConstraint("id", name="pk_answer_log"),
    )
    op.create_index("ix_answer_log_response_id", "answer_log", ["response_id"])
    op.create_index("ix_answer_log_person_id", "answer_log", ["person_id"])
    op.create_table(
        "participants",
        sa.Column("response_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("consented", sa.Boolean(), nullable=False),
        sa.Column("joined_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_participants_person_id"),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"], name="fk_participants_response_id"),
        sa.PrimaryKeyConstraint("response_id", "person_id", name="pk_participants"),
    )
    op.create_index("ix_participants_person_id", "participants", ["person_id"])
    op.create_table(
        "handovers",
        sa.Column("id", Id, nullable=False),
        sa.Column("response_id", Id, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("used_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"], name="fk_handovers_response_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
        sa.UniqueConstraint("token_hash", name="uq_handovers_token_hash"),
    )
    op.create_index("ix_handovers_response_id", "handovers", ["response_id"])
    op.create_table(
        "guesses",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_guesses_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_guesses"),
    )
    op.create_index("ix_guesses_person_id_at", "guesses", ["person_id", "at"])


def _make_what_is_personal() -> None:
    op.create_table(
        "personal_values",
        sa.Column("id", Id, nullable=False),
        sa.Column("response_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("lookup", sa.String(length=64), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_personal_values_person_id"),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"], name="fk_personal_values_response_id"),
        sa.PrimaryKeyConstraint("id", name="pk_personal_values"),
        sa.UniqueConstraint("response_id", "name", name="uq_personal_values_response_id_name"),
    )
    op.create_index("ix_personal_values_person_id", "personal_values", ["person_id"])
    op.create_index("ix_personal_values_lookup", "personal_values", ["lookup"])


def _make_evidence() -> None:
    op.create_table(
        "consents",
        sa.Column("id", Id, nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("notice_version", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_subject_id", "consents", ["subject", "id"])
    op.create_table(
        "erasures",
        sa.Column("id", Id, nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("what", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_subject", "erasures", ["subject"])
