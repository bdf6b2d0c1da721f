"""0004: the register of enterprises, how they are reached, the lists they came with.

Expand before you contract: only new tables; the version before this one does not look at them.
"""

import sqlalchemy as sa
from alembic import op

from storage.tables import Id, Instant, Json, Letters

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the register."""
    _make_enterprises()
    _make_imports()
    _make_contacts()
    _make_merges()


def _make_enterprises() -> None:
    op.create_table(
        "enterprises",
        sa.Column("id", Id, nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("tax_code", Letters(14), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("search", Letters(400), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("commune", sa.String(length=40), nullable=True),
        sa.Column("commune_text", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("employees", sa.Integer(), nullable=True),
        sa.Column("size_band", sa.String(length=10), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("more", Json, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("merged_into", Id, nullable=True),
        sa.ForeignKeyConstraint(["merged_into"], ["enterprises.id"], name="fk_enterprises_merged_into"),
        sa.PrimaryKeyConstraint("id", name="pk_enterprises"),
        sa.UniqueConstraint("ref", name="uq_enterprises_ref"),
        sa.UniqueConstraint("tax_code", name="uq_enterprises_tax_code"),
    )
    op.create_index("ix_enterprises_search", "enterprises", ["search"])
    op.create_index("ix_enterprises_merged_into", "enterprises", ["merged_into"])
    op.create_table(
        "enterprise_words",
        sa.Column("enterprise_id", Id, nullable=False),
        sa.Column("word", Letters(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name="fk_enterprise_words_enterprise_id"
        ),
        sa.PrimaryKeyConstraint("enterprise_id", "word", name="pk_enterprise_words"),
    )
    op.create_index("ix_enterprise_words_word_enterprise_id", "enterprise_words", ["word", "enterprise_id"])


def _make_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sheet", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("done_at", Instant, nullable=True),
        sa.Column("undone_at", Instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )
    op.create_index("ix_imports_sha256", "imports", ["sha256"])
    op.create_table(
        "import_rows",
        sa.Column("import_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("enterprise_id", Id, nullable=True),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("after", Json, nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_import_rows_import_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprises.id"], name="fk_import_rows_enterprise_id"),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_rows"),
    )
    op.create_index("ix_import_rows_enterprise_id", "import_rows", ["enterprise_id"])


def _make_contacts() -> None:
    op.create_table(
        "enterprise_contacts",
        sa.Column("id", Id, nullable=False),
        sa.Column("enterprise_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("lookup", sa.String(length=64), nullable=False),
        sa.Column("import_id", Id, nullable=True),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name="fk_enterprise_contacts_enterprise_id"
        ),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_enterprise_contacts_import_id"),
        sa.PrimaryKeyConstraint("id", name="pk_enterprise_contacts"),
        sa.UniqueConstraint(
            "enterprise_id", "kind", "lookup", name="uq_enterprise_contacts_enterprise_id_kind_lookup"
        ),
    )
    op.create_index("ix_enterprise_contacts_lookup", "enterprise_contacts", ["lookup"])
    op.create_index("ix_enterprise_contacts_import_id", "enterprise_contacts", ["import_id"])


def _make_merges() -> None:
    op.create_table(
        "merges",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("kept_id", Id, nullable=False),
        sa.Column("gone_id", Id, nullable=False),
        sa.Column("moved", Json, nullable=False),
        sa.Column("undone_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["kept_id"], ["enterprises.id"], name="fk_merges_kept_id"),
        sa.ForeignKeyConstraint(["gone_id"], ["enterprises.id"], name="fk_merges_gone_id"),
        sa.PrimaryKeyConstraint("id", name="pk_merges"),
    )
    op.create_index("ix_merges_kept_id", "merges", ["kept_id"])
    op.create_index("ix_merges_gone_id", "merges", ["gone_id"])
