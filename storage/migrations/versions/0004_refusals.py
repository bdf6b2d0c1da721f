"""0004: who said no to the notice of a response that others go on with.

Expand before you contract: the version before this one writes participants without the column, which has a default of
the database's own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make room for a refusal."""
    op.add_column(
        "participants", sa.Column("refused", sa.Boolean(), nullable=False, server_default=sa.false())
    )
