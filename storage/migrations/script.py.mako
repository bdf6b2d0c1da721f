"""${message}

Expand before you contract: the version before this one still runs while this migration does. Add columns that may be
NULL, add tables and indexes; drop only what no running version reads any more, in a later migration.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}"""
    ${upgrades if upgrades else "pass"}
