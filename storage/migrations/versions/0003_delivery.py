"""0003: what is sent, by whom, and how often it was tried; who said no to a notice.

Expand before you contract: the version before this one writes `waiting` rows without the new columns, which have
defaults of the database's own or may be NULL.
"""

import sqlalchemy as sa
from alembic import op

from storage.tables import OPEN, Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make what delivery needs."""
    op.add_column("addresses", sa.Column("blocked_at", Instant, nullable=True))
    op.add_column(
        "participants", sa.Column("refused", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for column in (
        sa.Column("channel", sa.String(length=16), nullable=True),
        sa.Column("bulk", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("due_at", Instant, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("replaces", sa.String(length=64), nullable=True),
    ):
        op.add_column("outbox", column)
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["channel", "bulk", "due_at"],
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_table(
        "leases",
        sa.Column("duty", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.PrimaryKeyConstraint("duty", name="pk_leases"),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("adopted_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )
